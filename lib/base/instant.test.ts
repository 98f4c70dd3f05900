import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { looksLikeSeconds, parseDay, parseInstant } from './instant.js'

const YEAR_1 = new Date('0001-01-01T00:00:00Z')
const YEAR_9999 = new Date('9999-12-31T23:59:59.999Z')
const instants = fc.date({ min: YEAR_1, max: YEAR_9999, noInvalidDate: true })

describe('an instant', () => {
  test('is read as it was written, as a date, a number or text', () => {
    fc.assert(
      fc.property(instants, (date) => {
        expect([date, date.getTime(), date.toISOString()].map(parseInstant)).toEqual(Array(3).fill(date.getTime()))
      }),
    )
  })

  test('looks like seconds where it is in early 1970, and now in seconds does', () => {
    const [now, nextYear] = [Date.now(), Date.now() + 365 * 86_400_000]
    expect([now / 1_000, Math.floor(nextYear / 1_000)].map(looksLikeSeconds)).toEqual([true, true])
    expect([now, nextYear, 0, 77, -1, new Date(1_796_072_538), '1796072538'].filter(looksLikeSeconds)).toEqual([])
  })

  test('is the same with any offset from UTC', () => {
    const offsets = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 })
    const middle = fc.date({ min: new Date('0002-01-01Z'), max: new Date('9998-01-01Z'), noInvalidDate: true })
    fc.assert(
      fc.property(middle, offsets, fc.constantFrom(':', ''), (date, offset, colon) => {
        const two = (value: number) => String(Math.abs(value)).padStart(2, '0')
        const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(offset / 60))}${colon}${two(offset % 60)}`
        const local = new Date(date.getTime() + offset * 60_000).toISOString().replace('Z', zone)
        expect(parseInstant(local), local).toBe(date.getTime())
      }),
    )
  })

  test('is a day of the calendar, or nothing', () => {
    const two = (value: number) => String(value).padStart(2, '0')
    const parts = fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.nat(99), fc.nat(99))
    fc.assert(
      fc.property(parts, ([year, month, day]) => {
        const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
        const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
        const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
        const exists = day >= 1 && day <= days
        expect(parseDay(text) !== undefined, text).toBe(exists)
        expect(parseInstant(`${text}T10:00Z`) !== undefined, text).toBe(exists)
        if (exists) expect(new Date(parseDay(text) ?? 0).toISOString().slice(0, 10)).toBe(text)
      }),
    )
  })

  test('is never made of other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const known = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/i
        if (!known.test(text)) expect(parseInstant(text)).toBeUndefined()
      }),
    )
  })

  test.each([
    '2026-02-30T10:00:00Z',
    '2026-13-01T10:00:00Z',
    '2026-02-01T24:00:00Z',
    '2026-02-01T10:60:00Z',
    '2026-02-01T10:00:60Z',
    '2026-02-01T10:00:00',
    '2026-02-01T10:00:00+24:00',
    '2026-02-01T10:00:00+01:60',
    '2026-02-01 10:00:00Z',
    '2026-02-01',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '+012026-02-01T10:00:00Z',
    '2026-2-1T10:00:00Z',
    ' 2026-02-01T10:00:00Z',
    '2026-02-01T10:00:00Z\n',
    '1e3',
    '',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -62_135_596_800_001,
    253_402_300_800_000,
    new Date(Number.NaN),
    new Date(8.64e15),
    null,
    undefined,
    true,
    {},
    [2026],
    BigInt(10) as unknown,
  ])('is not %s', (value) => {
    expect(parseInstant(value)).toBeUndefined()
  })

  test('keeps whole milliseconds', () => {
    expect(parseInstant('1970-01-01T00:00:00.0019Z')).toBe(1)
    expect(parseInstant(1.9)).toBe(1)
    expect(parseInstant('1970-01-01t00:00z')).toBe(0)
  })
})
