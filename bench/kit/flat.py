"""Whether payments stay as fast when there are many already. Takes long: the postings are made by paying."""
import statistics
import time

from . import seed
from .bench import checked
from .table import Row

FLOOR, AIM = 0.75, 0.85
FILL_SECONDS = 60
# A machine too slow to come that far is told so instead of being waited for.
MOST_SECONDS = 3600


def measure(bench):
    first = _rates(bench, "few postings")
    started = time.monotonic()
    while (there := _postings(bench)) < bench.given.postings:
        if time.monotonic() > started + MOST_SECONDS:
            raise RuntimeError(f"{there} postings after {MOST_SECONDS} s: --postings asks for {bench.given.postings}")
        bench.say("%d of %d postings are there", there, bench.given.postings)
        checked([bench.wrk(bench.hostolink, "transfer.lua", FILL_SECONDS, 256, kept=False, MODE="uniform")])
    bench.cluster.sql(seed.OURS, "VACUUM ANALYZE; CHECKPOINT", timeout=1800)
    then = _rates(bench, f"{there} postings")
    rows = [Row(f"payments, {what}, with {there:,} postings / with few", [after / statistics.median(first[mode]) for after in then[mode]],
                FLOOR, AIM) for mode, what in (("uniform", "spread"), ("hot", "one merchant"))]
    return rows, []


def _rates(bench, situation):
    rates = {"uniform": [], "hot": []}
    for turn in range(1, bench.given.turns + 1):
        for mode in rates:
            bench.say("payments, %s, %s, turn %d", mode, situation, turn)
            run = bench.wrk(bench.hostolink, "transfer.lua", MODE=mode)
            checked([run])
            rates[mode].append(run.rate)
    return rates


def _postings(bench):
    return int(bench.cluster.sql(seed.OURS, "SELECT count(*) FROM ecriture", timeout=600))
