# The base images, made of the programs of this machine, under the names that Dockerfile and compose.yaml say. Sourced by run.sh.

SHELL_TOOLS=(sh env find id ls cat touch mkdir rm sleep grep wc chown chmod)

# make_root FOLDER PROGRAM…: a root file system with these programs and the libraries that they load.
make_root() {
  local root=$1 program file library
  shift
  mkdir -p "$root"/{usr/{bin,lib,lib64,sbin},etc,tmp,root}
  for link in bin lib lib64 sbin; do ln -sfn "usr/$link" "$root/$link"; done
  for program; do
    file=$(readlink -f "$(command -v "$program")")
    cp "$file" "$root/usr/bin/$(basename "$program")"
    { ldd "$file" 2>/dev/null || true; } | grep -o '/[^ ]*' | while read -r library; do
      install -D "$(readlink -f "$library")" "$root/usr/${library#/usr}" 2>/dev/null \
        || install -D "$(readlink -f "$library")" "$root/usr$library"
    done || true
  done
  chmod 1777 "$root/tmp"
  printf '%s\n' root:x:0:0::/root:/bin/sh redis:x:999:999::/data:/bin/sh node:x:1000:1000::/home/node:/bin/sh \
    nobody:x:65534:65534::/:/bin/sh > "$root/etc/passwd"
  printf '%s\n' root:x:0: redis:x:999: node:x:1000: nogroup:x:65534: > "$root/etc/group"
  printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
}

# import_image FOLDER NAME OPTION…: the folder becomes an image, and is removed.
import_image() {
  local root=$1 name=$2
  shift 2
  tar --xattrs --xattrs-include='*' -C "$root" -c . | docker import "$@" - "$name" >/dev/null
  rm -rf "$root"
}

# name_of WORD: by which name the files ask for an image.
name_of() { grep -ohE "(FROM|image:) +[a-z./]*$1:[^ ]+" Dockerfile compose.yaml | sed -E 's/^.* //' | sort -u; }

make_stand_ins() {
  local root

  root=$WORK/node
  make_root "$root" "${SHELL_TOOLS[@]}" "$PWD/node_modules/node/bin/node"
  mkdir -p "$root"/usr/local/{bin,lib/node_modules,etc} "$root/home/node" "$root/etc/ssl/certs"
  chown 1000:1000 "$root/home/node"
  mv "$root/usr/bin/node" "$root/usr/local/bin/node"
  cp -a "$(npm root -g)/npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  # npm finds its registry as it does on this machine. The settings are in the stand-in alone.
  local settings
  for settings in "$(npm config get globalconfig)" "$(npm config get userconfig)"; do
    if [ -f "$settings" ]; then { cat "$settings"; echo; } >> "$root/usr/local/etc/npmrc"; fi
  done
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  cat > "$root/usr/local/bin/docker-entrypoint.sh" <<'SH'
#!/bin/sh
set -e
if [ "${1#-}" != "${1}" ] || [ -z "$(command -v "${1}")" ]; then set -- node "$@"; fi
exec "$@"
SH
  chmod 755 "$root/usr/local/bin/docker-entrypoint.sh"
  import_image "$root" "$(name_of node)" -c 'ENTRYPOINT ["docker-entrypoint.sh"]' -c 'CMD ["node"]' \
    -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

  root=$WORK/redis
  make_root "$root" "${SHELL_TOOLS[@]}" redis-server redis-cli
  mkdir "$root/data" && chown 999:999 "$root/data"
  import_image "$root" "$(name_of redis)" -c 'VOLUME /data' -c 'WORKDIR /data' -c 'CMD ["redis-server"]'

  root=$WORK/caddy
  make_root "$root" "${SHELL_TOOLS[@]}" caddy wget
  mkdir -p "$root"/{srv,data,config}
  setcap cap_net_bind_service=+ep "$root/usr/bin/caddy"
  import_image "$root" "$(name_of caddy)" -c 'ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data' -c 'WORKDIR /srv' \
    -c 'CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]'

  root=$WORK/prometheus
  make_root "$root" "${SHELL_TOOLS[@]}" prometheus wget
  mkdir "$root/prometheus" && chown 65534:65534 "$root/prometheus"
  import_image "$root" "$(name_of prometheus)" -c 'USER nobody' -c 'VOLUME /prometheus' -c 'WORKDIR /prometheus' \
    -c 'ENTRYPOINT ["prometheus"]'

  root=$WORK/alertmanager
  make_root "$root" "${SHELL_TOOLS[@]}" prometheus-alertmanager wget
  mv "$root/usr/bin/prometheus-alertmanager" "$root/usr/bin/alertmanager"
  # Debian's reads its templates from here; the official one has them built in.
  mkdir -p "$root/usr/share/prometheus"
  cp -a /usr/share/prometheus/alertmanager "$root/usr/share/prometheus/alertmanager"
  mkdir "$root/alertmanager" && chown 65534:65534 "$root/alertmanager"
  import_image "$root" "$(name_of alertmanager)" -c 'USER nobody' -c 'VOLUME /alertmanager' -c 'WORKDIR /alertmanager' \
    -c 'ENTRYPOINT ["alertmanager"]'
}
