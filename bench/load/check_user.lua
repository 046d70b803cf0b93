-- "Does this number have an account?": nine in ten do.
package.path = os.getenv("LOAD_DIR") .. "/?.lua;" .. package.path
local R = require "report"
local people = tonumber(os.getenv("PEOPLE"))
local headers = { ["content-type"] = "application/json" }

function init() R.seed() end

function request()
  local i = math.random(1, people)
  if math.random(10) == 1 then i = i + 50000000 end
  return wrk.format("POST", "/api/check-user", headers, '{"identifier":"' .. R.phone(i) .. '"}')
end
