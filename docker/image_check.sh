#!/usr/bin/env bash
# Run the image's own steps, without Docker, in a clean Debian 12 folder, and ask the service that it makes whether it
# is ready. Needs root and debootstrap; takes two to three minutes. Run by hand: it is no part of CI.
#
#   docker/image_check.sh [FOLDER]
#
# FOLDER (default build/image) is made anew. DEBIAN_MIRROR names another mirror than the one that apt uses here. The
# folder gets this machine's resolver, certificates and pip settings, so that pip reaches the same index.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$(realpath -m "${1:-build/image}")
port=${PORT:-8731}

fail() { echo "image-check: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "run as root: it needs chroot"
command -v debootstrap >/dev/null || fail "install debootstrap (apt-get update && apt-get install debootstrap)"

mirror_of_apt() {
    grep -rhoE 'https?://[^ ]+/debian/?($| )' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null \
        | grep -v snapshot | head -n 1 | tr -d ' ' || true
}

service=
clean_up() {
    if [ -n "$service" ] && kill -TERM "$service" 2>/dev/null; then
        timeout 30 tail --pid="$service" -f /dev/null || kill -KILL "$service"
    fi
    for inside in proc dev/shm; do
        ! mountpoint -q "$root/$inside" || umount "$root/$inside"
    done
}
trap clean_up EXIT

inside() { chroot "$root" /usr/bin/env -i PATH=/opt/nrm/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"; }

echo "== a clean Debian 12 in $root"
clean_up
rm -rf --one-file-system "$root"
mkdir -p "$root"
mirror=${DEBIAN_MIRROR:-$(mirror_of_apt)}
[ -n "$mirror" ] || fail "found no Debian mirror in /etc/apt: set DEBIAN_MIRROR"
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$root" "$mirror" >"$root.log" \
    || fail "debootstrap failed, see $root.log"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
[ ! -f /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/pip.conf"
mount -t proc proc "$root/proc"
mkdir -p "$root/dev/shm"
mount -t tmpfs tmpfs "$root/dev/shm"

echo "== the image's files"
mkdir "$root/app"
# The same files as .dockerignore lets through.
sed -n 's/^!//p' .dockerignore | xargs cp -r --parents -t "$root/app"
find "$root/app" -name __pycache__ -type d -prune -exec rm -rf {} +

echo "== docker/install.sh"
inside PIP_CERT=/etc/ssl/certs/ca-certificates.crt sh /app/docker/install.sh /usr/bin/python3
echo "== docker/user.sh"
inside sh /app/docker/user.sh

as_nrm=(
    chroot --userspec=nrm:nrm "$root" /usr/bin/env -i -C /app PATH=/opt/nrm/bin:/usr/bin:/bin
    PYTHONDONTWRITEBYTECODE=1 NRM_DATA_DIR=/var/lib/nrm HOST=127.0.0.1 PORT="$port"
    NRM_SECRET="$(head -c 32 /dev/urandom | base64)"
)
echo "== tables and pack, as compose's step prepare"
"${as_nrm[@]}" sh -c "nrm db upgrade && nrm pack load" || fail "the tables or the pack could not be made"

echo "== the service, as user nrm"
"${as_nrm[@]}" nrm serve >"$root.service.log" 2>&1 &
service=$!
for _ in $(seq 60); do
    if inside PORT="$port" python /app/docker/healthcheck.py 2>/dev/null; then
        echo "image-check: ready, as user $(ps -o uid= -p "$service" | tr -d ' ')"
        exit 0
    fi
    kill -0 "$service" 2>/dev/null || break
    sleep 1
done
tail -n 30 "$root.service.log"
fail "the service did not become ready"
