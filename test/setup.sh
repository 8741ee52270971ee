#!/usr/bin/env bash
# Brings what the tests need and npm cannot: redis-server, redis-sentinel, promtool and Chromium. Run it as
# often as you like.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

# By their names in Debian, where each binary has a package of its own.
missing=()
for program in redis-server redis-sentinel promtool; do have "$program" || missing+=("$program"); done
have chromium || have chromium-browser || have google-chrome || [ -d /Applications/Chromium.app ] || missing+=(chromium)

if [ ${#missing[@]} -eq 0 ]; then
  echo 'setup: redis-server, redis-sentinel, promtool and Chromium are here, nothing to do'
elif have apt-get; then
  echo "setup: installing by apt-get: ${missing[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
elif have brew; then
  echo 'setup: installing by Homebrew: redis, prometheus and chromium'
  brew install redis prometheus chromium
else
  echo "setup: please install by hand: ${missing[*]} (neither apt-get nor Homebrew is here)" >&2
  exit 1
fi
