"""`POST /api/check-user`: the first request of every session, and the cheapest read."""
import statistics

from . import servers, table
from .bench import checked, cost

FLOOR, AIM = 5, 10
WARM_UP_SECONDS = 3


def measure(bench):
    for server in bench.servers:
        _answers_rightly(server)
        bench.wrk(server, "check_user.lua", WARM_UP_SECONDS, kept=False)
    ratios, costs = [], []
    for turn in range(1, bench.given.turns + 1):
        bench.say("check-user, 64 connections, turn %d", turn)
        runs = [bench.wrk(server, "check_user.lua") for server in bench.servers]
        checked(runs)
        *theirs, ours = runs
        ratios.append(ours.rate / max(run.rate for run in theirs))
        costs.append(cost(theirs, ours))
    note = f"check-user: the cheapest NestJS variant takes {statistics.median(costs):.1f} times our CPU time (server and PostgreSQL)"
    return [table.Row("check-user / the best NestJS variant", ratios, FLOOR, AIM)], [note]


def _answers_rightly(server):
    for number, exists in (("+2250700000001", True), ("+2250750000001", False)):
        status, body = servers.ask(server.url + "/api/check-user", {"identifier": number})
        found = body.get("data", body).get("exists")
        if (status, found) != (200, exists):
            raise RuntimeError(f"{server.label}: check-user of {number} is {status} {found}, {exists} was expected")
