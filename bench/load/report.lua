-- One line of JSON at the end of a run, for the program that started wrk; and random numbers that differ each time.
local M = {}

function M.seed()
  local source = io.open("/dev/urandom", "rb")
  local bytes = source:read(6)
  source:close()
  local number = 0
  for i = 1, 6 do number = number * 256 + bytes:byte(i) end
  math.randomseed(number)
end

-- The number of seeded person i.
function M.phone(i) return string.format("+22507%08d", i) end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('JSON {"n":%d,"rate":%.1f,"p50":%.3f,"p99":%.3f,"bad":%d,"io_err":%d}\n',
    summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end

return M
