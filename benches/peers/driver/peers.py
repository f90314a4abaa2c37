"""The systems beside ours: the same job on other queues."""

import os
import pathlib
import sys
import time

from driver.drain import warm, watch
from driver.failure import Failure
from driver.processes import Process, cpu_s
from driver.servers import run

HERE = pathlib.Path(__file__).resolve().parent.parent
QUEUE = "websocket_data"
CELERY_PROCESSES = 4

# Every symbol's row holds its newest tick: number TICKS - SYMBOLS or a later one, and that symbol's own.
NEWEST = """
SELECT count(*) FROM ticker_price_data AS p JOIN ticker_base AS b ON b.id = p.ticker_id
CROSS JOIN LATERAL (SELECT (p.last_price_order % {symbols} + 1)::text AS number) AS n
WHERE {ticks} - {symbols} <= p.last_price_order AND p.last_price_order < {ticks}
AND b.ticker_symbol = 'sim' || lpad(n.number, greatest(3, length(n.number)), '0') || 'usdt'
"""


class Peer:
    """A queue whose waiting tasks are in the list QUEUE and whose tasks in work are in the hash `held`."""

    def __init__(self, target):
        self.target = target

    def measure(self, world, ticks, symbols):
        """One run, verified."""
        database = world.postgres.fresh_database("peer")
        world.postgres.sql("peer", (HERE / "job" / "tables.sql").read_text().format(symbols=symbols))
        counts = world.folder / "counts"
        counts.mkdir()
        env = os.environ | {"REDIS_URL": world.redis.url, "DATABASE_URL": database, "COUNTS": str(counts)}
        run(f"filling the queue of {self.name}", self.fill(ticks, symbols), self.folder(), env)

        def done():
            waiting, held = world.redis.client.ask(["LLEN", QUEUE], ["HLEN", self.held])
            return ticks - waiting - held

        if done() != 0:
            raise Failure(f"{self.name}: {ticks - done()} tasks are on the queue, not {ticks}")
        began = time.monotonic()
        with Process(self.name, self.work(), world.folder / "worker.log", env, self.folder()) as worker:
            cpu = world.cpu(lambda: cpu_s(worker.pid))
            drained = watch(ticks, warm(ticks, symbols), done, began, cpu, worker.check)
        self.verify(world, counts, ticks, symbols)
        return drained

    def verify(self, world, counts, ticks, symbols):
        """All tasks were done, and every symbol's row has its newest tick."""
        stored = sum(int(path.read_text()) for path in counts.iterdir())
        if stored != ticks:
            raise Failure(f"{self.name} did {stored} of {ticks} tasks:\n{world.last_lines('worker.log')}")
        newest = int(world.postgres.sql("peer", NEWEST.format(ticks=ticks, symbols=symbols)))
        if newest != min(symbols, ticks):
            raise Failure(f"{self.name} left the newest tick in {newest} of {symbols} rows")


class CeleryPeer(Peer):
    name = "celery"
    held = "unacked"
    what = f"prefork, {CELERY_PROCESSES} processes, acks_late, prefetch 1, no results, one statement per task"
    less_safe = (
        "a task is popped, then recorded: a crash between the two loses it",
        "what a killed worker held comes again after the visibility timeout, an hour by default; a task that takes"
        " longer runs twice",
        "a failed task is acknowledged: without a retry of its own it is gone, and there is no dead letter",
    )

    def __init__(self, target):
        super().__init__(target)
        self.python = target / "venv" / "bin" / "python"

    def version(self):
        return run("celery", [self.python, "-c", "import celery; print(celery.__version__)"]).strip()

    def prepare(self):
        requirements = HERE / "requirements.txt"
        made_from = self.target / "requirements.txt"
        if made_from.exists() and made_from.read_text() == requirements.read_text():
            return
        try:
            import ensurepip  # noqa: F401 (Debian leaves it out of python3)
        except ImportError as error:
            raise Failure("this Python cannot make a virtual environment", "apt-get install python3-venv") from error
        run("making a virtual environment", [sys.executable, "-m", "venv", "--clear", self.target / "venv"])
        pip = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
        run("pip install", pip)
        made_from.write_text(requirements.read_text())

    def folder(self):
        return HERE / "python"

    def fill(self, ticks, symbols):
        return [self.python, "fill.py", ticks, symbols]

    def work(self):
        pool = ["--pool", "prefork", "--concurrency", CELERY_PROCESSES]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "warning"]
        return [self.python, "-m", "celery", "--app", "ticks", "worker", *pool, *quiet]


class RustPeer(Peer):
    name = "rusty-celery"
    held = f"_celery.{QUEUE}_process_map"
    what = "prefetch 100, acks_late, 4 PostgreSQL sessions, one statement per task"
    less_safe = (
        "a task is popped, then recorded: a crash between the two loses it",
        "nothing ever reads the record of tasks in work: what a killed worker held is not delivered again",
        "a task that fails is put back at once, or is gone when its retries are used up: there is no dead letter",
    )

    def __init__(self, target):
        super().__init__(target)
        self.program = target / "rust" / "release" / "rust-peer"

    def version(self):
        lock = (HERE / "rust" / "Cargo.lock").read_text()
        return lock.split('name = "celery"\nversion = "', 1)[1].split('"', 1)[0]

    def prepare(self):
        env = os.environ | {"CARGO_TARGET_DIR": str(self.target / "rust")}
        run("building the Rust peer", ["cargo", "build", "--release", "--locked"], HERE / "rust", env, sys.stderr)

    def folder(self):
        return self.target

    def fill(self, ticks, symbols):
        return [self.program, "fill", ticks, symbols]

    def work(self):
        return [self.program, "work"]
