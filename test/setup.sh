#!/usr/bin/env bash
# Brings what the tests need and npm cannot: redis-server and Chromium. Run it as often as you like.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

by_apt() {
  echo "setup: installing by apt-get: $*"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

missing=()
have redis-server || missing+=(redis)
have chromium || have chromium-browser || have google-chrome || [ -d /Applications/Chromium.app ] || missing+=(chromium)

if [ ${#missing[@]} -eq 0 ]; then
  echo 'setup: redis-server and Chromium are here, nothing to do'
elif have apt-get; then
  # `redis` is a meta package of Debian's that brings redis-server and its service; the binary is enough.
  by_apt "${missing[@]/#redis/redis-server}"
elif have brew; then
  echo "setup: installing by Homebrew: ${missing[*]}"
  for package in "${missing[@]}"; do brew install "$package"; done
else
  echo "setup: please install by hand: ${missing[*]} (neither apt-get nor Homebrew is here)" >&2
  exit 1
fi
