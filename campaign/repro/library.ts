/** The functions that a repro script begins with. POSIX shell; every wait has an end. */
export const library = `
dir=$(mktemp -d) || exit 2
command -v socat >/dev/null || { echo "socat is needed" >&2; exit 2; }
cleanup() {
  for file in "$dir"/*.pid; do [ -f "$file" ] && { kill -CONT "$(cat "$file")"; kill -9 "$(cat "$file")"; } 2>/dev/null; done
  for file in "$dir"/*.err; do
    [ -s "$file" ] && { echo "--- standard error of $(basename "$file" .err)"; tail -n 20 "$file"; }
  done
  rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# start NAME WORD...: runs the target
start() {
  name=$1; shift
  mkdir -p "$dir/$name"
  ( cd "$dir/$name" && { "$@" </dev/null >/dev/null 2>"$dir/$name.err" & echo $! > "$dir/$name.pid"
    wait $!; echo "=== $name ended with status $?" | tee "$dir/$name.exit"; } ) 2>/dev/null &
  tries=0
  until [ -S "$dir/$name/qmp1.sock" ]; do
    tries=$((tries + 1)); [ $tries -gt 200 ] && { echo "$name does not listen" >&2; exit 2; }
    sleep 0.05
  done
}

# connect SESSION NAME NUMBER: a connection to monitor NUMBER of the process NAME
connect() {
  rm -f "$dir/$1.in"; mkfifo "$dir/$1.in"; : > "$dir/$1.out"
  socat -t 1 - "UNIX-CONNECT:$dir/$2/qmp$3.sock" < "$dir/$1.in" > "$dir/$1.out" &
  echo $! > "$dir/$1.session.pid"
  # Holds the pipe open between two writers.
  sleep 3600 > "$dir/$1.in" & echo $! > "$dir/$1.holder.pid"
  wait_for "$1" '"QMP"' 10
}
disconnect() {
  kill "$(cat "$dir/$1.session.pid")" "$(cat "$dir/$1.holder.pid")" 2>/dev/null
}
send() { printf '%s: -> %s\\n' "$1" "$2"; printf '%s\\n' "$2" > "$dir/$1.in"; }
raw() { printf '%s: -> (raw) %s\\n' "$1" "$2"; printf "$2" > "$dir/$1.in"; }

# show SESSION: what came since the last call
show() {
  from=$(cat "$dir/$1.shown" 2>/dev/null || echo 0)
  lines=$(wc -l < "$dir/$1.out")
  [ "$lines" -gt "$from" ] && sed -n "$((from + 1)),\${lines}p" "$dir/$1.out" | sed "s/^/$1: <- /"
  echo "$lines" > "$dir/$1.shown"
}

# wait_for SESSION PATTERN SECONDS
wait_for() {
  tries=0
  until grep -q -e "$2" "$dir/$1.out"; do
    tries=$((tries + 1))
    [ $tries -gt $(($3 * 20)) ] && { show "$1"; echo "--- no $2 within $3 s"; return 1; }
    [ -f "$dir/\${1%%#*}.exit" ] && { show "$1"; return 1; }
    sleep 0.05
  done
  show "$1"
}
reply() { wait_for "$1" "\\"id\\": *\\"$2\\"" 10; }

# until_status SESSION QUERY SECONDS STATUS...: asks until the status is one of these; "none" stands for no status at all
until_status() {
  session=$1; query=$2; left=$(($3 * 10)); shift 3
  while [ $left -gt 0 ]; do
    left=$((left - 1)); asked=$((\${asked:-0} + 1))
    printf '{"execute":"%s","id":"q%s"}\\n' "$query" "$asked" > "$dir/$session.in"
    wait_for "$session" "\\"id\\": *\\"q$asked\\"" 10 > /dev/null || return 1
    answer=$(grep -e "\\"id\\": *\\"q$asked\\"" "$dir/$session.out")
    status=$(printf '%s' "$answer" | sed -n 's/.*"status": *"\\([^"]*\\)".*/\\1/p')
    for wanted in "$@"; do
      [ "\${status:-none}" = "$wanted" ] && { printf '%s: -> %s\\n%s: <- %s\\n' "$session" "$query" "$session" "$answer"; return 0; }
    done
    sleep 0.1
  done
  printf '%s: -> %s\\n%s: <- %s\\n' "$session" "$query" "$session" "$answer"
  echo "--- the status did not become one of: $*"
}

# until_event SESSION EVENT SECONDS [STATUS...]
until_event() {
  session=$1; event=$2; limit=$3; shift 3
  if [ $# -eq 0 ]; then wait_for "$session" "\\"event\\": *\\"$event\\"" "$limit"; return; fi
  list=$(printf '%s\\n' "$@" | paste -sd '|' -)
  tries=0
  until grep -e "\\"event\\": *\\"$event\\"" "$dir/$session.out" | grep -qE "\\"status\\": *\\"($list)\\""; do
    tries=$((tries + 1)); [ $tries -gt $((limit * 20)) ] && { show "$session"; echo "--- no event $event $list"; return 1; }
    sleep 0.05
  done
  show "$session"
}
until_exit() {
  tries=0
  until [ -f "$dir/$1.exit" ]; do
    tries=$((tries + 1)); [ $tries -gt $(($2 * 20)) ] && { echo "--- $1 still runs"; return 1; }
    sleep 0.05
  done
}

# feeds CHANNEL: connects to the listener of a channel, unless the connection is open
feeds() {
  [ -f "$dir/$1.fed.pid" ] && kill -0 "$(cat "$dir/$1.fed.pid")" 2>/dev/null && return
  tries=0
  until [ -S "$dir/$1.mig" ] || [ $tries -gt 100 ]; do tries=$((tries + 1)); sleep 0.02; done
  rm -f "$dir/$1.bytes"; mkfifo "$dir/$1.bytes"
  socat -t 0 - "UNIX-CONNECT:$dir/$1.mig" < "$dir/$1.bytes" >/dev/null 2>&1 & echo $! > "$dir/$1.fed.pid"
  # Holds the pipe open between two pieces.
  sleep 3600 > "$dir/$1.bytes" & echo $! > "$dir/$1.more.pid"
}
# bytes CHANNEL TEXT: more of the stream; where nobody reads any more it is lost
bytes() { timeout 5 sh -c 'printf "$2" > "$1"' sh "$dir/$1.bytes" "$2"; }
no_more() { [ -f "$dir/$1.more.pid" ] && kill "$(cat "$dir/$1.more.pid")" 2>/dev/null; }
settle() { sleep 0.5; for out in "$dir"/*.out; do [ -f "$out" ] && show "$(basename "$out" .out)"; done; }
`.trimEnd();
