-- One franc from one person to another. MODE=uniform: anybody pays anybody; MODE=hot: everybody pays person 1.
-- Line i of TOKENS is the token of person i. FIELD is what the server calls the payee. Every key is new.
package.path = os.getenv("LOAD_DIR") .. "/?.lua;" .. package.path
local R = require "report"
local hot = os.getenv("MODE") == "hot"
local before = '{"' .. os.getenv("FIELD") .. '":"'
local tokens, n = {}, 0
for line in io.lines(os.getenv("TOKENS")) do
  n = n + 1
  tokens[n] = "Bearer " .. line
end
local headers = { ["content-type"] = "application/json" }
local run, sequence

function init()
  R.seed()
  run = string.format("%06x%06x", math.random(0, 16777215), math.random(0, 16777215))
  sequence = 0
end

function request()
  local payer, payee = math.random(2, n), 1
  if not hot then
    payee = math.random(1, n)
    if payee == payer then payee = 1 end
  end
  sequence = sequence + 1
  headers["authorization"] = tokens[payer]
  headers["idempotency-key"] = string.format("%08x-%s-4000-8%s-%s", sequence, run:sub(1, 4), run:sub(5, 7), run)
  return wrk.format("POST", "/api/transfers", headers, before .. R.phone(payee) .. '","amount":1}')
end
