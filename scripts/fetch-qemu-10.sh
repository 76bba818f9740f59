#!/bin/sh
# Unpacks QEMU 10.0 of Debian 13 with all its libraries into a folder of its own, beside whatever the system has, and
# prints the path of the program. Uses the mirror that this Debian is set up with. Needs apt and dpkg, not root.
#   usage: scripts/fetch-qemu-10.sh FOLDER
set -eu
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1"
top=$(cd "$1" && pwd)
program=$top/qemu-system-x86_64
if [ -x "$program" ] && "$program" --version >/dev/null 2>&1; then echo "$program"; exit 0; fi

# Any Debian archive with a main component that is no security or updates suite serves trixie as well.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
  awk '$3 == "main" && $2 !~ /-(security|updates|backports)/ { print $1; exit }')
[ -n "$mirror" ] || { echo "$0: apt knows no Debian mirror: run apt-get update first" >&2; exit 1; }

apt=$top/apt
mkdir -p "$apt/etc/sources.list.d" "$apt/lists/partial" "$apt/cache/archives/partial"
: >"$apt/status"
cat >"$apt/etc/sources.list.d/trixie.sources" <<SOURCES
Types: deb
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
own() {
  apt-get -q -o APT::Architecture=amd64 -o Dir::Etc::sourcelist=/dev/null \
    -o Dir::Etc::sourceparts="$apt/etc/sources.list.d" -o Dir::State::lists="$apt/lists" \
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" "$@"
}
own update >&2
own install -y --no-install-recommends --download-only qemu-system-x86 >&2
for package in "$apt"/cache/archives/*.deb; do dpkg -x "$package" "$top/root"; done
rm -rf "$apt"

cat >"$program" <<'WRAPPER'
#!/bin/sh
# The program with its own loader and libraries: the system's are too old for it.
root=$(cd "$(dirname "$0")" && pwd)/root
libs=$root/usr/lib/x86_64-linux-gnu
exec "$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$libs:$root/lib/x86_64-linux-gnu:$libs/pulseaudio" \
  "$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
WRAPPER
chmod +x "$program"
"$program" --version >&2
echo "$program"
