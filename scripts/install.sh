#!/usr/bin/env bash
# Installs the Debian packages that Reeve needs, and nothing when all are there. It is the only
# list of packages in the project.
#
#   scripts/install.sh --libs      the shared libraries of the built server (a container image)
#   scripts/install.sh --runtime   and what it works with: PostgreSQL, the container engine
#   scripts/install.sh --build     what compiles it
#   scripts/install.sh --relay     only what the profile `engine` of docker-compose.yml needs
#   scripts/install.sh --database  only the PostgreSQL of docker-compose.yml
#   scripts/install.sh --compose   what tests/compose/up brings docker-compose.yml up with
#   scripts/install.sh --verifier  what docs/verify_log.py runs with
#   scripts/install.sh --openai    what tests/openai/check gets and runs the client with
#   scripts/install.sh --chaos     what breaks disks in ./test --chaos
#   scripts/install.sh --all       everything, with what only the tests use (the default)
#
# It never removes a package, never creates a system-wide PostgreSQL cluster and starts no service.
set -euo pipefail

libs=(
  libcaf-core0.17 libpq5 libpqxx-6.4 libspdlog1.10 libfmt9 libsodium23 libssl3 libzstd1
  libcurl4 libtomlplusplus3 libprometheus-cpp-core1.0 libjemalloc2 ca-certificates
)
# curl and jq are what ./run talks to the server with; util-linux brings setpriv and flock.
runtime=(
  "${libs[@]}" postgresql docker.io busybox-static curl jq util-linux procps
)
build=(
  g++ cmake ninja-build ccache mold pkg-config libcaf-dev libpq-dev libpqxx-dev libboost1.81-dev
  nlohmann-json3-dev libspdlog-dev libfmt-dev libsodium-dev libssl-dev libcli11-dev
  libtomlplusplus-dev libzstd-dev libcurl4-openssl-dev prometheus-cpp-dev libgtest-dev
  libgmock-dev libjemalloc-dev
)
# What hands the engine's socket on in docker-compose.yml.
relay=(socat)
# python3-cryptography is the second, independent implementation of signatures.
verifier=(python3 python3-cryptography)
# git lists the files that the style test reads.
tests=(git clang-format clang-tidy "${verifier[@]}")

# Disks that forget, fill up and fail, for ./test --chaos.
chaos=(nbdkit libnbd-bin fuse3 strace e2fsprogs mount)

wanted=()
modes=("$@")
[ ${#modes[@]} -gt 0 ] || modes=(--all)
for mode in "${modes[@]}"; do
  case "$mode" in
    --libs) wanted+=("${libs[@]}") ;;
    --runtime) wanted+=("${runtime[@]}") ;;
    --build) wanted+=("${build[@]}") ;;
    --relay) wanted+=("${relay[@]}") ;;
    --database) wanted+=(postgresql) ;;
    --verifier) wanted+=("${verifier[@]}") ;;
    --compose) wanted+=(docker-compose debootstrap) ;;
    --openai) wanted+=(nodejs npm) ;;
    --chaos) wanted+=("${chaos[@]}") ;;
    --all) wanted+=("${runtime[@]}" "${build[@]}" "${tests[@]}") ;;
    *)
      echo "install.sh: unknown option $mode" >&2
      echo "  (--libs, --runtime, --build, --relay, --database, --verifier, --compose," >&2
      echo "  --openai, --chaos, --all)" >&2
      exit 2
      ;;
  esac
done

missing_packages() {
  local have name
  have=" $(dpkg-query -W -f='${db:Status-Status}:${Package} ' "${wanted[@]}" 2>/dev/null || :)"
  for name in "${wanted[@]}"; do
    case "$have" in *" installed:$name "*) ;; *) printf '%s\n' "$name" ;; esac
  done | sort -u
}

command -v dpkg-query >/dev/null || {
  echo "install.sh: this is not a Debian system; see scripts/install.sh for what is needed." >&2
  exit 1
}
mapfile -t missing < <(missing_packages)
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "install.sh: missing: ${missing[*]}" >&2
  echo "install.sh: run this first:  sudo $0 ${modes[*]}" >&2
  exit 1
fi

# Until we are done: no package starts a service, PostgreSQL's creates no cluster. Both files are
# ours only if they were not there before.
policy=/usr/sbin/policy-rc.d
cluster_dir=/etc/postgresql-common/createcluster.d
cluster_conf=$cluster_dir/00-reeve-install.conf
made_policy=
restore() {
  [ -z "$made_policy" ] || rm -f "$policy"
  rm -f "$cluster_conf"
  rmdir "$cluster_dir" 2>/dev/null || :
}
trap restore EXIT
if [ ! -e "$policy" ]; then
  made_policy=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends --no-remove \
    -o DPkg::Lock::Timeout=300 "$@" </dev/null
}
updated=
# The package lists are fetched only when an installation does not work without.
install_or_update() {
  apt_install "$@" && return 0
  [ -z "$updated" ] || return 1
  updated=yes
  echo "install.sh: fetching the package lists" >&2
  apt-get update -q -o DPkg::Lock::Timeout=300 </dev/null && apt_install "$@"
}
fail() {
  echo "install.sh: could not install: ${missing[*]}" >&2
  echo "install.sh: if another package stands in the way (libboost1.74-dev and" >&2
  echo "  libboost1.81-dev exclude each other), decide yourself:" >&2
  echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
}

case " ${missing[*]} " in
  *" postgresql "*)
    # Its configuration must say so before the server package is configured.
    install_or_update postgresql-common || fail
    mkdir -p "$cluster_dir"
    echo 'create_main_cluster = false' >"$cluster_conf"
    ;;
esac
install_or_update "${missing[@]}" || fail
mapfile -t missing < <(missing_packages)
[ ${#missing[@]} -eq 0 ] || fail
