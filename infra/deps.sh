#!/usr/bin/env bash
# Installs what tcptrail needs on a Debian-like machine: `deps.sh run`, `deps.sh kafka` for a local Kafka,
# `deps.sh test` for building and testing, `deps.sh kernels` for the test on other kernels.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

run=(ca-certificates libbpf1 util-linux)
test=(bpftool clang-14 curl e2fsprogs gcc iproute2 libbpf-dev libbpf-tools libc6-dev libelf-dev lz4 make nftables openssl procps python3 python3-venv)
kafka=(ca-certificates util-linux)
kernels=(busybox-static cpio debian-archive-keyring gcc git iproute2 kmod libc6-dev make nftables qemu-system-x86 xz-utils)
packages=("${run[@]}")
case "${1:-run}" in
  test) packages+=("${test[@]}"); needs_java=1 ;;
  kernels) packages+=("${kernels[@]}") ;;
  kafka) packages=("${kafka[@]}"); needs_java=1 ;;
esac

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
command -v npm >/dev/null || missing+=(npm)
if [ -n "${needs_java:-}" ]; then
  # Any Java from 17 on will do, whoever installed it.
  java=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' || true)
  [ "${java:-0}" -ge 17 ] || missing+=(default-jre-headless)
  command -v mvn >/dev/null || missing+=(maven)
fi
modules=node_modules/.package-lock.json
[ -e "$modules" ] && [ ! package-lock.json -nt "$modules" ] && bin/node24 >/dev/null 2>&1 || npm_needed=1

[ "${#missing[@]}" = 0 ] && [ -z "${npm_needed:-}" ] && exit 0

echo "tcptrail will install:"
[ "${#missing[@]}" = 0 ] || echo "  Debian packages: ${missing[*]}"
[ -z "${npm_needed:-}" ] || echo "  npm packages of package-lock.json into node_modules (about 700 MB, with an embedded ClickHouse)"
if [ -t 0 ] && [ -t 1 ] && [ -z "${YES:-}" ]; then
  read -rp "Go on? [Y/n] " answer
  case "$answer" in ''|[Yy]*) ;; *) echo "Nothing was installed."; exit 1 ;; esac
fi

sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
if [ "${#missing[@]}" != 0 ]; then
  command -v apt-get >/dev/null || { echo "no apt-get here: install ${missing[*]} with your package manager, then run this again" >&2; exit 3; }
  log=$(mktemp)
  { $sudo apt-get update -q && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; echo "apt-get could not install ${missing[*]}; its log is $log" >&2; exit 1; }
  rm -f "$log"
fi
if [ -n "${npm_needed:-}" ]; then
  npm ci --no-progress --loglevel=error --engine-strict=false
  touch "$modules"
fi
bin/node24 >/dev/null
echo "Installed."
