"""The servers that are compared, and a way to ask each whether it answers rightly."""
import json
import os
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import machine

BENCH = Path(__file__).resolve().parent.parent
NESTJS = BENCH / "peers/nestjs"
START_SECONDS = 60


def ask(url, body=None, headers=None, timeout=10):
    """One request; returns the status and the answer, whatever the status is."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        text = refused.read()
        return refused.code, json.loads(text) if text.startswith(b"{") else {}


class Server:
    """A process that serves HTTP; started by `with`."""

    ready_path, field = "/", "to"

    def __init__(self, label, command, env, log, cwd=None):
        self.label, self.command, self.log, self.cwd = label, command, log, cwd
        self.port = machine.free_port()
        self.env = {**os.environ, **env}
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def arguments(self):
        return self.command

    def start(self):
        """Starts it and waits until it answers. Returns how long that took, in seconds."""
        started = time.monotonic()
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.arguments(), env={**self.env, "PORT": str(self.port)}, cwd=self.cwd,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > started + START_SECONDS:
                raise RuntimeError(f"{self.label} did not start, see {self.log}")
            time.sleep(0.05)
        return time.monotonic() - started

    def answers(self):
        try:
            return self.is_ready(ask(self.url + self.ready_path, timeout=2)[0])
        except (OSError, ValueError):
            return False

    @staticmethod
    def is_ready(status):
        return status < 500

    def stop(self):
        if self.process:
            machine.stop(self.process)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


class Nest(Server):
    """The baseline."""

    field = "toIdentifier"

    def __init__(self, label, url, secret, log, fast, workers):
        env = {"DATABASE_URL": url, "JWT_SECRET": secret, "FAST": "1" if fast else "0", "WORKERS": str(workers),
               "NODE_ENV": "production"}
        super().__init__(label, ["node", "dist/main.js"], env, log, NESTJS)


class Hostolink(Server):
    """Our release build, in development mode for the sake of HOSTOLINK_RATE_LIMITS=off, on the given database."""

    ready_path = "/readyz"

    def __init__(self, binary, url, folder, log):
        self.url_of_database, self.folder = url, folder
        env = {"DATABASE_URL": url, "HOSTOLINK_RATE_LIMITS": "off", "HOSTOLINK_LOG": "warn"}
        super().__init__("Hostolink", [binary], env, log, folder)

    def arguments(self):
        # The working folder is empty, so that no .env of a developer is read.
        return [*self.command, "dev", "--port", str(self.port), "--data-dir", f"{self.folder}/data"]

    @staticmethod
    def is_ready(status):
        return status == 200

    def command_of(self, *words, timeout=600):
        """Another command of the program on the same database."""
        done = subprocess.run([*self.command, *words], env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=timeout)
        return done.returncode, done.stdout + done.stderr


def build_nest():
    """Installs and compiles the baseline where that was not done yet."""
    lock, marker, built = NESTJS / "package-lock.json", NESTJS / "node_modules/.package-lock.json", NESTJS / "dist/main.js"
    if not marker.exists() or marker.stat().st_mtime < lock.stat().st_mtime:
        print("bench: installing the NestJS baseline", flush=True)
        subprocess.run(["npm", "ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                       cwd=NESTJS, check=True, stdout=subprocess.DEVNULL, timeout=600)
        marker.touch()
    newest = max(path.stat().st_mtime for path in [*(NESTJS / "src").iterdir(), NESTJS / "tsconfig.json"])
    if not built.exists() or built.stat().st_mtime < newest:
        subprocess.run(["npm", "run", "-s", "build"], cwd=NESTJS, check=True, timeout=300)


def nest_variants(url, out):
    """Which one is the best differs from machine to machine; each is measured, and the best of a turn counts."""
    secret = secrets.token_hex(16)
    kinds = [("NestJS, Express", False, 1), ("NestJS, Fastify", True, 1), ("NestJS, Fastify, 2 workers", True, 2)]
    return secret, [Nest(label, url, secret, f"{out}/nest-{number}.log", fast, workers)
                    for number, (label, fast, workers) in enumerate(kinds)]
