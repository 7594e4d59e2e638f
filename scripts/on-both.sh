#!/usr/bin/env bash
# For `go test -exec`: runs the tests of a package on SQLite and beside it, where they use a database, on the PostgreSQL
# server that TEST_DATABASE_URL names, so that a test program is linked once for both. ELSEWHERE are the packages that
# another run tests on PostgreSQL, PG_SKIP is what need not run there.
set -u
# A test program lives for minutes at most: a third of its processor time went into collecting garbage at the usual rate.
export GOGC=400 GOMEMLIMIT=3GiB
program=$1
shift
sqlite() { env -u TEST_DATABASE_URL "$program" "$@"; }
package=${PWD#"$(git rev-parse --show-toplevel)/"}
if ! grep -qs databasetest ./*_test.go || grep -qxF "$package" <<<"${ELSEWHERE:-}"; then
  sqlite "$@"
  exit
fi
said=$(mktemp)
trap 'rm -f "$said"' EXIT
"$program" "$@" -test.skip "${PG_SKIP:-^$}" >"$said" 2>&1 &
sqlite "$@"
failed=$?
if ! wait $!; then
  echo "--- on PostgreSQL:"
  cat "$said"
  failed=1
fi
exit "$failed"
