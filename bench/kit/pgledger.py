"""Our ledger in process beside pgledger's SQL (https://github.com/pgr0ss/pgledger), both without HTTP.

PGLEDGER names a checkout of it. As its own check does, clients create one transfer after the other between random
accounts, ten of them or many; the clients are pgbench's, whose best number of 8, 16 and 20 counts.
"""
import json
import os
import statistics
import subprocess
from pathlib import Path

from . import load, machine, seed
from .bench import checked
from .table import Row

DATABASE = "pgledger"
CLIENTS = (8, 16, 20)
OURS = 64
FLOORS = {"spread": (3, 5), "ten": (5, 8)}
BUILD_SECONDS = 1800


def measure(bench):
    folder = os.environ.get("PGLEDGER")
    if not folder:
        return [], ["in process / pgledger: not measured (PGLEDGER=path of a checkout of pgledger)"]
    program = _build()
    _seed(bench, Path(folder))
    rows, notes = [], []
    for name, accounts in (("spread", bench.given.people), ("ten", 10)):
        ratios, costs = [], []
        for turn in range(1, bench.given.turns + 1):
            bench.say("ledgers without HTTP, %d accounts, turn %d", accounts, turn)
            theirs = [bench.keep(load.pgbench(f"pgledger, {clients} clients", bench.cluster, DATABASE, "pgledger.sql",
                                              bench.given.seconds, clients, people=accounts)) for clients in CLIENTS]
            ours = _ours(bench, program, accounts)
            checked([*theirs, ours])
            ratios.append(ours.rate / max(run.rate for run in theirs))
            costs.append(min(map(_micros, theirs)) / _micros(ours))
        what = "spread" if name == "spread" else "10 accounts"
        notes.append(f"in process, {what}: pgledger takes {statistics.median(costs):.1f} times our CPU time (PostgreSQL and client)")
        rows.append(Row(f"in process, {what} / pgledger's SQL", ratios, *FLOORS[name]))
    return rows, notes


def _micros(run):
    return sum(run.cpu.values())


def _build():
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "ledger-load"], cwd=load.BENCH.parent, check=True, timeout=BUILD_SECONDS)
    return Path(os.environ.get("CARGO_TARGET_DIR", load.BENCH.parent / "target")) / "release/ledger-load"


def _seed(bench, folder):
    """Accounts with ids that pgbench can make up; negative balances are allowed, as in its own check."""
    bench.cluster.create(DATABASE)
    for file in ("vendor/scoville-pgsql-ulid/uuid-to-ulid.sql", "pgledger.sql"):
        bench.cluster.file(DATABASE, folder / file)
    bench.cluster.sql(DATABASE, f"""
        INSERT INTO pgledger_accounts (id, name, currency, allow_negative_balance, allow_positive_balance, created_at, updated_at)
          SELECT 'pgla_' || lpad(i::text, 26, '0'), 'acct', 'XOF', true, true, now(), now() FROM generate_series(1, {bench.given.people}) i;
        VACUUM ANALYZE;""")


def _ours(bench, program, accounts):
    command = [str(program), bench.cluster.url(seed.OURS), str(accounts), str(OURS), str(bench.given.seconds)]
    machine.wait_until_quiet(bench.given.quiet)
    out, used, foreign = machine.watched(command, {"pg": bench.cluster.pid}, bench.given.seconds + load.GRACE_SECONDS)
    told = json.loads(out)
    cpu = {name: seconds / max(told["n"], 1) * 1e6 for name, seconds in used.items()}
    return bench.keep(load.Run(f"our ledger, in process, {OURS} clients", told["n"], told["rate"], told["p50"], told["p99"],
                               told["bad"], told["io_err"], foreign, cpu))
