"""A Redis and a PostgreSQL of our own, in a temporary folder, on free ports of this machine only."""

import contextlib
import glob
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time

from driver.failure import Failure
from driver.processes import Process
from driver.redis_client import RedisClient

START_S = 60
USER = "tidemill"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, process, is_true):
    """Waits until something has become true of a process."""
    deadline = time.monotonic() + START_S
    while not is_true():
        process.check()
        if deadline < time.monotonic():
            raise Failure(f"{what}: not within {START_S} s\n{process.last_lines()}")
        time.sleep(0.05)


class Redis:
    """A queue that keeps what it accepted: append-only file, synced every second, as our compose file runs it."""

    def __init__(self, stack, folder, appendonly):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        command = ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--dir", folder]
        command += ["--appendonly", "yes" if appendonly else "no", "--daemonize", "no"]
        self.process = stack.enter_context(Process("redis-server", command, folder / "redis.log"))
        until("redis-server answers", self.process, self.answers)
        self.client = RedisClient(self.port)
        stack.callback(self.client.close)

    def answers(self):
        try:
            with contextlib.closing(RedisClient(self.port)) as client:
                return client.ask(["PING"]) == ["PONG"]
        except OSError:
            return False


class Postgres:
    """PostgreSQL with its defaults; it refuses to run as root, so then it runs as the user of its package."""

    def __init__(self, stack, folder):
        self.port, self.password = free_port(), secrets.token_hex(16)
        data = folder / "postgres"
        data.mkdir()
        password = folder / "password"
        password.touch(0o600)
        password.write_text(self.password)
        self.other_user = []
        if os.geteuid() == 0:
            self.other_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            shutil.chown(data, "postgres", "postgres")
            shutil.chown(password, "postgres")
            folder.chmod(0o711)  # it must get to its own in there
        initdb = [*self.other_user, program("initdb"), "--pgdata", data, "--auth=scram-sha-256", "--username", USER]
        initdb += ["--locale=C", "--encoding=UTF8", "--no-sync", "--pwfile", password]
        run("initdb", initdb, folder)
        password.unlink()
        command = [*self.other_user, program("postgres"), "-D", data, "-p", self.port]
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories="]:
            command += ["-c", setting]
        # SIGINT is PostgreSQL's fast shutdown.
        server = Process("postgres", command, folder / "postgres.log", folder=folder, ask=signal.SIGINT)
        self.process = stack.enter_context(server)
        self.psql = program("psql")
        until("postgres answers", self.process, lambda: self.try_sql("postgres", "SELECT 1").returncode == 0)

    def url(self, database):
        return f"postgres://{USER}:{self.password}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def try_sql(self, database, statements):
        place = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database]
        command = [self.psql, "-XqtA", "-v", "ON_ERROR_STOP=1", *place]
        env = {"PGPASSWORD": self.password, "PATH": os.environ["PATH"]}
        return subprocess.run(command, input=statements, env=env, capture_output=True, text=True, check=False)

    def sql(self, database, statements):
        """What the statements return, as text."""
        done = self.try_sql(database, statements)
        if done.returncode != 0:
            raise Failure(f"PostgreSQL refused a statement: {done.stderr.strip()}")
        return done.stdout.strip()

    def fresh_database(self, name):
        """An empty database; nothing of what was written before is left to be written behind."""
        self.sql("postgres", f"DROP DATABASE IF EXISTS {name}")
        self.sql("postgres", f"CREATE DATABASE {name}")
        self.sql("postgres", "CHECKPOINT")
        return self.url(name)

    def version(self):
        return self.sql("postgres", "SHOW server_version").split()[0]


def find(name):
    """A program on the path, or where Debian keeps PostgreSQL's by version."""
    found = shutil.which(name)
    if found is None:
        packaged = glob.glob(f"/usr/lib/postgresql/*/bin/{name}")
        found = max(packaged, key=lambda path: int(re.findall(r"/(\d+)/bin/", path)[0]), default=None)
    return found


def program(name):
    found = find(name)
    if found is None:
        package = "redis-server" if name == "redis-server" else "postgresql"
        raise Failure(f"{name} is not installed", f"apt-get install {package}")
    return found


def run(what, command, folder=None, env=None, output=subprocess.PIPE):
    """Runs a program to its end."""
    words = [str(word) for word in command]
    streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
    done = subprocess.run(words, cwd=folder, env=env, text=True, check=False, **streams)
    if done.returncode != 0:
        said = "\n".join((done.stdout or "its last lines above say why").splitlines()[-20:])
        raise Failure(f"{what} failed: {said}")
    return done.stdout


def redis_version():
    return re.search(r"v=(\S+)", run("redis-server", [program("redis-server"), "--version"])).group(1)
