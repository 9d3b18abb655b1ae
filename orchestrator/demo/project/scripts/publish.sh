#!/bin/sh
# Writes the page for the quays to stdout.
set -eu
cd "$(dirname "$0")/.."
next_boat() {
    python3 -m ferry.cli next "$1" "$2" || true
}
printf 'Northquay %s\n' "$(next_boat Northquay 06:00)"
printf 'Saltholm %s\n' "$(next_boat Saltholm 06:00)"
