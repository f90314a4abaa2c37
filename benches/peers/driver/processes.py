"""Processes of our own: started in a session of their own, measured by /proc, ended by their number."""

import glob
import os
import signal
import subprocess
import time

from driver.failure import Failure

CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")

# How long a process may take to end after it was asked to.
PATIENCE_S = 30


class Process:
    """A process and its children; ends when the `with` block does."""

    def __init__(self, name, command, log, env=None, folder=None, ask=signal.SIGTERM, out=None):
        self.name, self.log, self.ask = name, log, ask
        try:
            with open(log, "ab") as output:
                self.child = subprocess.Popen(
                    [str(word) for word in command],
                    stdin=subprocess.DEVNULL,
                    stdout=output if out is None else out,
                    stderr=output,
                    env=env,
                    cwd=folder,
                    start_new_session=True,  # the terminal's Ctrl-C is for us alone: we end them in order
                )
        except OSError as error:
            raise Failure(f"cannot start {name}: {error}") from error

    @property
    def pid(self):
        return self.child.pid

    def check(self):
        """An error when it has ended although nobody asked it to."""
        if self.child.poll() is not None:
            raise Failure(f"{self.name} ended with {self.child.returncode}:\n{self.last_lines()}")

    def check_failed(self):
        """An error when it has ended in another way than it should."""
        if self.child.poll() not in (None, 0):
            self.check()

    def last_lines(self):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-20:])

    def stop(self):
        """Asks it to end and waits until it has."""
        if self.child.poll() is None:
            self.child.send_signal(self.ask)
            try:
                self.child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                pass
        # What is left: children that outlived it, or all of it.
        self.signal_all(signal.SIGKILL)
        self.child.wait()

    def signal_all(self, number):
        """To its group and to the groups that those below it are in."""
        alive = [fields for fields in map(stat, tree(self.pid)) if fields is not None]
        for group in {self.pid} | {int(fields[2]) for fields in alive}:
            try:
                os.killpg(group, number)
            except ProcessLookupError:
                pass  # all of it has ended

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def stat(pid):
    """The fields of /proc/PID/stat behind the program's name, from the state on; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def children(pid):
    """Started by any of its threads."""
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            with open(path) as file:
                found += [int(child) for child in file.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass  # a thread that has just ended
    return found


def tree(pid):
    """A process and all below it."""
    return [pid] + [below for child in children(pid) for below in tree(child)]


def cpu_s(pid):
    """CPU seconds of a process and all below it, those included that have ended and were waited for."""
    while True:
        before = tree(pid)
        total = sum(ticks(stat(below), 4) for below in before)
        # One that ends meanwhile goes over to its parent's account, and would be counted twice or not at all.
        if sorted(tree(pid)) == sorted(before):
            return total / CLOCK_TICKS_PER_S


def children_cpu_s(pid):
    """The same without the process itself."""
    return cpu_s(pid) - ticks(stat(pid), 2) / CLOCK_TICKS_PER_S


def ticks(fields, count):
    """The first `count` of utime, stime, and both of the children that were waited for."""
    return 0 if fields is None else sum(int(field) for field in fields[11 : 11 + count])


def machine_cpu_s():
    """CPU seconds that the machine has worked since it was booted: without idling, and what a hypervisor took away."""
    with open("/proc/stat") as file:
        user, nice, system, _idle, _iowait, irq, softirq = (int(field) for field in file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / CLOCK_TICKS_PER_S


def age_s(pid):
    """Seconds since a process was started."""
    fields = stat(pid)
    if fields is None:
        raise Failure(f"process {pid} ended while it was measured")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / CLOCK_TICKS_PER_S
