"""`POST /api/transfers`: what a payment costs, spread over everybody and all to one merchant."""
import statistics
import uuid

from . import load, machine, seed, servers
from .bench import checked, cost
from .table import Row

WARM_UP_SECONDS = 3
MANY = 256
# p50 and p99 bounds are milliseconds, memory is MiB.
FLOORS = {
    "uniform/nest": (10, 20), "hot/nest": (20, 35), "uniform/function": (1.0, 1.5), "hot/function": (2, 4),
    "hot/uniform": (0.9, 1.0), "many/few": (0.9, 1.1), "idle": (3, 2), "p99": (25, 15), "memory": (120, 64),
}


def measure(bench):
    for server in bench.servers:
        _pays_rightly(bench, server)
        for mode in ("uniform", "hot"):
            bench.wrk(server, "transfer.lua", WARM_UP_SECONDS, kept=False, MODE=mode)
    before = _paid(bench)
    uniform, many, notes = _spread(bench)
    hot = _hot(bench)
    idle = _idle(bench)
    late = _open_loop(bench, statistics.median(run.rate for _, _, run in uniform) / 2)
    acknowledged = [run for *_, run in uniform] + [run for *_, run in hot] + many + [run for run, _ in idle] + late
    notes += _books(bench, before, acknowledged)
    for what, turns in (("spread", uniform), ("one merchant", hot)):
        times = statistics.median(cost(nest, ours) for nest, _, ours in turns)
        notes.append(f"payments, {what}: the cheapest NestJS variant takes {times:.1f} times our CPU time (server and PostgreSQL)")
    rows = [
        _row("payments, spread / the best NestJS variant", "uniform/nest", [ours.rate / _best(nest) for nest, _, ours in uniform]),
        _row("payments, one merchant / the best NestJS variant", "hot/nest", [ours.rate / _best(nest) for nest, _, ours in hot]),
        _row("spread / pgbench, one function a payment, no HTTP", "uniform/function", [ours.rate / bare for _, bare, ours in uniform]),
        _row("one merchant / pgbench, one function a payment, no HTTP", "hot/function", [ours.rate / bare for _, bare, ours in hot]),
        _row("one merchant / spread, of our own", "hot/uniform", [h[2].rate / u[2].rate for h, u in zip(hot, uniform)]),
        _row(f"{MANY} connections / 64", "many/few", [run.rate / ours.rate for run, (_, _, ours) in zip(many, uniform)]),
        _row("p50 of one payment on an idle system / a bare commit of its rows", "idle", [run.p50 / bare for run, bare in idle], lower=True),
        _row("p99 at half the peak rate, open loop", "p99", [run.p99 for run in late], "ms", lower=True),
        _row(f"memory of the server under load ({MANY} connections)", "memory", [_memory(bench)], "MiB", lower=True),
    ]
    return rows, notes


def _row(name, bounds, values, unit="x", lower=False):
    return Row(name, values, *FLOORS[bounds], unit, lower)


def _nest(bench, mode):
    runs = [bench.wrk(server, "transfer.lua", MODE=mode) for server in bench.nest]
    checked(runs)
    return runs


def _best(runs):
    return max(run.rate for run in runs)


def _function(bench, mode):
    """The same work as the baseline's, without HTTP: the best of 8 and 16 clients."""
    runs = [bench.keep(load.pgbench(f"one function, {clients} clients", bench.cluster, seed.THEIRS, f"same_{mode}.sql",
                                    bench.given.seconds, clients, people=bench.given.people)) for clients in (8, 16)]
    checked(runs)
    return _best(runs)


def _ours(bench, mode, connections=64):
    run = bench.wrk(bench.hostolink, "transfer.lua", connections=connections, MODE=mode)
    checked([run])
    return run


def _spread(bench):
    turns, many, wal, disk = [], [], [], []
    for turn in range(1, bench.given.turns + 1):
        bench.say("payments spread over %d accounts, turn %d", bench.given.people, turn)
        nest, function = _nest(bench, "uniform"), _function(bench, "uniform")
        wal_before, disk_before = bench.cluster.wal_bytes(), bench.cluster.disk_bytes(seed.OURS)
        ours = _ours(bench, "uniform")
        wal.append((bench.cluster.wal_bytes() - wal_before) / ours.count)
        disk.append((bench.cluster.disk_bytes(seed.OURS) - disk_before) / ours.count)
        turns.append((nest, function, ours))
        bench.say("payments spread, %d connections", MANY)
        many.append(_ours(bench, "uniform", MANY))
    notes = [f"one payment: {statistics.median(disk):.0f} bytes on disk, {statistics.median(wal):.0f} bytes of WAL"]
    return turns, many, notes


def _hot(bench):
    turns = []
    for turn in range(1, bench.given.turns + 1):
        bench.say("payments all to one merchant, turn %d", turn)
        turns.append((_nest(bench, "hot"), _function(bench, "hot"), _ours(bench, "hot")))
    return turns


def _idle(bench):
    """One client with nobody else: what waiting for others cannot explain."""
    bench.cluster.file(seed.OURS, load.BENCH / "sql/bare_schema.sql")
    turns = []
    for turn in range(1, bench.given.turns + 1):
        bench.say("one payment at a time, turn %d", turn)
        bare = bench.keep(load.pgbench("bare commit, 1 client", bench.cluster, seed.OURS, "bare_commit.sql", 2, 1,
                                       bench.private, people=bench.given.people))
        turns.append((bench.wrk(bench.hostolink, "transfer.lua", 2, 1, MODE="uniform"), bare.p50))
    bench.cluster.sql(seed.OURS, "DROP SCHEMA nu CASCADE")
    return turns


def _open_loop(bench, rate):
    runs = []
    for turn in range(1, bench.given.turns + 1):
        bench.say("payments at a fixed %.0f/s, turn %d", rate, turn)
        machine.wait_until_quiet(bench.given.quiet)
        runs.append(bench.keep(load.open_loop("Hostolink, open loop", bench.hostolink.url, round(rate), bench.given.seconds,
                                              bench.trees(bench.hostolink), bench.tokens["to"])))
    checked(runs)
    return runs


def _memory(bench):
    """The highest resident memory while most connections are open."""
    with open(f"/proc/{bench.hostolink.pid}/clear_refs", "w") as file:
        file.write("5")
    checked([bench.wrk(bench.hostolink, "transfer.lua", connections=MANY, kept=False, MODE="uniform")])
    return machine.memory_mb(bench.hostolink.pid, "VmHWM")


def _pays_rightly(bench, server):
    """One payment and its repetition: the money moves once."""
    with open(bench.tokens[server.field]) as file:
        next(file)
        token = next(file).strip()
    headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid.uuid4())}
    body = {server.field: "+2250700000001", "amount": 5}
    answers = [servers.ask(server.url + "/api/transfers", body, headers) for _ in range(2)]
    if [status for status, _ in answers] != [201, 201] or answers[0][1] != answers[1][1]:
        raise RuntimeError(f"{server.label}: a payment and its repetition answered {answers}")


def _paid(bench):
    return int(bench.cluster.sql(seed.OURS, "SELECT count(*) FROM transaction WHERE nature = 'transfert' AND statut = 'reussie'"))


def _books(bench, before, acknowledged):
    """Everything that was acknowledged is in the books, and the books are right."""
    told = sum(run.count for run in acknowledged)
    # wrk stops in the middle of its last requests: each run may have paid one more for each connection.
    slack = MANY * len(acknowledged)
    paid = _paid(bench) - before
    if not told <= paid <= told + slack:
        raise RuntimeError(f"{told} payments were acknowledged, {paid} are in the books")
    code, said = bench.hostolink.command_of("audit")
    if code:
        raise RuntimeError(f"the books are wrong: {said[-1200:]}")
    return [f"books: {paid:,} payments for {told:,} acknowledged; hostolink audit finds nothing wrong"]
