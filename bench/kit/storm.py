"""What bench/storm does: the program in development mode, customers, faults, kills, and the comparison at the end."""
import collections
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

START_SECONDS, ANSWER_SECONDS, SETTLE_SECONDS = 90, 40, 240
PASSWORD, PIN = "MonMotDePasse123", "485926"
# What everybody begins with, in francs; then nobody's withdrawals fail for lack of money.
BEGIN = 500_000
ALIAS, IBAN = "9b1b2499-3e50-435b-b757-ac7a83d8aa8c", "CI93CI0080111301134291200589"
# Provider, account of a deposit, account of a withdrawal.
WAYS = [
    ("wave", "0708091014", "0708091014"), ("orange_money", "0708091014", "0708091014"), ("mtn_momo", "0504030201", "0504030201"),
    ("moov_money", "0102030405", "0102030405"), ("djamo", "0708091014", "0708091014"), ("bank", ALIAS, IBAN), ("card", "nouvelle", None),
]
OPERATORS = ["wave", "mtn", "orange", "djamo", "pawapay", "hub2", "cinetpay", "pispi", "moov", "paystack"]
FAULTS = [
    "timeout_before", "timeout_after_execution", "status_500", "status_429", "status_503_after_execution", "half_open", "reset",
    "reset_after_execution", "slow", "html_502", "unknown_status", "empty_float", "duplicate_callback", "reorder_callbacks",
    "late_callback", "forged_callback", "altered_amount_callback", "unknown_operation_callback", "no_callback",
]
# Route in our books, operator in the simulator's.
ROUTES = {"wave": "wave", "mtn_momo": "mtn", "orange_webpay": "orange", "djamo": "djamo", "pawapay": "pawapay", "hub2": "hub2",
          "cinetpay": "cinetpay", "pi_spi": "pispi", "moov": "moov", "paystack": "paystack"}
FINAL, WAITING = {"reussi", "echoue", "expire", "refuse"}, {"cree", "envoye", "inconnu", "a_revoir"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def speak(port, method, path, body=None, headers=None, timeout=ANSWER_SECONDS):
    """Status and JSON; OSError when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"content-type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        try:
            return answer.status, json.loads(data)
        except ValueError:
            return answer.status, None
    except http.client.HTTPException as error:
        raise OSError(f"the connection broke: {error!r}") from error
    finally:
        connection.close()


class Program:
    """`hostolink dev`, killed and started again on the same port and folder."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.data, self.port = os.path.abspath(binary), folder, f"{folder}/data", free_port()
        self.process, self.simulator, self.database = None, None, None

    def environment(self):
        kept = {name: value for name, value in os.environ.items()
                if name == "HOSTOLINK_PG_BINDIR" or not name.startswith(("HOSTOLINK_", "DATABASE_URL", "PG"))}
        return {**kept, "HOSTOLINK_RATE_LIMITS": "off"}

    def start(self):
        console = f"{self.folder}/console"
        with open(f"{self.folder}/log", "ab") as log, open(console, "wb") as out:
            self.process = subprocess.Popen([self.binary, "dev", "--port", str(self.port), "--data-dir", self.data],
                                            cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=log)
        until = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > until:
                with open(f"{self.folder}/log", errors="replace") as log:
                    raise RuntimeError(f"the program did not start: {log.read()[-1500:]}")
            time.sleep(0.1)
        with open(console) as out:
            text = out.read()
        self.simulator = int(re.search(r"http://127\.0\.0\.1:(\d+)/ \(simul", text).group(1))
        self.database = re.search(r"psql '([^']+)'", text).group(1)

    def ready(self):
        try:
            return speak(self.port, "GET", "/readyz", timeout=5)[0] == 200
        except OSError:
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(30)

    def command(self, *words):
        done = subprocess.run([self.binary, *words, "--data-dir", self.data], cwd=self.folder, env=self.environment(),
                              capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr

    def sql(self, text):
        done = subprocess.run(["psql", self.database, "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", text],
                              capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr[-500:]}")
        return [line.split("\t") for line in done.stdout.splitlines()]


class Storm:
    """Everything from the first start to the last comparison."""

    def __init__(self, given):
        self.given, self.random = given, random.Random(given.seed)
        self.lock, self.left = threading.Lock(), given.operations
        self.answers = collections.Counter()
        self.over, self.trouble = threading.Event(), []

    def run(self):
        folder = tempfile.mkdtemp(prefix="hostolink-storm-", dir=os.environ.get("BENCH_TMP", "/var/tmp"))
        os.chmod(folder, 0o755)  # PostgreSQL's own account has to pass
        self.program = Program(self.given.binary, folder)
        try:
            self.program.start()
            self.people = [self.person(number) for number in range(self.given.people)]
            self.fill()
            self.blow()
            self.calm()
            told = self.compare()
        except BaseException:
            shutil.copyfile(f"{folder}/log", f"{tempfile.gettempdir()}/hostolink-storm.log")
            raise
        finally:
            self.over.set()
            self.program.stop()
            shutil.rmtree(folder, ignore_errors=True)
        return told

    # --- customers ---------------------------------------------------------------------------------------------------

    def must(self, method, path, body=None, token=None, wanted=(200, 201)):
        headers = {"authorization": f"Bearer {token}"} if token else {}
        status, answer = speak(self.program.port, method, path, body, headers)
        if status not in wanted:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer["data"]

    def person(self, number):
        name = f"storm{number}.{self.given.seed}@gmail.com"
        ticket = self.must("POST", "/api/register-user", {"identifier": name})["flowTicket"]
        token = self.must("POST", "/api/define-password", {"identifier": name, "password": PASSWORD, "flowTicket": ticket})["accessToken"]
        code = self.must("POST", "/api/generate-otp", {"identifier": name})["otp"]
        self.must("POST", "/api/verify-otp", {"identifier": name, "otpCode": code}, token)
        self.must("PUT", "/api/me/pin", {"pin": PIN, "password": PASSWORD}, token)
        return {"name": name, "token": token}

    def fill(self):
        self.program.sql("UPDATE utilisateur SET palier = 2")
        for person in self.people:
            body = {"provider": "wave", "amount": BEGIN, "account": "0708091014"}
            self.order(person, "deposits", body, str(uuid.uuid4()))
        until = time.monotonic() + 60
        while int(self.program.sql("SELECT count(*) FROM instruction_operateur WHERE etat <> 'reussi'")[0][0]):
            if time.monotonic() > until:
                raise RuntimeError("the first deposits do not end")
            time.sleep(0.3)

    def order(self, person, way, body, key):
        """The same request again until there is an answer: what an application does when the network breaks."""
        until = time.monotonic() + 180
        while True:
            headers = {"authorization": f"Bearer {person['token']}", "idempotency-key": key}
            try:
                status, answer = speak(self.program.port, "POST", f"/api/{way}", body, headers)
            except OSError:
                status, answer = None, None
            if status == 401:
                person["token"] = self.must("POST", "/api/verify-pin", {"identifier": person["name"], "password": PASSWORD})["accessToken"]
            elif status is not None and status < 500 and status not in (409, 429):
                return status, answer
            if time.monotonic() > until:
                raise RuntimeError(f"{way}: no answer, the last status is {status} {answer}")
            time.sleep(0.2)

    # --- the storm ---------------------------------------------------------------------------------------------------

    def next(self):
        with self.lock:
            if not self.left:
                return None
            self.left -= 1
            dice, provider = self.random, self.random.choice(WAYS)
            withdraw = provider[2] is not None and dice.random() < 0.5
            amount = dice.randrange(60, 150) * 100
            # Now and then the operator's own triggers: too little money, a limit, executed and then an error.
            if provider[0] == "wave" and dice.random() < 0.1:
                amount += dice.choice([1, 2, 3])
            body = {"provider": provider[0], "amount": amount, "account": provider[2] if withdraw else provider[1]}
            return dice.choice(self.people), "withdrawals" if withdraw else "deposits", body, str(uuid.uuid4())

    def client(self):
        try:
            while (order := self.next()) is not None and not self.trouble:
                person, way, body, key = order
                if way == "withdrawals":
                    body["pin"] = PIN
                status, answer = self.order(person, way, body, key)
                with self.lock:
                    self.answers[status if status == 202 else f"{status} {(answer or {}).get('code')}"] += 1
        except Exception as error:  # a thread's death has to be heard
            self.trouble.append(f"{error}")

    def spoil(self):
        """Orders faults as long as the storm lasts."""
        dice = random.Random(self.given.seed + 1)
        while not self.over.wait(0.15):
            fault = {"provider": dice.choice(OPERATORS), "kind": dice.choice(FAULTS), "count": dice.randrange(1, 3), "ms": 2500}
            if dice.random() < 0.6:
                fault["operation"] = dice.choice(["collect", "payout", "read"])
            try:
                speak(self.program.simulator, "POST", "/_control/faults", fault, timeout=5)
            except OSError:
                pass  # dead at the moment

    def blow(self):
        clients = [threading.Thread(target=self.client, daemon=True) for _ in range(self.given.clients)]
        spoiler = threading.Thread(target=self.spoil, daemon=True)
        for thread in [*clients, spoiler]:
            thread.start()
        dice, kills = random.Random(self.given.seed + 2), 0
        while kills < self.given.kills and not self.trouble:
            # Spread over the operations, so that the last kill comes before the last order.
            due = self.given.operations * (self.given.kills - kills - 1) // (self.given.kills + 1)
            while self.left > due + self.given.operations // (self.given.kills + 1) and not self.trouble:
                time.sleep(0.05)
            time.sleep(dice.uniform(0, 0.5))
            self.program.kill()
            kills += 1
            self.program.start()
            print(f"  kill {kills:>2}: {self.given.operations - self.left} ordered", flush=True)
        for thread in clients:
            thread.join(600)
        self.over.set()
        spoiler.join(10)
        if self.trouble:
            raise RuntimeError("; ".join(self.trouble[:3]))

    def calm(self):
        """Nothing goes wrong any more; what back-offs would do in hours is done now."""
        speak(self.program.simulator, "DELETE", "/_control/faults")
        until, quiet = time.monotonic() + SETTLE_SECONDS, 0
        while time.monotonic() < until:
            self.program.sql("UPDATE instruction_operateur SET envoye_le = envoye_le - interval '2 minutes' WHERE etat = 'inconnu';"
                             "UPDATE travail SET prochain_le = now(), reserve_jusqu = NULL WHERE etat = 'attente' AND nature LIKE 'wallet.instruction%'")
            time.sleep(3)
            before, self.open = getattr(self, "open", None), self.program.sql(
                "SELECT count(*) FROM instruction_operateur WHERE etat IN ('cree', 'envoye', 'inconnu')")[0][0]
            quiet = quiet + 1 if before == self.open else 0
            if self.open == "0" or quiet >= 15:
                return

    # --- the books ---------------------------------------------------------------------------------------------------

    def compare(self):
        code, said = self.program.command("audit")
        if code:
            raise RuntimeError(f"the books are wrong: {said[-1500:]}")
        rows = self.program.sql("""SELECT i.reference, i.cle_operateur, coalesce(i.reference_operateur, ''), i.sens, i.montant, i.etat, coalesce(i.route, ''),
            i.operateur, coalesce(i.code, '') FROM instruction_operateur i""")
        books = speak(self.program.simulator, "GET", "/_control/books")[1]
        state = speak(self.program.simulator, "GET", "/_control/state?limit=100000")[1]
        wrong = [*self.each(rows, state), *self.sums(rows, books, state), *self.floats(rows)]
        if wrong:
            raise RuntimeError(f"{len(wrong)} differences: " + "; ".join(wrong[:12]))
        states = collections.Counter(row[5] for row in rows)
        waiting = collections.Counter(f"{row[6] or '-'} {row[5]} {row[8]}" for row in rows if row[5] in WAITING)
        answered = ", ".join(f"{count} x {what}" for what, count in self.answers.most_common())
        return (f"{len(rows)} orders ({', '.join(f'{count} {name}' for name, count in states.most_common())}); waiting, seen by staff: "
                f"{dict(waiting) or 'none'}; answers {answered}; every operator's books agree with the ledger to the franc, nothing happened twice")

    def each(self, rows, state):
        """Every order beside the operator's own records of it."""
        known = collections.defaultdict(list)
        for operation in state["operations"]:
            for name in {operation["reference"], operation["id"]}:
                known[(operation["provider"], name)].append(operation)
            if operation["executions"] > 1:
                yield f"{operation['provider']} {operation['id']} executed {operation['executions']} times"
        seen = set()
        for reference, key, theirs, side, amount, ended, route, provider, code in rows:
            found = {}
            for operator in OPERATORS:
                for name in (reference, key, theirs):
                    for operation in known.get((operator, name), []) if name else []:
                        found[(operator, operation["id"])] = operation
            seen |= set(found)
            moved = [operation for operation in found.values() if operation["state"] == "succeeded"]
            if len(moved) > 1:
                yield f"{provider} {side} {reference} moved {len(moved)} times: {[one['provider'] for one in moved]}"
            if ended == "reussi" and (len(moved) != 1 or moved[0]["provider"] != ROUTES[route] or moved[0]["amount"] != int(amount)):
                yield f"{provider} {side} {reference} is settled here; there: {[(one['provider'], one['amount']) for one in moved]}"
            if ended in FINAL - {"reussi"} and moved:
                yield f"{provider} {side} {reference} is {ended} ({code}) here and moved at {moved[0]['provider']}"
        for operation in state["operations"]:
            if operation["state"] == "succeeded" and (operation["provider"], operation["id"]) not in seen:
                yield f"{operation['provider']} {operation['id']} moved and nobody ordered it"

    def sums(self, rows, books, state):
        """Every operator's gross sums, what waits here and moved there counted apart."""
        for route, operator in ROUTES.items():
            book = books.get(operator)
            if not book:
                continue
            if not book["balanced"]:
                yield f"{operator}'s own books are not balanced"
            mine = [row for row in rows if row[6] == route]
            waiting = {name for row in mine if row[5] in WAITING for name in row[:3] if name}
            there = [one for one in state["operations"] if one["provider"] == operator and one["state"] == "succeeded"
                     and (one["reference"] in waiting or one["id"] in waiting)]
            for side, kind, total in (("depot", "collection", book["collected"]), ("retrait", "payout", book["paidOut"])):
                ours = sum(int(row[4]) for row in mine if row[3] == side and row[5] == "reussi")
                pending = sum(one["amount"] for one in there if one["kind"] == kind)
                if ours + pending != total:
                    yield f"{operator} {kind}: {total} there, {ours} here and {pending} waiting"

    def floats(self, rows):
        """The ledger's floats are the sums of what was settled."""
        expected = collections.Counter()
        for row in rows:
            if row[5] == "reussi":
                expected[row[7]] += int(row[4]) if row[3] == "depot" else -int(row[4])
        for provider, balance in self.program.sql("SELECT substr(code, 10), debits - credits FROM compte WHERE code LIKE 'flottant:%'"):
            if expected[provider] != int(balance):
                yield f"float of {provider}: {balance} in the books, {expected[provider]} by the orders"
