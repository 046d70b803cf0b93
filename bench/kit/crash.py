"""Rounds of: payments under way, a process killed with SIGKILL, started again, and the books compared with what was
acknowledged before the crash."""
import json
import os
import random
import signal
import subprocess
import time

from . import load, machine, seed, servers
from .cluster import Cluster

BACK_SECONDS = 60
CLIENT_SECONDS = 8
RATE = 1500


class Soak:
    """One cluster and one server through all rounds."""

    def __init__(self, given, out):
        self.given, self.out, self.random = given, out, random.Random(given.seed)

    def run(self):
        with Cluster() as self.cluster:
            self.private = f"{self.cluster.folder}/private"
            os.mkdir(self.private, 0o700)
            self.tokens, self.journal = f"{self.private}/tokens.txt", f"{self.private}/acknowledged.txt"
            binary = os.path.abspath(self.given.binary)
            self.server = servers.Hostolink(binary, self.cluster.url(seed.OURS), self.private, f"{self.out}/soak-hostolink.log")
            seed.ours(self.cluster, self.server, self.given.people, self.tokens)
            self.server.start()
            try:
                return [self.round(number) for number in range(1, self.given.rounds + 1)]
            finally:
                self.server.stop()

    def round(self, number):
        """One crash. Returns how many payments had been acknowledged before it."""
        victim = "PostgreSQL" if number % 2 else "hostolink"
        if os.path.exists(self.journal):
            os.unlink(self.journal)
        client = subprocess.Popen(
            ["node", str(load.SCRIPTS / "open_loop.mjs"), self.server.url, str(RATE), str(CLIENT_SECONDS), "64", self.tokens, self.journal],
            stdout=subprocess.PIPE, text=True)
        try:
            time.sleep(self.random.uniform(1, CLIENT_SECONDS - 3))
            self.kill(victim)
            self.back(victim)
            told = json.loads(client.communicate(timeout=CLIENT_SECONDS + 60)[0])
        finally:
            if client.poll() is None:
                machine.stop(client)
        acknowledged = self.compare()
        print(f"round {number:>2}: {victim:<10} killed; {acknowledged:>6} payments acknowledged, {told['bad']:>5} refused or broken; "
              "none missing, none twice, books right", flush=True)
        return acknowledged

    def kill(self, victim):
        if victim == "hostolink":
            self.server.process.send_signal(signal.SIGKILL)
            self.server.process.wait(BACK_SECONDS)
            return
        machine.kill_tree(self.cluster.pid)
        self.cluster.process.wait(BACK_SECONDS)

    def back(self, victim):
        """Everything answers again, without anybody's help but the restart of what was killed."""
        if victim == "hostolink":
            self.server.start()
            return
        self.cluster.start()
        until = time.monotonic() + BACK_SECONDS
        while not self.server.answers():
            if time.monotonic() > until:
                raise RuntimeError(f"the server is not ready {BACK_SECONDS} s after PostgreSQL came back")
            time.sleep(0.1)

    def compare(self):
        """What was acknowledged is in the books, once; nobody is below the floor; the audit agrees."""
        with open(self.journal) as file:
            keys = [line.strip() for line in file if line.strip()]
        self.cluster.sql(seed.OURS, "CREATE TABLE IF NOT EXISTS public.temoin (cle varchar COLLATE \"C\"); TRUNCATE public.temoin")
        self.cluster.copy(seed.OURS, "public.temoin (cle)", (f"{key}\n" for key in keys))
        missing, twice, below, sum_ = self.cluster.sql(seed.OURS, """
            SELECT (SELECT count(*) FROM temoin w LEFT JOIN transaction t ON t.cle = w.cle AND t.statut = 'reussie' WHERE t.cle IS NULL),
                   (SELECT count(*) FROM (SELECT 1 FROM temoin w JOIN transaction t ON t.cle = w.cle GROUP BY w.cle HAVING count(*) > 1) d),
                   (SELECT count(*) FROM compte WHERE credits - debits - debits_attente < plancher),
                   (SELECT coalesce(sum(montant), 0) FROM ecriture)""").split("|")
        if (missing, twice, below, sum_) != ("0", "0", "0", "0"):
            raise RuntimeError(f"{missing} acknowledged payments missing, {twice} keys twice, {below} accounts below the floor, sum {sum_}")
        code, said = self.server.command_of("audit")
        if code:
            raise RuntimeError(f"the books are wrong: {said[-1200:]}")
        if not keys:
            raise RuntimeError("nothing was acknowledged: the round proves nothing")
        return len(keys)
