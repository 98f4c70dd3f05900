#!/bin/sh
# Fails when an addon wants a newer glibc than the ceiling: `scripts/glibc-ceiling.sh 2.17 symphony.linux-x64-gnu.node`
set -eu
ceiling=$1
addon=$2
wanted=$(readelf --version-info --wide "$addon" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -V | tail -n 1)
echo "$addon wants glibc $wanted, the ceiling is $ceiling"
[ "$(printf '%s\n%s\n' "$wanted" "$ceiling" | sort -V | tail -n 1)" = "$ceiling" ]
