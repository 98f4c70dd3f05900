import { defineConfig } from '@leadmap/symphony/config'

export default defineConfig({
  transports: {
    email: { type: 'supabase', queue: 'email', priority: 7 },
    async: { type: 'supabase', queue: 'async' },
  },
  routing: { EmailMessage: 'email', CampaignMessage: 'async', SMSMessage: 'async' },
  // Short, so that there is something to see; providers that are down need minutes.
  retry: { default: { delay: '2s' }, EmailMessage: { maxRetries: 5 } },
  worker: { batchSize: 50, maxConcurrency: 10, handlerTimeout: '1m' },
})
