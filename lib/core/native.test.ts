import { afterEach, describe, expect, test, vi } from 'vitest'
import { native, setNative } from './native.js'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
  setNative(undefined)
})

describe('on the Edge runtime', () => {
  const advice = expect.objectContaining({
    code: 'SYMPHONY_EDGE_RUNTIME',
    message: expect.stringContaining("remove `export const runtime = 'edge'`"),
  })

  test('by environment variable', () => {
    vi.stubEnv('NEXT_RUNTIME', 'edge')
    expect(() => native()).toThrow(advice)
  })

  test('by global', () => {
    vi.stubGlobal('EdgeRuntime', 'edge-runtime')
    expect(() => native()).toThrow(advice)
  })
})

test('a platform without binary is told which exist', () => {
  // The loader takes this path for the binary of an unknown platform.
  vi.stubEnv('NAPI_RS_NATIVE_LIBRARY_PATH', '/nowhere/symphony.node')
  const spy = vi.spyOn(process, 'platform', 'get').mockReturnValue('aix')
  try {
    expect(() => native()).toThrow(
      expect.objectContaining({
        code: 'SYMPHONY_UNSUPPORTED_PLATFORM',
        message: expect.stringMatching(/aix.*Linux x64 and arm64 \(glibc and musl\), macOS x64 and arm64, Windows x64/),
      }),
    )
  } finally {
    spy.mockRestore()
  }
})
