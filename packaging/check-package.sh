#!/bin/sh
# Is the package whole? Its contents, then its programs as they run from a folder it was unpacked into.
#   packaging/check-package.sh build/package/stepwise_0.1.0_amd64.deb
set -eu
package=$1
root=$(mktemp -d)
server=''
trap 'test -z "$server" || kill "$server" 2> /dev/null || true; rm -rf "$root"' EXIT
fail() { echo "check-package: $*" >&2; exit 1; }

listing=$(dpkg-deb --contents "$package")
for path in usr/bin/stepwise usr/bin/stepwise-server usr/bin/stepwise-conformance etc/stepwise/stepwise.yaml \
  lib/systemd/system/stepwise-server.service usr/share/stepwise/packs/analgesics/pack.yaml \
  usr/share/man/man1/stepwise.1.gz usr/share/man/man8/stepwise-server.8.gz \
  usr/share/man/man1/stepwise-conformance.1.gz usr/share/doc/stepwise/copyright \
  usr/share/doc/stepwise/README.md; do
  echo "$listing" | grep -q " \./$path\$" || fail "$path is missing"
done
# Nothing of the build leaks in, everything belongs to root, and what is no program is not executable.
echo "$listing" | grep -E '\.(a|h|o|cmake)$' && fail "files of the build are in the package"
echo "$listing" | grep -v ' root/root ' && fail "files that do not belong to root"
echo "$listing" | grep -E '^-..x' | grep -v ' \./usr/bin/' && fail "files that should not be executable"
test "$(dpkg-deb --info "$package" conffiles)" = /etc/stepwise/stepwise.yaml || fail "conffiles"
dpkg-deb --field "$package" Depends | grep -q 'libcurl4.*libsystemd0' || fail "dependencies"

dpkg-deb --extract "$package" "$root"
for page in "$root"/usr/share/man/man?/*.gz; do
  warnings=$(LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -E UTF-8 -l "$page" 2>&1 > /dev/null)
  test -z "$warnings" || fail "$page: $warnings"
done
"$root/usr/bin/stepwise-server" --check-config --config "$root/etc/stepwise/stepwise.yaml" > "$root/ok"
test "$(cat "$root/ok")" = ok || fail "the configuration in the package is not one"

"$root/usr/bin/stepwise-server" --config "$root/etc/stepwise/stepwise.yaml" --listen 127.0.0.1:0 --store-state-dir "$root/state" \
  > "$root/out" 2> "$root/err" &
server=$!
tries=0
until url=$(sed -n 's/^listening on //p' "$root/out") && test -n "$url"; do
  kill -0 "$server" 2> /dev/null || { cat "$root/err" >&2; fail "the server did not start"; }
  tries=$((tries + 1))
  test "$tries" -lt 300 || fail "the server does not listen"
  sleep 0.1
done
test "$(curl -sS --noproxy '*' "$url/health/ready")" = '{"status":"ready"}' || fail "not ready"
kill -TERM "$server"
wait "$server" || fail "the server did not stop cleanly"
server=''
echo "$package is whole"
