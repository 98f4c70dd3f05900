import { expect, test } from 'vitest'
import { bestPattern, matches } from './pattern.js'

test('patterns', () => {
  expect(matches('Email*', 'EmailMessage')).toBe(true)
  expect(matches('*', 'Any')).toBe(true)
  expect(matches('Email', 'EmailMessage')).toBe(false)
  expect(bestPattern(['*', 'Em*', 'Email*', 'Email'], 'EmailX')).toBe('Email*')
  expect(bestPattern(['A'], 'B')).toBeUndefined()
})
