import { existsSync } from 'node:fs'

/** The library that gives a whole process another time of day; missing where its package is not installed. */
export const FAKETIME = [process.arch === 'arm64' ? 'aarch64' : 'x86_64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find(existsSync)

/** Variables for a process whose clock is off by so many milliseconds. */
export function fakeTime(offset: number): Record<string, string> {
  return {
    LD_PRELOAD: FAKETIME ?? '',
    FAKETIME: `${offset < 0 ? '' : '+'}${offset / 1000}`,
    // What runs on must not jump; only the time of day is wrong.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
}
