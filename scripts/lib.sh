# shellcheck shell=bash
# Shell functions that ./test, ./run and the benchmarks share: private PostgreSQL clusters, private
# container engines, waiting, and stopping what was started. Source it; it changes no shell option.
#
# Everything started here names the absolute path of its own folder, or runs in a container that
# lies below it: `stop_all_below FOLDER` finds it by that, and nothing else.

note() { printf '%s\n' "$*" >&2; }
die() {
  note "$*"
  exit 1
}

# needs_value PROGRAM TEXT VALUE: without a value PROGRAM ends as any wrong usage does.
needs_value() {
  [ -n "$3" ] || { note "$1: $2"; exit 2; }
}

# failed_tests FILE LINES: of a GoogleTest program's output the part of each failed test, and of the
# one that the program died in, to so many lines.
failed_tests() {
  awk -v max="$2" '
    /^\[ RUN      \]/ { block = ""; lines = 0; open = 1 }
    open && lines++ < max { block = block substr($0, 1, 400) "\n" }
    /^\[       OK \]/ { open = 0 }
    /^\[  FAILED  \].* ms\)$/ && open {
      printf "%s%s", block, (lines > max ? $0 "\n" : "")
      open = 0
    }
    END { if (open) printf "%s", block }' "$1"
}

# wait_until SECONDS COMMAND…: true as soon as COMMAND is, false after SECONDS.
wait_until() {
  local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
  shift
  until "$@"; do
    [ "${EPOCHREALTIME/./}" -lt "$deadline" ] || return 1
    sleep 0.05
  done
}

# A zombie still has its pid, so `kill -0` would say that it runs.
is_running() {
  local state
  state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 1
  [ -n "$state" ] && [ "$state" != Z ] && [ "$state" != X ]
}
is_gone() { ! is_running "$1"; }

# await_end PID…: until one of these children of this shell is gone; its pid is in ENDED_PID, and
# `wait` tells its status. Asked each second, because `wait -n` waits for ever for one that a signal
# ended while this shell ran another command.
await_end() {
  local pid
  while :; do
    for pid in "$@"; do
      ! is_gone "$pid" || { ENDED_PID=$pid; return 0; }
    done
    # As a job of its own: a signal ends the wait at once. It outlives this shell, so it must hold
    # no lock of it.
    sleep 1 9>&- &
    wait "$!"
  done
}

# await_status PID…: as await_end, with that child's status as the answer, and without this shell's
# remark when a signal ended it. A trap that may run meanwhile begins with `speak_up`: else nobody
# hears what it says either.
AWAITS_QUIETLY=''
await_status() {
  {
    AWAITS_QUIETLY=yes
    await_end "$@"
    wait "$ENDED_PID"
    set -- "$?"
    AWAITS_QUIETLY=''
  } 8>&2 2>/dev/null
  return "$1"
}
speak_up() { [ -z "$AWAITS_QUIETLY" ] || exec 2>&8; }

# stop_pid PID SIGNAL SECONDS: SIGNAL first, SIGKILL to what is there after SECONDS.
stop_pid() {
  [ -n "${1:-}" ] || return 0
  kill "-$2" "$1" 2>/dev/null || :
  wait_until "$3" is_gone "$1" && return 0
  kill -KILL "$1" 2>/dev/null || :
  wait_until 5 is_gone "$1"
}

# pids_below FOLDER [PROGRAMS]: processes, other than this shell and its parents, that belong to it:
# it stands in their command line or control group, or their root file system lies below it (what
# runs in a container of an engine there). FOLDER is an absolute path with a random part, so nobody
# else's process can match. Of one that others know and may name, an editor that has its log open
# perhaps, PROGRAMS (an extended regular expression) says who is meant by a command line.
pids_below() {
  local own=" $$ $BASHPID " pid=$PPID root_mount programs=${2:-.*}
  while [ "${pid:-0}" -gt 1 ]; do
    own+="$pid "
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)
  done
  # Field 5 of a line of mountinfo is the mount point.
  root_mount="^([^ ]+ ){4}/ .*${1//./\\.}/"
  # The greps name FOLDER themselves, and are gone when their answer is read.
  for pid in $({
    named_below "$1" "$programs"
    grep -lF -e "$1" -e "$(cgroup_parent "$1")" /proc/[0-9]*/cgroup
    grep -lE -e "$root_mount" /proc/[0-9]*/mountinfo
  } 2>/dev/null | cut -d/ -f3 | sort -u); do
    case "$own" in *" $pid "*) ;; *) ! is_running "$pid" || printf '%s\n' "$pid" ;; esac
  done
}

named_below() {
  local at program
  grep -alF -e "$1" /proc/[0-9]*/cmdline | while read -r at; do
    program=$(readlink "${at%/*}/exe")
    program=${program##*/}
    [[ ! ${program% (deleted)} =~ ^($2)$ ]] || printf '%s\n' "$at"
  done
}

none_below() { [ -z "$(pids_below "$@")" ]; }

# stop_all_below FOLDER [PROGRAMS]: the last resort after the orderly stops, and the proof that they
# worked.
stop_all_below() {
  local pid round
  for round in TERM KILL KILL; do
    none_below "$@" && break
    for pid in $(pids_below "$@"); do kill "-$round" "$pid" 2>/dev/null || :; done
    wait_until 3 none_below "$@" || :
  done
  unmount_below "$1"
  cgroups_remove "$1"
  none_below "$@"
}

unmount_below() {
  local at
  # Innermost first. Field 5 of mountinfo is the mount point.
  awk -v below="$1/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
    while read -r at; do umount -l "$at" 2>/dev/null || :; done
}

# ---- users ---------------------------------------------------------------------------------------

# as_user USER COMMAND…: replaces this process. Without a USER, or when we are that user already,
# it only sets the death signal. Call it in a subshell or as a background command.
as_user() {
  local user=$1
  shift
  if [ -z "$user" ] || [ "$(id -u)" -ne 0 ]; then
    exec setpriv --pdeathsig TERM -- "$@"
  fi
  exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups \
    --inh-caps=-all --pdeathsig TERM -- env HOME=/ USER="$user" LOGNAME="$user" "$@"
}

can_run_as() { (cd / && as_user "$1" test -x "$2") 2>/dev/null; }

# ---- a server and its data folder ----------------------------------------------------------------

# As the USER who may write DATA: a link there leads nobody else anywhere.

# forget_endpoint USER DATA: removes the address that a server left there when it died. Status 9:
# one works there, and its address stays. Who only looks does so with the same lock, a shared one.
forget_endpoint() {
  (cd / && as_user "$1" sh -c '
    [ ! -f "$1/server-id" ] || flock -s -n -E 9 "$1/server-id" rm -f "$1/endpoint"' sh "$2")
}

# leads_at USER DATA URL: the server with that folder has this address still. One that it left is
# anybody's.
leads_at() {
  (cd / && as_user "$1" sh -c '
    [ -f "$1/endpoint" ] && [ -f "$1/server-id" ] || exit
    [ "$(cat "$1/endpoint" 2>/dev/null)" = "$2" ] || exit
    flock -s -n -E 9 "$1/server-id" true
    [ $? -eq 9 ]' sh "$2" "$3")
}

# is_listening HOST:PORT: somebody takes connections there.
is_listening() {
  local host=${1%:*}
  host=${host#[}
  timeout 2 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "${host%]}" "${1##*:}" 2>/dev/null
}

# curl_here ARGUMENT…: asks a server on this machine, and no proxy, whatever the user has set for
# curl: that would see the token.
curl_here() { curl -q --noproxy '*' -sS "$@"; }

# ---- PostgreSQL ----------------------------------------------------------------------------------

# The folder with the programs of the newest installed version.
pg_bin() {
  local dir
  dir=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  [ -x "$dir/postgres" ] || die "PostgreSQL is not installed: run scripts/install.sh --runtime"
  printf '%s\n' "$dir"
}

# The server refuses root, and so does initdb: as root both run as the package's user.
pg_user() { if [ "$(id -u)" -eq 0 ]; then echo postgres; else id -un; fi; }

# pg_init DATA: a new cluster with the superuser `reeve`; anyone who reaches the socket is trusted.
# Without sync: what has just been made has nothing to lose.
pg_init() {
  (cd / && as_user "$(pg_user)" "$(pg_bin)/initdb" -D "$1" -U reeve -A trust -E UTF8 --no-locale \
    --data-checksums --no-sync --no-instructions >/dev/null)
}

# pg_exec DATA SOCKET_FOLDER [NAME=VALUE…]: becomes the server, as safe as Reeve demands, and as
# discreet: neither a failing statement's text nor its parameters go to the log.
pg_exec() {
  local data=$1 sockets=$2 settings=() setting
  shift 2
  for setting in "listen_addresses=" "unix_socket_directories=$sockets" \
    unix_socket_permissions=0777 max_connections=300 log_min_error_statement=panic \
    log_parameter_max_length_on_error=0 "$@"; do
    settings+=(-c "$setting")
  done
  cd / && as_user "$(pg_user)" "$(pg_bin)/postgres" -D "$data" "${settings[@]}"
}

# Ready when line 8 of postmaster.pid says so and line 1 is the process that we started: a stale
# file of an earlier server says "ready" at once.
pg_is_ready() {
  local lines
  mapfile -t -n 8 lines 2>/dev/null <"$1/postmaster.pid" || return 1
  [ "${lines[0]:-}" = "$2" ] && [ "$(tr -d ' ' <<<"${lines[7]:-}")" = ready ]
}

# pg_start DATA SOCKET_FOLDER LOG [NAME=VALUE…]: sets PG_PID.
pg_start() {
  local data=$1 sockets=$2 log=$3
  shift 3
  (pg_exec "$data" "$sockets" "$@") </dev/null >>"$log" 2>&1 9>&- &
  PG_PID=$!
  wait_until 30 pg_is_ready "$data" "$PG_PID" && return 0
  tail -n 20 "$log" >&2
  return 1
}

# Fast shutdown: open sessions are ended.
pg_stop() { stop_pid "${1:-}" INT 10; }

# ---- container engine ----------------------------------------------------------------------------

# The control group that a private engine puts its containers below.
cgroup_parent() { printf '/reeve%s\n' "$(tr -c 'A-Za-z0-9' - <<<"${1%/}" | sed 's/-$//')"; }

# Those of every engine below FOLDER.
cgroups_remove() {
  local name group
  name=$(cgroup_parent "$1")
  for group in "/sys/fs/cgroup$name" "/sys/fs/cgroup$name"-* /sys/fs/cgroup/*"$name" \
    /sys/fs/cgroup/*"$name"-*; do
    [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || :
  done
}

# dockerd_exec FOLDER [GROUP]: becomes an engine of our own: no bridge, no firewall rules, its own
# data, socket and containerd below FOLDER (short: a socket's path has at most 107 bytes).
# GROUP may use the socket. Containers can have the networks `none` and `host`.
dockerd_exec() {
  local folder=$1 group=${2:-root} space file
  space=reeve-$(cksum <<<"$folder" | cut -d' ' -f1)
  mkdir -p "$folder/data" "$folder/exec"
  # After a crash: an engine that reads the pid of a dead process, or of a zombie that nobody has
  # collected yet, believes that it still runs and waits for it.
  for file in "$folder/pid" "$folder/exec/containerd/containerd.pid"; do
    [ ! -e "$file" ] || is_running "$(cat "$file")" || rm -f "$file"
  done
  echo '{}' >"$folder/config.json"
  # The cgroupfs driver, so that the containers' control groups carry our name everywhere; own
  # containerd namespaces, because a system-wide containerd is used when there is one.
  exec setpriv --pdeathsig TERM -- dockerd --config-file "$folder/config.json" \
    --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" \
    -H "unix://$folder/sock" --group "$group" --bridge=none --iptables=false --ip6tables=false \
    --ip-forward=false --ip-masq=false --live-restore --exec-opt native.cgroupdriver=cgroupfs \
    --cgroup-parent "$(cgroup_parent "$folder")" \
    --containerd-namespace "$space" --containerd-plugins-namespace "$space-plugins"
}

engine_call() { curl -fsS --max-time 60 --unix-socket "$1" "${@:3}" "http://engine/v1.41$2"; }
engine_answers() { engine_call "$1" /_ping --max-time 2 >/dev/null 2>&1; }
dockerd_is_up() { engine_answers "$1/sock" || is_gone "$2"; }

# dockerd_start FOLDER [GROUP]: sets DOCKERD_PID; the socket is FOLDER/sock. Needs root.
dockerd_start() {
  local folder=$1
  [ "$(id -u)" -eq 0 ] || { note "A private container engine needs root."; return 1; }
  mkdir -p "$folder"
  chmod 755 "$folder"
  (dockerd_exec "$@") </dev/null >>"$folder/log" 2>&1 9>&- &
  DOCKERD_PID=$!
  wait_until 60 dockerd_is_up "$folder" "$DOCKERD_PID" && engine_answers "$folder/sock" && return 0
  tail -n 20 "$folder/log" >&2
  return 1
}

# dockerd_stop FOLDER PID: its containers, itself, its containerd. What is left after that (a test
# may have killed the engine) is found by FOLDER.
dockerd_stop() {
  local folder=$1 pid=${2:-} container containerd
  containerd=$(cat "$folder/exec/containerd/containerd.pid" 2>/dev/null || :)
  if [ -n "$pid" ] && engine_answers "$folder/sock"; then
    for container in $(engine_call "$folder/sock" '/containers/json?all=1' | jq -r '.[].Id'); do
      engine_call "$folder/sock" "/containers/$container?force=1&v=1" -X DELETE >/dev/null 2>&1 || :
    done
  fi
  stop_pid "$pid" TERM 15
  [ -z "$containerd" ] || stop_pid "$containerd" TERM 5
  stop_all_below "$folder" 'dockerd|containerd.*|runc|docker-.*'
}

# The image localhost:1/box:1, made of busybox: its name begins with a registry that cannot exist,
# so that no engine ever looks for it elsewhere. The archive goes to stdout.
box_tar() {
  local root applet mask
  # In the image everybody may read, whatever the caller's umask is.
  mask=$(umask)
  umask 022
  root=$(mktemp -d) || return 1
  chmod 755 "$root"
  mkdir -p "$root"/{bin,etc,tmp,dev,proc,sys}
  chmod 1777 "$root/tmp"
  cp /bin/busybox "$root/bin/busybox"
  for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
  tar -C "$root" --owner=0 --group=0 --numeric-owner -cf - .
  umask "$mask"
  rm -rf -- "$root"
}

# box_import SOCKET
box_import() {
  engine_call "$1" '/images/localhost:1/box:1/json' >/dev/null 2>&1 && return 0
  box_tar | engine_call "$1" '/images/create?fromSrc=-&repo=localhost:1/box&tag=1' \
    -X POST -H 'Content-Type: application/x-tar' --data-binary @- >/dev/null || return 1
  engine_call "$1" '/images/localhost:1/box:1/json' >/dev/null
}
