#!/usr/bin/env bash
# Brings what the tests need and npm cannot: redis-server, redis-sentinel, promtool and Chromium. Run it as
# often as you like. With --containers also what `npm run test:containers` needs: Docker, and the programs that its base
# images are made of. Debian starts none of them.
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

if [ "${1:-}" = --containers ]; then
  have apt-get || { echo 'setup: --containers needs Debian' >&2; exit 1; }
  packages=(docker.io docker-cli docker-compose docker-buildx iptables redis-tools caddy prometheus prometheus-alertmanager wget iproute2 libcap2-bin)
  echo "setup: installing by apt-get: ${packages[*]}"
  # Debian would start dockerd, caddy and prometheus at once: this file forbids it while they are installed.
  forbid=/usr/sbin/policy-rc.d
  if [ ! -e "$forbid" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$forbid" >/dev/null
    as_root chmod 755 "$forbid"
    trap 'as_root rm -f "$forbid"' EXIT
  fi
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${packages[@]}"
fi
