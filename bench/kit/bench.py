"""One measurement: the database, the servers side by side, and the record of every run."""
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from . import load, machine, seed, servers
from .cluster import Cluster

BENCH = Path(__file__).resolve().parent.parent


class Bench:
    """What the sections use. All servers run during the whole measurement; only one is under load at a time."""

    def __init__(self, given):
        self.given, self.stack = given, ExitStack()
        self.out = BENCH / "out"
        self.record = self.out / time.strftime("run-%Y%m%d-%H%M%S.jsonl")

    def __enter__(self):
        self.out.mkdir(mode=0o700, exist_ok=True)
        try:
            self._prepare()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def _prepare(self):
        servers.build_nest()
        self.say("starting PostgreSQL (fsync on) and writing %d people twice", self.given.people)
        self.cluster = self.stack.enter_context(Cluster())
        folder = self.cluster.folder
        # Tokens and data lie where other accounts of the machine cannot read them.
        self.private = f"{folder}/private"
        os.mkdir(self.private, 0o700)
        self.tokens = {"to": f"{self.private}/ours.txt", "toIdentifier": f"{self.private}/theirs.txt"}
        log = f"{self.out}/hostolink.log"
        open(log, "w").close()
        self.hostolink = servers.Hostolink(os.path.abspath(self.given.binary), self.cluster.url(seed.OURS), self.private, log)
        secret, self.nest = servers.nest_variants(self.cluster.url(seed.THEIRS), self.out)
        seed.theirs(self.cluster, self.given.people, secret, self.tokens["toIdentifier"])
        started = time.monotonic()
        seed.ours(self.cluster, self.hostolink, self.given.people, self.tokens["to"])
        self.say("our database is ready after %.0f s; flushes of one writer on this disk: %.0f/s",
                 time.monotonic() - started, self.cluster.flushes_per_second())
        for server in [*self.nest, self.hostolink]:
            self.stack.callback(server.stop)
            self.say("%s answers after %.2f s", server.label, server.start())

    @property
    def servers(self):
        """Theirs first, ours last."""
        return [*self.nest, self.hostolink]

    def serves(self, path):
        """Whether our program declares this route."""
        return path in servers.ask(self.hostolink.url + "/api/openapi.json")[1]["paths"]

    def trees(self, server):
        return {"pg": self.cluster.pid, "app": server.pid}

    def keep(self, run):
        """Prints a run and adds it to the record."""
        print("  " + run.line(), flush=True)
        with open(self.record, "a") as file:
            file.write(run.record() + "\n")
        return run

    def wrk(self, server, script, seconds=None, connections=64, kept=True, **variables):
        if kept:
            machine.wait_until_quiet(self.given.quiet)
        run = load.wrk(server.label, script, server.url, seconds or self.given.seconds, self.trees(server), connections,
                       PEOPLE=self.given.people, FIELD=server.field, TOKENS=self.tokens[server.field], **variables)
        return self.keep(run) if kept else run

    def say(self, text, *values):
        print("bench: " + text % values, flush=True)
        sys.stdout.flush()


def cost(runs_of_theirs, ours):
    """How many times the CPU time of ours (server and PostgreSQL) the cheapest of theirs takes for one operation."""
    def micros(run):
        return run.cpu["pg"] + run.cpu["app"]
    return min(map(micros, runs_of_theirs)) / micros(ours)


def checked(runs):
    """A run with refused or broken requests measures something else."""
    for run in runs:
        if run.bad or run.io_errors:
            raise RuntimeError(f"{run.label}: {run.bad} answers of 400 and above, {run.io_errors} broken connections")
