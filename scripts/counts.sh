#!/usr/bin/env bash
# Counts the instructions of hot operations with callgrind and holds them against benches/baseline.json: a count does not
# change with the weather, a time does. Fails when one is more than 5 % above. `--record` writes the baseline anew.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly BASELINE=benches/baseline.json
readonly TOLERANCE_PERCENT=5
# The difference of two runs of these lengths is 100 operations without what comes before and after them.
readonly FEW=20 MANY=120
# Package and benchmark.
readonly BENCHES=("tidemill-common decode" "tidemill-common wire" "tidemill-worker batch")

case "${1:-}" in
  "" | --record) ;;
  *) echo "usage: scripts/counts.sh [--record]" >&2; exit 2 ;;
esac
if ! command -v valgrind >/dev/null; then
  echo "error: valgrind is not installed" >&2
  echo "fix: apt-get install valgrind" >&2
  exit 2
fi

compiler="$(rustc --version) for $(rustc -vV | sed -n 's/^host: //p')"
if [ "${1:-}" = "" ]; then
  recorded=$(sed -n 's/^  "compiler": "\(.*\)",$/\1/p' "$BASELINE")
  if [ "$recorded" != "$compiler" ]; then
    echo "error: the baseline was recorded with $recorded, this is $compiler: their counts are not comparable" >&2
    echo "fix: scripts/counts.sh --record, on a commit known to be good" >&2
    exit 2
  fi
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Builds a benchmark and prints where its program is.
built() {
  cargo bench --quiet --locked --no-run --message-format=json -p "$1" --bench "$2" |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
}

# Instructions of a program run, its start included.
instructions() {
  valgrind --tool=callgrind --callgrind-out-file="$work/out" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  sed -n 's/^summary: //p' "$work/out"
}

# A line for each operation: instructions, nanoseconds, name.
: >"$work/counted"
for bench in "${BENCHES[@]}"; do
  read -r package name <<<"$bench"
  program=$(built "$package" "$name")
  "$program" --cases >"$work/cases"
  while read -r nanos operation; do
    few=$(instructions "$program" --case "$operation" "$FEW")
    many=$(instructions "$program" --case "$operation" "$MANY")
    echo "$(((many - few) / (MANY - FEW))) $nanos $operation" >>"$work/counted"
  done <"$work/cases"
done

if [ "${1:-}" = --record ]; then
  {
    printf '{\n  "compiler": "%s",\n  "valgrind": "%s",\n' "$compiler" "$(valgrind --version)"
    printf '  "instructions": {\n'
    awk '{ count = $1; $1 = $2 = ""; sub(/^ +/, ""); lines[NR] = "    \"" $0 "\": " count }
      END { for (n = 1; n <= NR; n++) print lines[n] (n < NR ? "," : "") }' "$work/counted"
    printf '  }\n}\n'
  } >"$work/baseline" && mv "$work/baseline" "$BASELINE"
fi

awk -v tolerance="$TOLERANCE_PERCENT" '
  NR == FNR { if (match($0, /^    "[^"]*": /)) { name = substr($0, 6, RLENGTH - 8); base[name] = $NF + 0 } next }
  FNR == 1 { printf "%-28s%14s%14s%9s%12s\n", "OPERATION", "INSTRUCTIONS", "BASELINE", "CHANGE", "NANOSECONDS" }
  {
    count = $1; nanos = $2; $1 = $2 = ""; sub(/^ +/, "")
    if (!($0 in base)) { printf "%-28s%14d%14s%9s%12d\n", $0, count, "none", "", nanos; missing++; next }
    change = (count / base[$0] - 1) * 100
    printf "%-28s%14d%14d%8.1f%%%12d%s\n", $0, count, base[$0], change, nanos, tolerance < change ? "  TOO MANY" : ""
    above += tolerance < change
    delete base[$0]
  }
  END {
    for (name in base) { printf "%s is in the baseline and was not counted\n", name; missing++ }
    if (above) printf "%d operations take more than %d %% above the baseline\n", above, tolerance
    if (missing) print "the baseline is not of these operations: scripts/counts.sh --record"
    exit above || missing ? 1 : 0
  }' "$BASELINE" "$work/counted"
