"""What the runs come to, for people and for programs."""

import dataclasses
import datetime
import json
import os
import platform
import statistics
import time


@dataclasses.dataclass
class Line:
    """All runs of one system."""

    name: str
    version: str
    what: str
    less_safe: tuple
    runs: list = dataclasses.field(default_factory=list)

    def median(self, figure):
        return statistics.median(getattr(run, figure) for run in self.runs)

    def steady(self):
        figures = [run.steady for run in self.runs]
        return f"{count(self.median('steady'))} ({count(min(figures))}..{count(max(figures))})"


def count(number):
    return f"{round(number):,}"


def ratio(number):
    return f"{number:,.1f}" if number < 100 else count(number)


def table(lines):
    """Our line is the first; the others say how many times theirs it is."""
    ours = lines[0]
    rows = [["SYSTEM", "TICKS/S (MIN..MAX)", "WITH BOOT", "CPU S/1,000", "WORKER", "REDIS", "POSTGRES", "OURS / IT"]]
    for line in lines:
        cpu = [line.median(name) for name in ("cpu_s", "worker_cpu_s", "redis_cpu_s", "postgres_cpu_s")]
        times = ratio(ours.median("steady") / line.median("steady"))
        name = f"{line.name} {line.version}"
        rows.append([name, line.steady(), count(line.median("with_boot")), *(f"{s:.4f}" for s in cpu), times])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    aligned = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in aligned)


def notes(lines):
    said = []
    for line in lines:
        ticks = count(line.runs[0].ticks)
        said.append(f"{line.name}: {line.what}; {ticks} ticks a run")
        said += [f"  less safe: {fact}" for fact in line.less_safe]
    return "\n".join(said)


def disk_sync_us(folder):
    """Microseconds to force a page of 8 kB to disk, the median of 100: what each commit waits for."""
    took = []
    with open(folder / "page", "wb", buffering=0) as file:
        for _ in range(100):
            file.seek(0)
            file.write(bytes(8_192))
            began = time.monotonic()
            os.fdatasync(file)
            took.append(time.monotonic() - began)
    return round(statistics.median(took) * 1_000_000)


def machine(redis, postgres, folder, arguments):
    return {
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "disk_sync_us": disk_sync_us(folder),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "redis": redis,
        "redis_appendonly": arguments.appendonly,
        "postgres": postgres,
        "symbols": arguments.symbols,
        "runs": arguments.runs,
    }


def heading(about):
    redis = "append-only file" if about["redis_appendonly"] else "as it comes"
    return (
        f"{about['cores']} cores · disk sync {about['disk_sync_us']:,} us · Redis {about['redis']}, {redis} · "
        f"PostgreSQL {about['postgres']} as it comes · {about['symbols']:,} symbols · median of {about['runs']}"
    )


def as_json(about, lines):
    ours = lines[0]
    systems = []
    for line in lines:
        fields = [field.name for field in dataclasses.fields(line.runs[0])]
        figures = [name for name in fields if name not in ("ticks", "own_figure")]
        systems.append(
            {
                "system": line.name,
                "version": line.version,
                "what": line.what,
                "less_safe": list(line.less_safe),
                "median": {figure: line.median(figure) for figure in figures},
                "ours_over_it": ours.median("steady") / line.median("steady"),
                "runs": [dataclasses.asdict(run) for run in line.runs],
            }
        )
    return json.dumps({"schema": 1, "about": about, "systems": systems}, indent=2) + "\n"
