#!/usr/bin/env bash
# Runs a command with TEST_S3_URL naming a real S3 server (SeaweedFS) of its own, stopped afterwards. The server is built
# once from scripts/s3server, which takes some minutes, and kept in the user's cache; S3_SERVER names one that is there.
set -euo pipefail
here=$(cd "$(dirname "$0")/s3server" && pwd)
weed=${S3_SERVER:-${XDG_CACHE_HOME:-$HOME/.cache}/huiqi/weed-$(sha256sum "$here/go.mod" | cut -c1-12)}
if [ ! -x "$weed" ]; then
  mkdir -p "$(dirname "$weed")"
  (cd "$here" && go build -ldflags '-s -w' -o "$weed.new" github.com/seaweedfs/seaweedfs/weed)
  mv "$weed.new" "$weed"
fi
dir=$(mktemp -d)
read -r -a port < <(node -e '
  const net = require("net"), list = []
  const next = () => list.length === 8 ? (console.log(list.map(s => s.address().port).join(" ")), list.forEach(s => s.close()))
    : list.push(net.createServer().listen(0, "127.0.0.1", next))
  next()')
cat >"$dir/s3.json" <<'JSON'
{"identities": [{"name": "test", "credentials": [{"accessKey": "huiqi-test", "secretKey": "a-secret-only-tests-know"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
JSON
mkdir "$dir/data"
cd "$dir"
"$weed" -logdir="$dir" server -dir="$dir/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 -s3 -s3.config="$dir/s3.json" -volume.max=20 -master.volumeSizeLimitMB=64 \
  -master.port="${port[0]}" -master.port.grpc="${port[1]}" -volume.port="${port[2]}" -volume.port.grpc="${port[3]}" \
  -filer.port="${port[4]}" -filer.port.grpc="${port[5]}" -s3.port="${port[6]}" -s3.port.grpc="${port[7]}" -s3.port.iceberg=0 >"$dir/log" 2>&1 &
server=$!
stop() { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$dir"; }
trap stop EXIT
cd "$OLDPWD"
export TEST_S3_URL="http://127.0.0.1:${port[6]}"
(cd "$(dirname "$here")/.." && go run ./scripts/s3bucket "$TEST_S3_URL") || { tail -n 30 "$dir/log"; exit 1; }
"$@"
