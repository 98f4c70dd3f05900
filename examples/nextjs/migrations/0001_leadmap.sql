-- The application's own tables. Symphony's are in a schema of their own and are made by `migrate()`.

CREATE TABLE IF NOT EXISTS campaigns (
  id text PRIMARY KEY DEFAULT gen_random_uuid()::text,
  user_id text NOT NULL,
  name text NOT NULL,
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('draft', 'running', 'completed')),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS campaign_steps (
  campaign_id text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
  step_number integer NOT NULL,
  -- How long after the step before it.
  wait interval NOT NULL DEFAULT '0',
  subject text NOT NULL,
  html text NOT NULL,
  PRIMARY KEY (campaign_id, step_number)
);

CREATE TABLE IF NOT EXISTS campaign_recipients (
  id text PRIMARY KEY DEFAULT gen_random_uuid()::text,
  campaign_id text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
  email text NOT NULL,
  -- The step that comes next; NULL: this recipient has had all of them.
  next_step integer DEFAULT 1,
  next_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (campaign_id, email)
);

CREATE INDEX IF NOT EXISTS campaign_recipients_due ON campaign_recipients (campaign_id, next_at)
  WHERE next_step IS NOT NULL;

CREATE TABLE IF NOT EXISTS email_queue (
  id text PRIMARY KEY DEFAULT gen_random_uuid()::text,
  user_id text NOT NULL,
  mailbox_id text NOT NULL,
  to_email text NOT NULL,
  subject text NOT NULL,
  html text NOT NULL,
  campaign_id text REFERENCES campaigns ON DELETE CASCADE,
  campaign_recipient_id text REFERENCES campaign_recipients ON DELETE CASCADE,
  step_number integer,
  scheduled_at timestamptz NOT NULL DEFAULT now(),
  -- queued: nobody has it. sending: the legacy cron has it. dispatched: Symphony has it.
  status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sending', 'dispatched', 'sent', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  sent_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- One e-mail for a step of a recipient, however often the step is run.
  UNIQUE (campaign_recipient_id, step_number)
);

CREATE INDEX IF NOT EXISTS email_queue_due ON email_queue (scheduled_at) WHERE status = 'queued';

CREATE TABLE IF NOT EXISTS sms_drips (
  id text PRIMARY KEY DEFAULT gen_random_uuid()::text,
  user_id text NOT NULL,
  name text NOT NULL
);

CREATE TABLE IF NOT EXISTS sms_drip_texts (
  drip_id text NOT NULL REFERENCES sms_drips ON DELETE CASCADE,
  position integer NOT NULL,
  wait interval NOT NULL DEFAULT '0',
  text text NOT NULL,
  PRIMARY KEY (drip_id, position)
);

CREATE TABLE IF NOT EXISTS sms_drip_enrollments (
  id text PRIMARY KEY DEFAULT gen_random_uuid()::text,
  drip_id text NOT NULL REFERENCES sms_drips ON DELETE CASCADE,
  phone text NOT NULL,
  -- The text that comes next; NULL: all are sent.
  next_position integer DEFAULT 1,
  next_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (drip_id, phone)
);

CREATE INDEX IF NOT EXISTS sms_drip_enrollments_due ON sms_drip_enrollments (next_at) WHERE next_position IS NOT NULL;

-- What a handler has done, by the id of the message that asked for it. A message that comes a second time, because its
-- process died before the outcome was written, is found here and not done again.
CREATE TABLE IF NOT EXISTS deliveries (
  message_id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('email', 'sms')),
  recipient text NOT NULL,
  delivered_at timestamptz NOT NULL DEFAULT now()
);

-- Supabase shows the schema public to anyone with the anon key, unless row level security is on.
ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_recipients ENABLE ROW LEVEL SECURITY;
ALTER TABLE email_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE sms_drips ENABLE ROW LEVEL SECURITY;
ALTER TABLE sms_drip_texts ENABLE ROW LEVEL SECURITY;
ALTER TABLE sms_drip_enrollments ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
