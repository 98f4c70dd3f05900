import { withSymphony } from '@leadmap/symphony/next'
import type { NextConfig } from 'next'

const config: NextConfig = {
  // This application lies inside another repository; one in a repository of its own needs neither line.
  turbopack: { root: import.meta.dirname },
  outputFileTracingRoot: import.meta.dirname,
  // What browsers ask for when they show JSON; a page names its icon.
  rewrites: async () => [{ source: '/favicon.ico', destination: '/icon.svg' }],
  // For the end-to-end tests, which build the application in several ways.
  distDir: process.env.NEXT_BUILD_FOLDER || '.next',
  output: process.env.NEXT_BUILD_OUTPUT === 'standalone' ? 'standalone' : undefined,
}

export default withSymphony(config)
