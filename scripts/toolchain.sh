# Sourced by the other scripts: strict mode, the repository's root as working directory,
# its npm executables in PATH, and what builds need to know whether something changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

# One hash over names and contents of all files below the given paths, without unit tests.
hash_of() {
  find "$@" -type f ! -name '*.test.ts' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# unchanged NAME HASH OUTPUT…: true if the last successful `built NAME HASH` had this hash and all outputs exist.
unchanged() {
  local name=$1 hash=$2 output
  shift 2
  for output in "$@"; do [ -e "$output" ] || return 1; done
  [ "$(cat "build/.stamp-$name" 2>/dev/null || true)" = "$hash" ]
}

built() {
  printf '%s\n' "$2" > "build/.stamp-$1"
}
