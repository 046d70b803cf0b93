"""Loads, and what one of them found out."""
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from . import machine

BENCH = Path(__file__).resolve().parent.parent
SCRIPTS = BENCH / "load"
# Beyond the run itself, for starting and for the last answers.
GRACE_SECONDS = 30


@dataclass
class Run:
    """One load against one server."""

    label: str
    count: int
    rate: float
    p50: float = 0.0
    p99: float = 0.0
    bad: int = 0
    io_errors: int = 0
    foreign: float = 0.0
    cpu: dict = field(default_factory=dict)

    def line(self):
        cpu = " ".join(f"{name} {micros:.0f}" for name, micros in self.cpu.items())
        latency = f"p50 {self.p50:6.2f}  p99 {self.p99:6.1f} ms" if self.p99 else f"mean {self.p50:6.2f} ms          "
        wrong = f"  BAD {self.bad} IO {self.io_errors}" if self.bad or self.io_errors else ""
        return f"{self.label:<34}{self.rate:>9,.0f}/s  {latency}  us CPU each: {cpu:<36} others {self.foreign:.2f} core{wrong}"

    def record(self):
        return json.dumps(self.__dict__)


def _per_operation(used, count):
    return {name: seconds / max(count, 1) * 1e6 for name, seconds in used.items()}


def wrk(label, script, url, seconds, trees, connections=64, **variables):
    """wrk with one of the Lua scripts; `bad` are answers of 400 and above."""
    env = {**os.environ, "LOAD_DIR": str(SCRIPTS), **{name: str(value) for name, value in variables.items()}}
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPTS / script), url]
    out, used, foreign = machine.watched(command, trees, seconds + GRACE_SECONDS, env)
    found = re.search(r"^JSON (.*)$", out, re.M)
    if not found:
        raise RuntimeError(f"wrk said nothing: {out[-400:]}")
    told = json.loads(found[1])
    return Run(label, told["n"], told["rate"], told["p50"], told["p99"], told["bad"], told["io_err"], foreign,
               _per_operation(used, told["n"]))


def pgbench(label, cluster, database, script, seconds, clients, log=None, **variables):
    """pgbench with prepared statements: no HTTP, no JSON, no tokens. With a folder for its log, p50 and p99 are known too."""
    command = [f"{cluster.bin}/pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)),
               "-T", str(seconds), "-f", str(SCRIPTS / script)]
    if log:
        command += ["-l", f"--log-prefix={log}/pgbench"]
    command += [argument for name, value in variables.items() for argument in ("-D", f"{name}={value}")] + [database]
    out, used, foreign = machine.watched(command, {"pg": cluster.pid}, seconds + GRACE_SECONDS, cluster.env())
    count = int(re.search(r"transactions actually processed: (\d+)", out)[1])
    rate = float(re.search(r"tps = ([\d.]+)", out)[1])
    mean = float(re.search(r"latency average = ([\d.]+)", out)[1])
    failed = int(re.search(r"number of failed transactions: (\d+)", out)[1])
    p50, p99 = _logged(Path(log)) if log else (mean, 0.0)
    return Run(label, count, rate, p50, p99, failed, 0, foreign, _per_operation(used, count))


def _logged(folder):
    """The percentiles of what pgbench logged (its third column, microseconds), in milliseconds; the logs are removed."""
    took = []
    for file in folder.glob("pgbench.*"):
        took += [int(line.split()[2]) for line in file.read_text().splitlines()]
        file.unlink()
    took.sort()
    return took[len(took) // 2] / 1e3, took[len(took) * 99 // 100] / 1e3


def open_loop(label, url, rate, seconds, trees, tokens, connections=64):
    """Payments at a fixed rate, whether the answers keep up or not; latency counts from when each was due."""
    command = ["node", str(SCRIPTS / "open_loop.mjs"), url, str(rate), str(seconds), str(connections), str(tokens)]
    out, used, foreign = machine.watched(command, trees, seconds + GRACE_SECONDS)
    told = json.loads(out)
    return Run(label, told["n"], told["rate"], told["p50"], told["p99"], told["bad"], told["io_err"], foreign,
               _per_operation(used, told["n"]))
