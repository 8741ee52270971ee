#!/usr/bin/env bash
# Runs the image, compose.yaml and the systemd unit for real: builds the Dockerfile and starts it by a Docker of its own, in
# mount, network and process namespaces that end with this script. The base images are stand-ins made of the programs of this
# machine (stand-ins.sh), because no registry of images is reached.
#   run.sh [image|compose|systemd]   all of them, or one; needs root on Debian, and `npm run setup -- --containers`
#   run.sh --can                     says in one line why this machine cannot run them (exit 1), or nothing
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/test/containers
export PATH=$PATH:/usr/sbin:/sbin

PROGRAMS=(dockerd docker docker-compose iptables redis-server redis-cli caddy prometheus prometheus-alertmanager wget ip setcap unshare systemd-analyze)

obstacle() {
  [ "$(id -u)" -eq 0 ] || { echo 'only root may run containers'; return; }
  local missing=() program
  for program in "${PROGRAMS[@]}"; do command -v "$program" >/dev/null || missing+=("$program"); done
  [ ${#missing[@]} -eq 0 ] || { echo "missing: ${missing[*]} (npm run setup -- --containers)"; return; }
  unshare --mount --net --pid --fork true 2>/dev/null || echo 'this machine allows no namespaces (unshare)'
}

if [ -z "${CONTAINERS_PHASE:-}" ]; then
  why=$(obstacle)
  if [ -n "$why" ]; then echo "$why"; exit 1; fi
  [ "${1:-}" != --can ] || exit 0
  # An overlay cannot lie on an overlay, so the folder is one of the disk.
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/containers-XXXXXX")
  export WORK
  trap 'rm -rf --one-file-system "$WORK"' EXIT
  if [ "${1:-}" = systemd ]; then exec npx vitest run --config test/containers/vitest.config.ts systemd; fi
  # The build needs the network of the machine for npm, and the containers one of their own.
  CONTAINERS_PHASE=build unshare --mount --pid --fork --kill-child --propagation private "$here/run.sh"
  CONTAINERS_PHASE=run unshare --mount --net --pid --fork --kill-child --propagation private "$here/run.sh" "$@"
  exit
fi

# From here on in namespaces: what is mounted and started ends with them.
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
ip link set lo up 2>/dev/null || true

start_docker() {
  dockerd --data-root "$WORK/docker" --exec-root /run/docker --pidfile /run/docker.pid \
    --host unix:///run/docker.sock "$@" > "$WORK/dockerd.log" 2>&1 &
  DOCKERD=$!
  export DOCKER_HOST=unix:///run/docker.sock
  for _ in $(seq 300); do
    if docker version >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  tail -20 "$WORK/dockerd.log" >&2
  return 1
}

stop_docker() {
  kill "$DOCKERD"
  wait "$DOCKERD" || true
  # Docker leaves its control groups, which are empty now.
  find /sys/fs/cgroup -mindepth 2 -maxdepth 3 -depth -type d -path '*/docker*' -exec rmdir {} + 2>/dev/null || true
}

if [ "$CONTAINERS_PHASE" = build ]; then
  mkdir "$WORK/project"
  git ls-files -z -co --exclude-standard | tar --null --ignore-failed-read -T - -c 2>/dev/null | tar -C "$WORK/project" -x
  start_docker --bridge=none --iptables=false
  # shellcheck source=stand-ins.sh
  . "$here/stand-ins.sh"
  make_stand_ins
  image=$(sed -nE 's/^ *image: *(antcrm-chatbot:.*)/\1/p' compose.yaml | head -1)
  DOCKER_BUILDKIT=0 docker build --quiet --network host --tag "$image" "$WORK/project"
  stop_docker
  exit
fi

start_docker
status=0
npx vitest run --config test/containers/vitest.config.ts "$@" || status=$?
stop_docker
exit "$status"
