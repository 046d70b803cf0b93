// node open_loop.mjs URL RATE SECONDS CONNECTIONS TOKENS [JOURNAL]
// Payments at a fixed rate, whether the server keeps up or not. A request that finds every connection taken waits, and
// its wait counts: latency runs from the moment when a request was due. Prints one line of JSON.
// With JOURNAL, the keys of the payments that were answered with 201 are written there, a broken connection is opened
// again, and nobody expects the server to live.
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';

const [address, rate, seconds, connections, file, journal] = process.argv.slice(2);
const { hostname, port } = new URL(address);
const tokens = readFileSync(file, 'latin1').trimEnd().split('\n');
const total = Math.floor(rate * seconds);
const LATE_SECONDS = 15, AGAIN_MS = 100;

const latencies = new Float64Array(total);
const free = [], acknowledged = [];
let made = 0, answered = 0, bad = 0, failed = 0, started = 0, over = false, finish;
const finished = new Promise((resolve) => { finish = resolve; });

const phone = (i) => `+22507${String(i).padStart(8, '0')}`;
const any = () => 1 + Math.floor(Math.random() * tokens.length);

function payment(key) {
  const payer = any();
  let payee = any();
  if (payee === payer) payee = payer === 1 ? 2 : 1;
  const body = `{"to":"${phone(payee)}","amount":1}`;
  return `POST /api/transfers HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\nauthorization: Bearer ${tokens[payer - 1]}\r\n`
    + `idempotency-key: ${key}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function settle(line, ok) {
  latencies[answered] = performance.now() - line.due;
  line.busy = false;
  if (!ok) bad++;
  else if (journal) acknowledged.push(line.key);
  if (++answered === total) finish();
}

/** A connection with one request at a time. */
function connect() {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: hostname, port, noDelay: true });
    const line = { socket, due: 0, key: '', busy: false, text: '' };
    socket.setEncoding('latin1');
    socket.once('connect', () => resolve(line));
    socket.once('error', reject);
    socket.on('close', () => {
      if (line.busy) { failed++; settle(line, false); }
      const at = free.indexOf(line);
      if (at >= 0) free.splice(at, 1);
      if (journal && !over) setTimeout(reconnect, AGAIN_MS);
    });
    socket.on('data', (text) => {
      line.text += text;
      const head = line.text.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(line.text.slice(0, head))?.[1] ?? NaN);
      if (Number.isNaN(length)) { failed++; socket.destroy(); return; }
      if (line.text.length < head + 4 + length) return;
      const status = Number(line.text.slice(9, 12));
      line.text = '';
      settle(line, status === 201);
      free.push(line);
      send();
    });
  });
}

/** Its own 'close' tries again when this does not work. */
function reconnect() {
  connect().then((line) => { free.push(line); send(); }, () => {});
}

/** Sends what is due, as far as connections are free. */
function send() {
  const now = performance.now();
  while (made < total && free.length > 0) {
    const due = started + (made / rate) * 1000;
    if (due > now) return;
    const line = free.pop();
    made++;
    line.due = due;
    line.busy = true;
    line.key = randomUUID();
    line.socket.write(payment(line.key));
  }
}

const lines = await Promise.all(Array.from({ length: Number(connections) }, connect));
free.push(...lines);
started = performance.now() + 50;
const clock = setInterval(send, 1);
const late = setTimeout(finish, (Number(seconds) + LATE_SECONDS) * 1000);
await finished;
over = true;
clearInterval(clock);
clearTimeout(late);
const took = (performance.now() - started) / 1000;
if (journal) writeFileSync(journal, acknowledged.map((key) => `${key}\n`).join(''));
for (const line of lines) { line.busy = false; line.socket.destroy(); }
// What was never answered is an error, not a short latency.
const sorted = latencies.slice(0, answered).sort();
const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
console.log(JSON.stringify({ n: answered, rate: answered / took, p50: at(0.5), p99: at(0.99), bad, io_err: failed + (total - answered) }));
process.exit(0);
