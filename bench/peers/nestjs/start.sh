#!/usr/bin/env bash
# DATABASE_URL=… JWT_SECRET=… PORT=3100 WORKERS=2 FAST=1 ./start.sh: installs and builds when needed, then serves.
set -euo pipefail
cd "$(dirname "$0")"
: "${DATABASE_URL:?set DATABASE_URL}" "${JWT_SECRET:?set JWT_SECRET}"
export NODE_ENV=production
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --include=dev --ignore-scripts --no-audit --no-fund
if [ ! -e dist/main.js ] || [ -n "$(find src tsconfig.json -newer dist/main.js -print -quit)" ]; then npm run -s build; fi
exec node dist/main.js
