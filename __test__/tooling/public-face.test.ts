/** What the package exports: each entry has what its name says, and the root stays small. */
import { readFileSync } from 'node:fs'
import * as root from '@leadmap/symphony'
import * as admin from '@leadmap/symphony/admin'
import * as config from '@leadmap/symphony/config'
import * as http from '@leadmap/symphony/http'
import * as nestjs from '@leadmap/symphony/nestjs'
import * as next from '@leadmap/symphony/next'
import * as testing from '@leadmap/symphony/testing'
import * as utils from '@leadmap/symphony/utils'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'

const ENTRIES = { admin, config, http, nestjs, next, testing, utils }

test('the root has what an application calls every day: 40 names at most', () => {
  expect(Object.keys(root).sort()).toEqual([
    'ConfigurationError',
    'HandlerError',
    'HandlerRegistry',
    'HandlerTimeoutError',
    'MessageValidationError',
    'Scheduler',
    'SchedulerError',
    'SerializationError',
    'SymphonyDispatcher',
    'SymphonyError',
    'TransportError',
    'Worker',
    'close',
    'consumeBatch',
    'createSymphony',
    'defineMessage',
    'defineSchedules',
    'discard',
    'dispatch',
    'dispatchBatch',
    'dispatchToTransports',
    'getConfig',
    'getDispatcher',
    'getRegistry',
    'getRetryConfig',
    'getTransportConfig',
    'getTransportsForMessageType',
    'migrate',
    'registerHandler',
    'registerTransport',
    'resetConfig',
    'runDueSchedules',
    'schedule',
    'setConfig',
    'setDispatcher',
    'setLogger',
    'snooze',
    'validateConfig',
    'withTraceContext',
  ])
  expect(Object.keys(root).length).toBeLessThanOrEqual(40)
})

test('a name that two entries export is one thing', () => {
  const all: Record<string, unknown> = {}
  for (const entry of [root, ...Object.values(ENTRIES)]) {
    for (const [name, value] of Object.entries(entry)) {
      all[name] ??= value
      expect(all[name], name).toBe(value)
    }
  }
})

test('/next is /http, and what belongs to Next.js', () => {
  expect(Object.keys(next).sort()).toEqual([...Object.keys(http), 'withSymphony'].sort())
})

test('every function of an instance is exported by an entry, and the other way round', () => {
  const instance = root.createSymphony({ databaseUrl: 'postgres://nowhere/none' })
  const exported = new Set([root, ...Object.values(ENTRIES)].flatMap((entry) => Object.keys(entry)))
  const functions = Object.keys(instance).filter((name) => name !== 'name')
  expect(functions.filter((name) => !exported.has(name))).toEqual(['createWorker', 'createScheduler'])
  for (const entry of [root, admin]) {
    const missing = Object.keys(entry).filter((name) => !functions.includes(name) && !BESIDE.test(name))
    expect(missing).toEqual([])
  }
})

/** Classes, what makes things, and what is the same for every instance. */
const BESIDE = /^[A-Z]|^create|^define(?!Schedules)|Channel$|^snooze$|^discard$|^validateConfig$|^withTraceContext$/

test('the package offers each of them, and no other', () => {
  const { exports } = JSON.parse(readFileSync(at('package.json'), 'utf8')) as { exports: Record<string, unknown> }
  expect(Object.keys(exports)).toEqual(['.', ...Object.keys(ENTRIES).map((name) => `./${name}`), './package.json'])
})
