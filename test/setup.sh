#!/usr/bin/env bash
# Brings what the tests need and npm cannot: redis-server, redis-sentinel, promtool and Chromium. Run it as
# often as you like.
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

# By their names in Debian, where each binary has a package of its own.
missing=()
have redis-server || missing+=(redis-server)
have redis-sentinel || missing+=(redis-sentinel)
have promtool || missing+=(promtool)
have chromium || have chromium-browser || have google-chrome || [ -d /Applications/Chromium.app ] || missing+=(chromium)

# Homebrew has what belongs together in one package.
for_brew() {
  case "$1" in
    redis-*) echo redis ;;
    promtool) echo prometheus ;;
    *) echo "$1" ;;
  esac
}

if [ ${#missing[@]} -eq 0 ]; then
  echo 'setup: redis-server, redis-sentinel, promtool and Chromium are here, nothing to do'
elif have apt-get; then
  by_apt "${missing[@]}"
elif have brew; then
  echo "setup: installing by Homebrew what is missing: ${missing[*]}"
  for package in "${missing[@]}"; do brew install "$(for_brew "$package")"; done
else
  echo "setup: please install by hand: ${missing[*]} (neither apt-get nor Homebrew is here)" >&2
  exit 1
fi
