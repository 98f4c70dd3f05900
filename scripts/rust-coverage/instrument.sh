#!/bin/sh
# What cargo calls instead of rustc for this crate, not for its dependencies.
# The relocated counters let a profile live in a mapped file: it survives the SIGKILL of a test's process.
exec "$@" -C instrument-coverage -C llvm-args=-runtime-counter-relocation
