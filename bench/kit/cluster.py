"""The one PostgreSQL of a measurement: its own folder, flushes on, gone afterwards."""
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time

from . import machine

USER = "bench"
# What a server of this size would run with in production. Flushes stay on: a payment that is not on the disk is none.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "wal_compression": "off",
    "wal_sync_method": "fdatasync",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "max_connections": "300",
    "jit": "off",
    "timezone": "UTC",
    "shared_preload_libraries": "pg_stat_statements",
    "log_min_messages": "fatal",
}
START_SECONDS = 60


def programs():
    """The folder of PostgreSQL's programs: the newest that is installed, or the one of HOSTOLINK_PG_BINDIR."""
    named = os.environ.get("HOSTOLINK_PG_BINDIR")
    folders = [named] if named else [f"/usr/lib/postgresql/{major}/bin" for major in range(18, 14, -1)]
    if not named:
        folders += os.environ.get("PATH", "").split(":")
    for folder in folders:
        if all(os.access(f"{folder}/{name}", os.X_OK) for name in ("initdb", "postgres", "psql", "pgbench")):
            return folder
    raise SystemExit("bench: PostgreSQL 15 or later with pgbench is needed (scripts/setup installs it)")


def shared_buffers():
    """2 GB, or a quarter of a smaller machine."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return f"{min(2048, pages * size // 4 // 2**20)}MB"


class Cluster:
    """Started by `with`, removed at its end."""

    def __init__(self):
        self.bin = programs()
        # /var/tmp is a disk where /tmp may be memory, and a flush to memory measures nothing.
        self.folder = tempfile.mkdtemp(prefix="hostolink-bench-", dir=os.environ.get("BENCH_TMP", "/var/tmp"))
        self.data, self.log = f"{self.folder}/data", f"{self.folder}/postgres.log"
        self.port = machine.free_port()
        self.password = secrets.token_hex(16)
        self.process = None

    def __enter__(self):
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            machine.stop(self.process, 60, signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self.process.pid

    def _account(self):
        """PostgreSQL refuses to run as root: then it runs as the account that its package made."""
        if os.getuid() != 0:
            return {}
        try:
            account = pwd.getpwnam("postgres")
        except KeyError:
            raise SystemExit("bench: as root, the account `postgres` is needed") from None
        os.chown(self.folder, account.pw_uid, account.pw_gid)
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def _initialise(self):
        self.account = self._account()
        secret = f"{self.folder}/password"
        descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self.password)
        if self.account:
            os.chown(secret, self.account["user"], self.account["group"])
        subprocess.run(
            [f"{self.bin}/initdb", "-D", self.data, "-U", USER, "--auth=scram-sha-256", f"--pwfile={secret}",
             "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.account)
        with open(f"{self.data}/postgresql.auto.conf", "a") as file:
            settings = {**SETTINGS, "shared_buffers": shared_buffers(), "listen_addresses": "127.0.0.1",
                        "port": str(self.port), "unix_socket_directories": self.folder}
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self):
        """Starts the server, or starts it again after it was killed."""
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([f"{self.bin}/postgres", "-D", self.data], stdout=log, stderr=log,
                                            cwd=self.folder, start_new_session=True, **self.account)
        until = time.monotonic() + START_SECONDS
        ready = [f"{self.bin}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready).returncode:
            if self.process.poll() is not None or time.monotonic() > until:
                with open(self.log) as log:
                    raise RuntimeError(f"PostgreSQL did not start: {log.read()[-800:]}")
            time.sleep(0.1)

    def env(self):
        """For PostgreSQL's own clients."""
        return {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": USER, "PGPASSWORD": self.password}

    def url(self, database):
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create(self, database, template=None):
        self.sql("postgres", f"CREATE DATABASE {database}" + (f" TEMPLATE {template}" if template else ""))

    def sql(self, database, text, timeout=300):
        """Runs statements; returns the first column of what the last one found."""
        done = subprocess.run([f"{self.bin}/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database],
                              input=text, capture_output=True, text=True, env=self.env(), timeout=timeout)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr[-600:]}")
        return done.stdout.strip()

    def file(self, database, path, timeout=300, **variables):
        """Runs a file of statements."""
        given = [argument for name, value in variables.items() for argument in ("-v", f"{name}={value}")]
        done = subprocess.run([f"{self.bin}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *given, "-d", database, "-f", path],
                              capture_output=True, text=True, env=self.env(), timeout=timeout)
        if done.returncode:
            raise RuntimeError(f"psql -f {path}: {done.stderr[-600:]}")

    def copy(self, database, table, lines, timeout=300):
        """Writes tab-separated lines into a table, `name (columns)`."""
        process = subprocess.Popen([f"{self.bin}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c",
                                    f"COPY {table} FROM STDIN"], stdin=subprocess.PIPE, text=True, env=self.env())
        process.stdin.writelines(lines)
        process.stdin.close()
        if process.wait(timeout):
            raise RuntimeError(f"COPY {table} failed")

    def wal_bytes(self):
        """How much write-ahead log there has been."""
        return int(self.sql("postgres", "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    def disk_bytes(self, database):
        return int(self.sql("postgres", f"SELECT pg_database_size('{database}')"))

    def flushes_per_second(self, seconds=1.0):
        """How many pages one process can write and flush here: the ceiling of one commit after the other."""
        path = f"{self.folder}/flush-probe"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        try:
            page, count, started = bytes(8192), 0, time.monotonic()
            while time.monotonic() < started + seconds:
                os.pwrite(descriptor, page, 0)
                os.fdatasync(descriptor)
                count += 1
            return count / (time.monotonic() - started)
        finally:
            os.close(descriptor)
            os.unlink(path)
