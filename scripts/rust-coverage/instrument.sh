#!/bin/sh
# What cargo calls instead of rustc for this crate, not for its dependencies.
# What napi's macros write for the typings is appended to one file: the unit tests would say everything once more.
case " $* " in *" --test "*) unset NAPI_TYPE_DEF_TMP_FOLDER ;; esac
# The relocated counters let a profile live in a mapped file: it survives the SIGKILL of a test's process.
exec "$@" -C instrument-coverage -C llvm-args=-runtime-counter-relocation
