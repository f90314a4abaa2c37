"""Watches a full queue being emptied, the same way for every system."""

import dataclasses
import time

from driver.failure import Failure
from driver.processes import machine_cpu_s

# Between two looks at the queue.
LOOK_S = 0.005

# Without any progress for so long, something is wrong.
STALL_S = 90

# The steady rate counts from this part of the ticks on.
WARM = 0.1


def warm(ticks, symbols):
    """From so many ticks on, the rate is steady: every symbol has been met, by a trade and by a quote."""
    return max(round(ticks * WARM), 2 * symbols)


@dataclasses.dataclass
class Drained:
    """One run."""

    ticks: int
    # Ticks per second from `warm` to the end.
    steady: float
    # Ticks per second from the start of the first worker process to the end.
    with_boot: float
    # CPU seconds per 1,000 ticks from `warm` to the end: worker, Redis and PostgreSQL.
    cpu_s: float
    worker_cpu_s: float
    redis_cpu_s: float
    postgres_cpu_s: float
    # The same of the whole machine, our own looking on and everything else included.
    machine_cpu_s: float
    # What the system itself says, where it does.
    own_figure: float | None = None


@dataclasses.dataclass
class Sample:
    at: float
    done: int
    cpu: dict


def watch(ticks, warm_at, done, began, cpu, check):
    """Looks until `done()` says that all ticks are done.

    `began` is when the worker was started, by `time.monotonic`; `cpu` reads the CPU seconds of `worker`, `redis` and
    `postgres`; `check` raises when the worker has ended.
    """

    def sample(count):
        used = {name: read() for name, read in cpu.items()}
        return Sample(time.monotonic(), count, used | {"machine": machine_cpu_s()})

    warm, latest, progress_at = None, 0, time.monotonic()
    while True:
        count = done()
        if warm is None and warm_at <= count:
            warm = sample(count)
        if ticks <= count:
            return between(ticks, began, warm, sample(count))
        now = time.monotonic()
        if latest < count:
            latest, progress_at = count, now
        elif progress_at + STALL_S < now:
            raise Failure(f"no progress for {STALL_S} s: {count} of {ticks} ticks are done")
        check()
        time.sleep(LOOK_S)


def between(ticks, began, warm, end):
    counted, took = end.done - warm.done, end.at - warm.at
    if counted <= 0:
        raise Failure("the queue was emptied between two looks: take more ticks")
    per_1000 = {name: (end.cpu[name] - warm.cpu[name]) / counted * 1_000 for name in end.cpu}
    return Drained(
        ticks=ticks,
        steady=counted / took,
        with_boot=ticks / (end.at - began),
        cpu_s=per_1000["worker"] + per_1000["redis"] + per_1000["postgres"],
        worker_cpu_s=per_1000["worker"],
        redis_cpu_s=per_1000["redis"],
        postgres_cpu_s=per_1000["postgres"],
        machine_cpu_s=per_1000["machine"],
    )
