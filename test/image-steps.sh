#!/usr/bin/env bash
# Proves the Dockerfile where there is no Docker engine: carries out its steps (COPY, RUN, ENV, USER, CMD, HEALTHCHECK,
# STOPSIGNAL, as they are written there) in clean folders, with this checkout's Node 24 in the place of the image's.
# By hand, not in `npm test`: `npm ci` needs the registry. About half a minute; needs redis-server (npm run setup).
set -euo pipefail
cd "$(dirname "$0")/.."
node=$(realpath node_modules/node/bin/node)
work=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
chmod 755 "$work"

# The Dockerfile, one instruction a line.
instructions=$(sed -e ':a' -e '/\\$/{N;s/\\\n *//;ba' -e '}' Dockerfile | grep -v '^#')
step() { echo "--- $*"; }
last() { sed -n "s/^$1 //p" <<<"$instructions" | tail -n 1; }

# What Docker gets to see: .dockerignore lets through only what it names.
step "context: $(sed -n 's/^!//p' .dockerignore | tr '\n' ' ')"
mkdir "$work/context" "$work/bin"
sed -n 's/^!//p' .dockerignore | xargs cp -r --parents -t "$work/context"
ln -s "$node" "$work/bin/node"

stage=0
while read -r name rest; do
  case $name in
    FROM)
      stage=$((stage + 1)); app="$work/stage$stage/app"; mkdir -p "$app" ;;
    COPY)
      step "COPY $rest"
      if [[ $rest == --from=* ]]; then
        read -r _ from to <<<"$rest"; cp -r "$work/stage1$from" "$app/$to"
      else
        read -ra words <<<"$rest"; to=${words[-1]}; unset 'words[-1]'
        for word in "${words[@]}"; do cp -r "$work/context/$word" "$app/$to"; done
      fi ;;
    RUN)
      step "RUN $rest"
      (cd "$app" && env -i PATH="$work/bin:$PATH" HOME="$work/home" NODE_OPTIONS=--use-system-ca sh -c "$rest") ;;
  esac
done <<<"$instructions"

test ! -e "$app/node_modules/node" && test ! -e "$app/node_modules/typescript"

# As the image runs it: only its own variables, not root, and nothing of it writable.
chmod -R a+rX,a-w "$app"
as_user=()
if [[ $(id -u) == 0 ]]; then as_user=(setpriv --reuid 1000 --regid 1000 --clear-groups); fi
free_port() { "$node" --eval 'const s = require("net").createServer().listen(0, () => { console.log(s.address().port); s.close(); })'; }
redis=$(free_port); port=$(free_port)
# Becomes the command: to be called in a subshell.
in_image() { cd "$app" && exec env -i PATH="$work/bin:/usr/bin:/bin" "$@"; }
words_of() { "$node" --eval 'for (const word of JSON.parse(process.argv[1])) process.stdout.write(word + "\0")' "$1"; }

step 'every package loads'
load="const { dependencies } = require('./package.json'); Promise.all(Object.keys(dependencies).map((name) => import(name)))"
(in_image "${as_user[@]}" node --eval "$load")

redis-server --port "$redis" --dir "$work" --appendonly yes --maxmemory-policy noeviction --save '' --logfile /dev/null & servers+=($!)

read -ra image_env <<<"$(last ENV)"
bot_env=("${image_env[@]}" PORT="$port" REDIS_URL="redis://127.0.0.1:$redis" ANTCRM_BASE_URL=http://127.0.0.1:9
  ANTCRM_API_KEY=sandbox STAFF_TOKEN=image-staff-token SUPPORT_CONTACT=1900 STATE_KEY="$(openssl rand -base64 32)" HASH_KEY="$(openssl rand -base64 32)")
mapfile -d '' -t command < <(words_of "$(last CMD)")
mapfile -d '' -t health < <(words_of "$(last HEALTHCHECK | sed 's/.* CMD //')")

step "CMD ${command[*]}, as user $("${as_user[@]}" id -u)"
in_image "${bot_env[@]}" "${as_user[@]}" "${command[@]}" >"$work/bot.log" & bot=$!; servers+=("$bot")
healthy() { (in_image "${bot_env[@]}" "${health[@]}"); }
for _ in $(seq 100); do if healthy; then break; fi; sleep 0.2; done
healthy || { cat "$work/bot.log"; exit 1; }
step 'HEALTHCHECK passes'
curl --silent --fail "http://127.0.0.1:$port/health/ready"; echo
curl --silent --fail --output /dev/null "http://127.0.0.1:$port/docs/" -H 'Authorization: Bearer image-staff-token'
step 'a photo is read'
photo="import { readFileSync } from 'node:fs';
import { prepareZXingModule, writeBarcode } from 'zxing-wasm/writer';
const wasmBinary = readFileSync(new URL(import.meta.resolve('zxing-wasm/writer/zxing_writer.wasm')));
prepareZXingModule({ overrides: { wasmBinary } });
const { image } = await writeBarcode('TIVI000000051', { scale: 6 });
const photo = Buffer.from(await image.arrayBuffer()).toString('base64');
console.log(JSON.stringify({ conversation: 'photo', photo }));"
(in_image "${as_user[@]}" node --input-type=module --eval "$photo") >"$work/photo.json"
curl --silent --fail "http://127.0.0.1:$port/webhooks/staff" -H 'Content-Type: application/json' -H 'Authorization: Bearer image-staff-token' \
  -d "@$work/photo.json" | grep --only-matching '"key":"accumulate.askPhone"'

step "$(last STOPSIGNAL)"
kill -s "$(last STOPSIGNAL | sed 's/^SIG//')" "$bot"
wait "$bot"
step 'stopped with code 0'
if healthy; then echo 'HEALTHCHECK must fail now' >&2; exit 1; fi
echo "Every step of the Dockerfile works."
