"""Tidemill: `tidemill bench` fills a queue and starts the worker, and we look on as with the others."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from driver.drain import warm, watch
from driver.failure import Failure
from driver.processes import PATIENCE_S, Process, age_s, children_cpu_s, tree
from driver.servers import run, until

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")

# How long filling the queue may take.
START_S = 600

# Its exit code when it was told to stop.
INTERRUPTED = 130

# An order key's lower 30 bits are the message's place; trades and quotes of each symbol come in turn.
NEWEST = """
SELECT count(*) FROM ticker_price_data
WHERE {ticks} - 2 * {symbols} <= (last_price_order & 1073741823) AND (last_price_order & 1073741823) < {ticks}
AND {ticks} - 2 * {symbols} <= (bid_order & 1073741823) AND (bid_order & 1073741823) < {ticks}
"""


class Ours:
    less_safe = ()

    def __init__(self, batch=None):
        self.name = "tidemill" if batch is None else f"tidemill --batch {batch}"
        self.batch, self.only = batch, None
        self.what = "one worker, as configured by default" if batch is None else "the same, one task per transaction"
        self.program = TARGET / "release" / "tidemill"

    def prepare(self):
        command = ["cargo", "build", "--release", "--locked", "--bin", "tidemill"]
        run("building tidemill", command, ROOT, output=sys.stderr)

    def version(self):
        return run("tidemill", [self.program, "--version"]).split()[-1]

    def command(self, ticks, symbols):
        command = [self.program, "bench", "--workers", 1, "--runs", 1, "--ticks", ticks, "--symbols", symbols, "--json"]
        if self.batch is not None:
            command += ["--batch", self.batch]
        if self.has_only():
            command += ["--only", "queue-to-rows"]
        return command

    def measure(self, world, ticks, symbols):
        """One run, verified."""
        database = world.postgres.fresh_database("ours")
        servers = {"REDIS_URL": world.redis.url, "DATABASE_URL": database}
        # No settings but the defaults: no file, and nothing of the caller's environment.
        env = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMILL_")} | servers
        log, command = world.folder / "worker.log", self.command(ticks, symbols)
        with open(world.folder / "bench.json", "w+") as out:
            with Process(self.name, command, log, env, world.folder, out=out) as bench:
                stats, settled_before, boot_s = opened(world.redis.client, bench, ticks)
                began = time.monotonic() - boot_s

                def done():
                    count = counts(world.redis.client, stats)[1] - settled_before
                    if ticks <= count and not self.has_only():
                        bench.signal_all(signal.SIGSTOP)  # it would soon write other ticks to the same rows
                    return count

                cpu = world.cpu(lambda: children_cpu_s(bench.pid))
                try:
                    drained = watch(ticks, warm(ticks, symbols), done, began, cpu, bench.check_failed)
                    verify_rows(world, ticks, symbols)
                finally:
                    bench.signal_all(signal.SIGCONT)
                self.finish(bench)
            out.seek(0)
            drained.own_figure = self.verify(json.load(out), ticks)
        return drained

    def finish(self, bench):
        """Waits for its report. Without `--only` it is told to stop as soon as it has what we want."""
        if not self.has_only():
            until("its measurement ends", bench, lambda: "queue to rows" in bench.last_lines())
            bench.child.send_signal(signal.SIGTERM)
        try:
            code = bench.child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"{self.name} does not end") from error
        if code != 0 and (code != INTERRUPTED or self.has_only()):
            bench.check()

    def has_only(self):
        """Whether it can be told to measure only this."""
        if self.only is None:
            self.only = "--only" in run("tidemill bench --help", [self.program, "bench", "--help"])
        return self.only

    def verify(self, report, ticks):
        """By its own ledger nothing was lost or ended otherwise; returns its own figure, if we did not hold it up."""
        [summary] = report["queue_to_rows"]
        wrong = [name for name in ("lost", "dead", "otherwise", "shed") if summary.get(name, 0) != 0]
        if wrong or not summary["balanced"] or summary["ticks"] != ticks:
            raise Failure(f"{self.name} did not store every tick: {json.dumps(summary)}")
        return summary["ticks_per_s"] if self.has_only() else None


def opened(client, bench, ticks):
    """Waits until the queue is full and opened.

    Gives the key of its counters, what was settled before, and how long the worker took from its start until it could
    work: until its first task is done, if it has some before the queue is filled, else until the queue is opened.
    """
    deadline = time.monotonic() + START_S
    boot_s, before = None, {}
    while time.monotonic() < deadline:
        bench.check()
        [found] = client.ask(["KEYS", "tidemill:{bench_*}:stats"])
        for stats in found:
            accepted, settled = counts(client, stats)
            if boot_s is None and 0 < settled:
                boot_s = age_s(worker_of(bench))
            # Nothing is settled while the queue is filled, and the first batch may be before the next look.
            if accepted - before.get(stats, settled) < ticks:
                before[stats] = settled
            else:
                while client.ask(["EXISTS", stats.removesuffix("stats") + "paused"]) == [1]:
                    bench.check()
                    time.sleep(0.001)
                return stats, before.get(stats, settled), age_s(worker_of(bench)) if boot_s is None else boot_s
        time.sleep(0.02)
    raise Failure(f"the queue of {bench.name} was not opened within {START_S} s\n{bench.last_lines()}")


def counts(client, stats):
    """Tasks accepted and tasks settled."""
    [answer] = client.ask(["HMGET", stats, "accepted", "settled"])
    return [int(count or 0) for count in answer]


def worker_of(bench):
    for pid in tree(bench.pid)[1:]:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if b"worker" in file.read().split(b"\0"):
                return pid
    raise Failure(f"{bench.name} has no worker process")


def verify_rows(world, ticks, symbols):
    """Every symbol's row has its newest trade and its newest quote."""
    newest = int(world.postgres.sql("ours", NEWEST.format(ticks=ticks, symbols=symbols)))
    if newest != symbols:
        raise Failure(f"the newest trade and quote are in {newest} of {symbols} rows only")
