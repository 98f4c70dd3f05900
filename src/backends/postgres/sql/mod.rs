//! The statements of the transport: one SQL file each, with its parameter types, written for one schema.

use tokio_postgres::types::Type;

/// One statement.
#[derive(Debug)]
pub struct Statement {
    /// What it is called in errors.
    pub name: &'static str,
    /// Schema-qualified.
    pub sql: String,
    /// The types of `$1`, `$2` ... With them a statement needs no round trip to be described.
    pub types: &'static [Type],
    /// How it is written, prepared and planned.
    pub handling: Handling,
}

/// How a statement is written, prepared and planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// Prepared once for each connection, and planned once.
    Usual,
    /// The index to read depends on which filters are given, so that it is planned for each question.
    Filtered,
    /// Without the question whether a transport is switched on, for those who know it.
    Knowing,
    /// It runs so seldom that preparing it would only make the server read it twice.
    Seldom,
}

/// How the statements are to be planned. No scan of a whole table where an index will do: a prepared statement keeps
/// the plan that it got while the queue was empty, and one that then read whole tables took 2.2 s for 500 messages of a
/// burst of 100,000, instead of 60 ms. A bitmap is not better: all that is due is read and sorted for the first few of
/// it. And nothing is compiled, which takes longer than any statement here.
pub const PLANNING: [&str; 3] = ["SET enable_seqscan = off", "SET enable_bitmapscan = off", "SET jit = off"];

/// How often: once per connection. Left to itself, Postgres plans the claim each time, since it takes a plan for any queue
/// to be dearer than it is; that is a third of what the server has to do for ten messages.
pub const PLANNED_ONCE: &str = "SET plan_cache_mode = force_generic_plan";

/// What several statements have in common.
const PARTS: [(&str, &str); 28] = [
    (":all", include_str!("settlements/_all.sql")),
    (":count", include_str!("settlements/_count.sql")),
    (":held", include_str!("settlements/_held.sql")),
    (":failure", include_str!("settlements/_failure.sql")),
    (":history", include_str!("settlements/_history.sql")),
    (":letters", include_str!("dead_letters/_letters.sql")),
    (":fitting", include_str!("dead_letters/_fitting.sql")),
    (":seen", include_str!("dead_letters/_seen.sql")),
    (":redriven", include_str!("dead_letters/_redriven.sql")),
    (":fits", include_str!("messages/_fits.sql")),
    (":cancelled", include_str!("messages/_cancelled.sql")),
    (":freed", include_str!("messages/_freed.sql")),
    (":woken", include_str!("messages/_woken.sql")),
    (":turn", include_str!("operations/_turn.sql")),
    (":noted", include_str!("operations/_noted.sql")),
    (":entry", include_str!("audit/_entry.sql")),
    (":admit", include_str!("keys/_admit.sql")),
    (":due", include_str!("messages/_due.sql")),
    (":lanes", include_str!("messages/_lanes.sql")),
    (":unpaused", include_str!("messages/_unpaused.sql")),
    (":lease", include_str!("messages/_lease.sql")),
    (":take", include_str!("messages/_take.sql")),
    (":wake", include_str!("messages/_wake.sql")),
    (":unheld", include_str!("leases/_unheld.sql")),
    (":unknown", include_str!("leases/_unknown.sql")),
    (":disabled", include_str!("transports/_disabled.sql")),
    (":carried", include_str!("parked/_carried.sql")),
    (":replace", include_str!("parked/_replace.sql")),
];

/// Writes the schema into SQL that names it `:"schema"` (an identifier) or `:'schema'` (a literal), as psql would,
/// and leaves out psql's own lines. A line `:count` stands for its part, as all [`PARTS`].
pub fn in_schema(sql: &str, schema: &str) -> String {
    Writing::of(sql, schema, true, true)
}

/// As [`in_schema`], without comments, which every connection would send and the server read; its name comes first, for
/// those who look at what the server does. What stands between the lines `:asking` and `:asked` asks whether a transport
/// is switched off, and is left out where that is known (`asks`: false).
fn statement(name: &str, sql: &str, schema: &str, asks: bool) -> String {
    format!("/* symphony: {name} */\n{}", Writing::of(sql, schema, asks, false))
}

/// SQL on its way into one schema, in one pass: a process writes all statements before its first.
struct Writing {
    text: String,
    identifier: String,
    literal: String,
    asks: bool,
    comments: bool,
    /// Between `:asking` and `:asked`.
    is_question: bool,
}

impl Writing {
    fn of(sql: &str, schema: &str, asks: bool, comments: bool) -> String {
        let identifier = format!("\"{}\"", schema.replace('"', "\"\""));
        let literal = format!("'{}'", schema.replace('\'', "''"));
        let text = String::with_capacity(sql.len());
        let mut writing = Self { text, identifier, literal, asks, comments, is_question: false };
        sql.lines().filter(|line| !line.starts_with('\\')).for_each(|line| writing.add(line));
        writing.text.pop();
        writing.text
    }

    /// Adds a line, or the part that it stands for, with the parts that are in that.
    fn add(&mut self, line: &str) {
        let code = line.trim_start();
        if code == ":asking" || code == ":asked" {
            self.is_question = code == ":asking";
            return;
        }
        if (self.is_question && !self.asks) || (!self.comments && code.starts_with("--")) {
            return;
        }
        let part = PARTS.iter().find(|(name, _)| code.starts_with(':') && code == *name);
        match part {
            Some((_, part)) => part.trim_end().lines().for_each(|line| self.add(line)),
            None => self.add_line(line),
        }
    }

    fn add_line(&mut self, line: &str) {
        let mut rest = line;
        while let Some(at) = rest.find(':') {
            let (before, named) = rest.split_at(at);
            self.text.push_str(before);
            let names = [(":\"schema\"", &*self.identifier), (":'schema'", &*self.literal), (":", ":")];
            let found = names.iter().find_map(|(name, written)| Some((named.strip_prefix(name)?, written)));
            let Some((after, written)) = found else { break };
            self.text.push_str(written);
            rest = after;
        }
        self.text.push_str(rest);
        self.text.push('\n');
    }
}

macro_rules! statements {
    (@handling) => { Handling::Usual };
    (@handling filtered) => { Handling::Filtered };
    (@handling knowing) => { Handling::Knowing };
    (@handling seldom) => { Handling::Seldom };
    ($($(#[$doc:meta])* $name:ident in $file:literal $($kind:ident)? ( $($type:ident),* );)*) => {
        /// Every statement, for one schema.
        #[derive(Debug)]
        pub struct Statements {
            $($(#[$doc])* pub $name: Statement,)*
        }

        impl Statements {
            /// The statements for `schema`.
            pub fn new(schema: &str) -> Self {
                Self {
                    $($name: {
                        let name = stringify!($name).trim_end_matches("_known");
                        let handling = statements!(@handling $($kind)?);
                        Statement {
                            name,
                            sql: statement(name, include_str!($file), schema, handling != Handling::Knowing),
                            types: const { &[$(Type::$type),*] },
                            handling,
                        }
                    },)*
                }
            }

            #[cfg(test)]
            fn all(&self) -> Vec<&Statement> {
                vec![$(&self.$name),*]
            }
        }
    };
}

statements! {
    /// Stores a batch without idempotency keys.
    send in "messages/send.sql" (
        UUID_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, INT2_ARRAY, INT4_ARRAY, TIMESTAMPTZ_ARRAY, FLOAT8_ARRAY,
        TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY
    );
    /// The same for transports that are known to be switched on.
    send_known in "messages/send.sql" knowing (
        UUID_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, INT2_ARRAY, INT4_ARRAY, TIMESTAMPTZ_ARRAY, FLOAT8_ARRAY,
        TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY
    );
    /// Stores one message without an idempotency key.
    send_one in "messages/send_one.sql" (UUID, TEXT, TEXT, TEXT, INT2, INT4, TIMESTAMPTZ, FLOAT8, TEXT, TEXT, TEXT);
    /// The same for a transport that is known to be switched on.
    send_one_known in "messages/send_one.sql" knowing (UUID, TEXT, TEXT, TEXT, INT2, INT4, TIMESTAMPTZ, FLOAT8, TEXT, TEXT, TEXT);
    /// Stores a batch with idempotency keys.
    send_keyed in "messages/send_keyed.sql" (
        UUID_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, INT2_ARRAY, INT4_ARRAY, TIMESTAMPTZ_ARRAY, FLOAT8_ARRAY,
        TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, FLOAT8_ARRAY, INT4_ARRAY
    );
    /// The same for transports that are known to be switched on.
    send_keyed_known in "messages/send_keyed.sql" knowing (
        UUID_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, INT2_ARRAY, INT4_ARRAY, TIMESTAMPTZ_ARRAY, FLOAT8_ARRAY,
        TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, FLOAT8_ARRAY, INT4_ARRAY
    );
    /// What transports hold.
    survey in "messages/survey.sql" (TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY);
    /// Claims a batch that fits whatever is in it.
    claim in "messages/claim.sql" (
        UUID, TEXT, INT4, FLOAT8, UUID, TEXT_ARRAY, INT2_ARRAY, TEXT_ARRAY, INT8, TEXT, TIMESTAMPTZ_ARRAY, UUID_ARRAY,
        BOOL, TEXT, INT4, TEXT, TEXT
    );
    /// The same from a transport that is known to be switched on.
    claim_known in "messages/claim.sql" knowing (
        UUID, TEXT, INT4, FLOAT8, UUID, TEXT_ARRAY, INT2_ARRAY, TEXT_ARRAY, INT8, TEXT, TIMESTAMPTZ_ARRAY, UUID_ARRAY,
        BOOL, TEXT, INT4, TEXT, TEXT
    );
    /// Claims a batch of any size, as much of it as fits.
    claim_many in "messages/claim_many.sql" (
        UUID, TEXT, INT4, FLOAT8, UUID, TEXT_ARRAY, INT2_ARRAY, TEXT_ARRAY, INT8, TEXT, TIMESTAMPTZ_ARRAY, UUID_ARRAY,
        BOOL, TEXT, INT4, TEXT, TEXT
    );
    /// Claims one suspect.
    claim_suspect in "messages/claim_suspect.sql" (
        UUID, TEXT, INT4, FLOAT8, UUID, TEXT_ARRAY, TEXT_ARRAY, TEXT, TEXT, INT4, TEXT, TEXT
    );
    /// Ends messages without a trace.
    settle_drop in "settlements/drop.sql" (UUID_ARRAY, UUID_ARRAY, TEXT, UUID);
    /// Ends messages and keeps them.
    settle_finish in "settlements/finish.sql" (UUID_ARRAY, UUID_ARRAY, TEXT, UUID, TEXT_ARRAY);
    /// Puts messages back.
    settle_return in "settlements/return.sql" (
        UUID_ARRAY, UUID_ARRAY, TEXT, UUID, INT4_ARRAY, FLOAT8_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, BOOL_ARRAY,
        TEXT_ARRAY, INT4_ARRAY, UUID_ARRAY
    );
    /// Moves messages to the dead letters.
    settle_bury in "settlements/bury.sql" (
        UUID_ARRAY, UUID_ARRAY, TEXT, UUID, UUID_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, INT4_ARRAY,
        UUID_ARRAY
    );
    /// Whether a settling was done.
    has_counted in "counts/has_counted.sql" (TEXT);
    /// Puts back what a worker does not know that it holds.
    reconcile in "leases/reconcile.sql" (UUID, UUID_ARRAY, UUID, INT8, INT8);
    /// One heartbeat.
    extend in "leases/extend.sql" (UUID, FLOAT8, INT4);
    /// Takes back what was counted against a worker that lives.
    absolve in "leases/absolve.sql" (UUID);
    /// Which claims no longer stand.
    lost in "leases/lost.sql" (UUID_ARRAY, UUID_ARRAY, UUID);
    /// Whether there is anything to rescue.
    abandoned in "leases/abandoned.sql" (UUID);
    /// Takes messages that no worker holds.
    rescue in "leases/rescue.sql" (INT4, UUID, INT8, INT8);
    /// A worker leaves.
    sign_off in "leases/sign_off.sql" (UUID);
    /// How much waits.
    depth in "messages/depth.sql" (TEXT, INT8);
    /// What waits without a handler.
    unhandled in "messages/unhandled.sql" (TEXT, TEXT_ARRAY, INT8);
    /// Refused dispatches of a key.
    duplicate_attempts in "keys/attempts.sql" (TEXT);
    /// One page of dead letters.
    list_failed in "dead_letters/list.sql" filtered (
        TEXT, TEXT, TEXT, TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ, UUID_ARRAY, TEXT_ARRAY, TIMESTAMPTZ, UUID, INT8, INT8,
        BOOL
    );
    /// Where the dead letters of one page stand.
    failed_places in "dead_letters/places.sql" filtered (
        TEXT, TEXT, TEXT, TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ, UUID_ARRAY, TEXT_ARRAY, TIMESTAMPTZ, UUID, INT8, INT8
    );
    /// How many dead letters match.
    count_failed in "dead_letters/count.sql" filtered (
        TEXT, TEXT, TEXT, TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ, UUID_ARRAY, TEXT_ARRAY, INT8
    );
    /// A step that puts dead letters back into the queue.
    retry_letters in "operations/retry.sql" (UUID_ARRAY, UUID, INT4, TEXT, BOOL, UUID_ARRAY);
    /// A step that deletes dead letters.
    remove_letters in "operations/remove.sql" (UUID_ARRAY, UUID, INT4, TEXT, BOOL);
    /// A step that cancels messages.
    cancel_messages in "operations/cancel.sql" (UUID_ARRAY, UUID, INT4, TEXT, BOOL, BOOL);
    /// A step that makes messages due at another time.
    snooze_messages in "operations/snooze.sql" (UUID_ARRAY, UUID, INT4, TEXT, BOOL, FLOAT8);
    /// A step that moves messages elsewhere.
    move_messages in "operations/move.sql" (UUID_ARRAY, UUID, INT4, TEXT, BOOL, TEXT, TEXT, INT2);
    /// A step past messages.
    pass_messages in "operations/pass.sql" (UUID_ARRAY, UUID, INT4, TEXT, BOOL, TEXT);
    /// An operation begins.
    begin_operation in "operations/begin.sql" (UUID, TEXT, TEXT, TEXT, TEXT, INT8, TEXT);
    /// An operation ends where it stands.
    abort_operation in "operations/abort.sql" (UUID);
    /// What time it is.
    clock in "operations/clock.sql" ();
    /// Asks workers to stop.
    stop_workers in "leases/stop.sql" (TEXT, UUID_ARRAY, UUID, TEXT, TEXT, TEXT);
    /// Which of them are still there.
    stopping_workers in "leases/stopping.sql" (UUID_ARRAY);
    /// Whether a worker was asked to stop.
    asked_to_stop in "leases/asked_to_stop.sql" (UUID);
    /// What is known of why a message waits.
    why in "messages/why.sql" (UUID, INT8);
    /// One entry of the audit.
    audit_entry in "audit/get.sql" (UUID);
    /// One page of the audit.
    list_audit in "audit/list.sql" filtered (TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, UUID, INT8, INT8);
    /// Messages that wait.
    message_places in "messages/places.sql" filtered (
        TEXT, TEXT, TEXT, TEXT, INT2, TEXT, TIMESTAMPTZ, TIMESTAMPTZ, UUID, UUID, INT8, INT8, TEXT_ARRAY
    );
    /// Which chores have something to do.
    due_chores in "upkeep/due.sql" seldom (FLOAT8, FLOAT8, FLOAT8, FLOAT8, FLOAT8);
    /// Retention of finished messages.
    cleanup_finished in "messages/clean_up.sql" seldom (FLOAT8, INT8);
    /// Retention of dead letters.
    cleanup_failed in "dead_letters/clean_up.sql" seldom (FLOAT8, INT8);
    /// Retention of metrics.
    cleanup_metrics in "counts/clean_up.sql" seldom (FLOAT8, INT8);
    /// Retention of the metrics of hours.
    cleanup_hours in "counts/clean_up_hourly.sql" seldom (FLOAT8, INT8);
    /// How full the queues are, noted.
    note_depths in "depths/note.sql" seldom ();
    /// How full a queue was.
    depths in "depths/read.sql" (FLOAT8, TIMESTAMPTZ, TIMESTAMPTZ, TEXT, TEXT);
    /// Releases of those at work, noted.
    note_releases in "releases/note.sql" seldom ();
    /// Releases that were seen.
    releases in "releases/list.sql" (INT8);
    /// Who is at work.
    workers in "workers/list.sql" (INT8);
    /// Failed runs by their error.
    error_groups in "error_groups/list.sql" (TEXT, TEXT, INT8);
    /// What is thought of one.
    put_error_group in "error_groups/put.sql" (TEXT, TEXT, TEXT, TEXT, UUID, TEXT, TEXT, TEXT);
    /// Keys that have refused dispatches.
    refused_keys in "keys/refused.sql" (TIMESTAMPTZ, INT8);
    /// Retention of depths.
    cleanup_depths in "depths/clean_up.sql" seldom (FLOAT8, INT8);
    /// Retention of groups of errors.
    cleanup_error_groups in "error_groups/clean_up.sql" seldom (FLOAT8, INT8);
    /// Rows of metrics about one minute into one.
    merge_metrics in "counts/merge.sql" seldom (INT8);
    /// What was ever counted.
    ever_counted in "counts/ever.sql" ();
    /// How circuits are, and what was seen of them.
    circuits in "circuits/exchange.sql" (UUID, TEXT);
    /// Whether somebody may be told.
    admit_notification in "notifications/admit.sql" (TEXT, INT4, INT4, FLOAT8, FLOAT8, UUID);
    /// Notes on notifications that are old.
    cleanup_notifications in "notifications/clean_up.sql" seldom (INT8);
    /// What a look at the health needs.
    vitals in "health/vitals.sql" (INT8);
    /// What was counted.
    metrics in "counts/read.sql" (FLOAT8, TIMESTAMPTZ, TIMESTAMPTZ, INT8);
    /// Windows that have passed.
    cleanup_deduplication in "keys/clean_up.sql" seldom (INT8);
    /// Schedules that are due.
    schedules_due in "schedules/due.sql" (INT8);
    /// Messages of schedules, and the schedules moved on.
    schedules_settle in "schedules/settle.sql" (
        UUID_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, INT2_ARRAY, INT4_ARRAY, TIMESTAMPTZ_ARRAY, FLOAT8_ARRAY,
        TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, FLOAT8_ARRAY, INT4_ARRAY, UUID_ARRAY, UUID_ARRAY, INT8_ARRAY,
        TIMESTAMPTZ_ARRAY, TIMESTAMPTZ_ARRAY, TIMESTAMPTZ_ARRAY, INT4_ARRAY, INT8_ARRAY, BOOL_ARRAY, TEXT_ARRAY,
        TEXT, UUID, TEXT, TEXT, TEXT, TEXT
    );
    /// One schedule.
    schedule_get in "schedules/get.sql" (TEXT);
    /// One page of schedules.
    schedules_list in "schedules/list.sql" (TEXT, INT8);
    /// A schedule under its name.
    schedule_put in "schedules/put.sql" (TEXT, INT8, TEXT, UUID, TEXT, TEXT, TEXT, TEXT);
    /// Deletes a schedule.
    schedule_delete in "schedules/delete.sql" (TEXT, UUID, TEXT, TEXT, TEXT);
    /// Deletes what code no longer names.
    schedules_prune in "schedules/prune.sql" (TEXT, TEXT_ARRAY);
    /// Retention of schedules that have no run left.
    cleanup_schedules in "schedules/clean_up.sql" seldom (FLOAT8, INT8);
    /// One page of messages.
    list_messages in "messages/list.sql" filtered (
        TEXT_ARRAY, TEXT, TEXT, TEXT, INT2, TEXT, TIMESTAMPTZ, TIMESTAMPTZ, UUID, UUID, INT8, INT8, TEXT_ARRAY, BOOL
    );
    /// One message.
    get_message in "messages/get.sql" (UUID);
    /// Takes a message out of the queue before it ran.
    cancel in "messages/cancel.sql" (UUID, BOOL, UUID, TEXT, TEXT, TEXT);
    /// Changes a waiting message.
    edit in "messages/edit.sql" (
        UUID, TEXT, TEXT, TEXT, TEXT, INT2, INT4, TIMESTAMPTZ, FLOAT8, UUID, TEXT, TEXT, TEXT, TEXT_ARRAY
    );
    /// How much is finished and buried.
    totals in "messages/totals.sql" (TEXT, INT8);
    /// An execution begins, unless it has already.
    begin_execution in "executions/begin.sql" (TEXT, TEXT, FLOAT8);
    /// An execution ends.
    end_execution in "executions/end.sql" (TEXT, TEXT, TIMESTAMPTZ, BOOL);
    /// Executions that are not repeated any more.
    cleanup_executions in "executions/clean_up.sql" seldom (INT8);
    /// Parks messages for a broker.
    park in "parked/park.sql" (
        TEXT, UUID_ARRAY, UUID, TEXT_ARRAY, TEXT_ARRAY, INT2_ARRAY, TIMESTAMPTZ_ARRAY, TIMESTAMPTZ_ARRAY,
        TIMESTAMPTZ_ARRAY, FLOAT8_ARRAY, INT4_ARRAY, INT4_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY,
        TEXT_ARRAY, TEXT_ARRAY, FLOAT8_ARRAY, INT4_ARRAY, FLOAT8
    );
    /// Takes parked messages that are due.
    take_parked in "parked/take.sql" (TEXT, UUID, FLOAT8, INT8);
    /// Takes messages out of the parking.
    unpark in "parked/unpark.sql" (TEXT, UUID_ARRAY, UUID);
    /// Leaves parked messages to others.
    leave_parked in "parked/leave.sql" (TEXT, UUID_ARRAY, UUID);
    /// Ends messages that a broker has delivered.
    carried_finish in "parked/finish.sql" (
        TEXT, UUID_ARRAY, TEXT, TEXT_ARRAY, TEXT_ARRAY, INT2_ARRAY, TIMESTAMPTZ_ARRAY, TIMESTAMPTZ_ARRAY,
        TIMESTAMPTZ_ARRAY, FLOAT8_ARRAY, INT4_ARRAY, INT4_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY,
        TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, UUID_ARRAY
    );
    /// Parks messages that a broker has delivered.
    carried_return in "parked/return.sql" (
        TEXT, UUID_ARRAY, TEXT, TEXT_ARRAY, TEXT_ARRAY, INT2_ARRAY, TIMESTAMPTZ_ARRAY, TIMESTAMPTZ_ARRAY,
        TIMESTAMPTZ_ARRAY, FLOAT8_ARRAY, INT4_ARRAY, INT4_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY,
        TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, INT4_ARRAY, UUID_ARRAY
    );
    /// Makes dead letters of messages that a broker has delivered.
    carried_bury in "parked/bury.sql" (
        TEXT, UUID_ARRAY, TEXT, TEXT_ARRAY, TEXT_ARRAY, INT2_ARRAY, TIMESTAMPTZ_ARRAY, TIMESTAMPTZ_ARRAY,
        TIMESTAMPTZ_ARRAY, FLOAT8_ARRAY, INT4_ARRAY, INT4_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY,
        TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, INT4_ARRAY, UUID_ARRAY, UUID_ARRAY
    );
    /// How much is parked.
    count_parked in "parked/count.sql" (TEXT, INT8);
    /// What has been answered already.
    answered in "parked/answered.sql" (TEXT, UUID_ARRAY);
    /// Pauses messages of a scope.
    pause in "controls/pause.sql" (TEXT, TEXT, TEXT, TEXT, TEXT, TIMESTAMPTZ, FLOAT8, UUID, TEXT);
    /// Ends a pause.
    resume in "controls/resume.sql" (TEXT, TEXT, TEXT, TEXT, TEXT, UUID, TEXT);
    /// What is paused.
    pauses in "controls/list.sql" ();
    /// Pauses that are over by themselves.
    cleanup_pauses in "controls/clean_up.sql" seldom (INT8);
    /// Retention of the audit.
    cleanup_audit in "audit/clean_up.sql" seldom (FLOAT8, INT8);
    /// Transports added at run time.
    transports in "transports/list.sql" ();
    /// The facts for a diagnosis.
    doctor in "health/doctor.sql" (FLOAT8, FLOAT8, FLOAT8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_quoted_wherever_it_stands() {
        let sql = in_schema("\\set x\nSELECT :'schema' FROM :\"schema\".t WHERE a::text = ''", "odd \"na'me");
        assert_eq!(sql, "SELECT 'odd \"na''me' FROM \"odd \"\"na'me\".t WHERE a::text = ''");
    }

    #[test]
    fn every_table_of_every_statement_is_qualified() {
        for statement in Statements::new("s3").all() {
            let code = statement.sql.lines().filter(|line| !line.trim_start().starts_with("--"));
            for line in code {
                let qualified = line.matches("\"s3\".messenger_").count();
                let literal = line.matches("'messenger").count();
                let named = line.matches("messenger").count() - literal;
                assert_eq!(qualified, named, "{}: {line}", statement.name);
            }
        }
    }

    #[test]
    fn statements_have_their_name_and_no_comments() {
        let sql = "-- Why.\nSELECT 1\n  -- How.\n  AS one";
        assert_eq!(statement("one", sql, "s", true), "/* symphony: one */\nSELECT 1\n  AS one");
        for statement in Statements::new("s").all() {
            assert!(!statement.sql.contains("--"), "{}", statement.name);
        }
    }

    #[test]
    fn who_knows_does_not_ask() {
        let sql = "SELECT 1\n  :asking\n  WHERE $1 <> ALL (ARRAY(\n    :disabled\n  ))\n  :asked\nLIMIT 1";
        assert!(statement("one", sql, "s", false).ends_with("SELECT 1\nLIMIT 1"));
        let asking = statement("one", sql, "s", true);
        assert!(asking.contains("messenger_transports") && !asking.contains(":ask"), "{asking}");
        let all = Statements::new("s");
        for (asking, knowing) in
            [(&all.send, &all.send_known), (&all.send_one, &all.send_one_known), (&all.claim, &all.claim_known)]
        {
            assert!(asking.sql.contains("messenger_transports"), "{}", asking.name);
            assert!(!knowing.sql.contains("messenger_transports"), "{}", knowing.name);
        }
    }

    /// In one line, without the numbers of its parameters.
    fn flat(sql: &str) -> String {
        let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        line.split('$').map(|it| it.trim_start_matches(|c: char| c.is_ascii_digit())).collect()
    }

    /// What a chore looks for.
    fn looked_for(sql: &str) -> String {
        let sql = flat(sql);
        let inner = ["SELECT ctid FROM", "SELECT id FROM"].iter().find_map(|it| sql.find(it)).unwrap_or_default();
        let (_, looked_for) = sql[inner..].split_once(" FROM ").unwrap();
        let end = [" ORDER BY", " LIMIT"].iter().filter_map(|it| looked_for.find(it)).min().unwrap();
        looked_for[..end].to_owned()
    }

    #[test]
    fn each_chore_is_asked_for_by_what_it_looks_for() {
        let all = Statements::new("s");
        let due = flat(&all.due_chores.sql);
        // Depths are noted without being asked for.
        let chores = all.all().into_iter().filter(|it| it.handling == Handling::Seldom);
        let asked = chores.filter(|it| !["due_chores", "note_depths"].contains(&it.name));
        let mut places: Vec<_> = asked.map(|it| (due.find(&looked_for(&it.sql)), it.name)).collect();
        places.sort_unstable();
        assert!(places.iter().all(|(place, _)| place.is_some()), "{places:?}");
        let order: Vec<_> = places.iter().map(|(_, name)| *name).collect();
        assert_eq!(order, CHORES);
    }

    /// In the order of store/upkeep.rs.
    const CHORES: [&str; 14] = [
        "merge_metrics",
        "cleanup_notifications",
        "cleanup_finished",
        "cleanup_failed",
        "cleanup_deduplication",
        "cleanup_schedules",
        "cleanup_metrics",
        "cleanup_executions",
        "cleanup_hours",
        "cleanup_depths",
        "cleanup_error_groups",
        "cleanup_audit",
        "cleanup_pauses",
        "note_releases",
    ];

    proptest::proptest! {
        #[test]
        fn a_schema_that_the_configuration_allows_stands_whole_in_every_statement(schema in "[a-z_][a-z0-9_]{0,62}") {
            for statement in Statements::new(&schema).all() {
                proptest::prop_assert!(!statement.sql.contains(":\"schema\"") && !statement.sql.contains(":'schema'"));
                let named = statement.sql.matches(&format!("\"{schema}\".messenger_")).count();
                proptest::prop_assert!(named > 0, "{}", statement.name);
            }
        }

        #[test]
        fn lines_of_psql_go_and_all_others_stay(lines in proptest::collection::vec("(\\\\)?[a-z ';$\"]{0,12}", 0..12)) {
            let sql = lines.join("\n");
            let kept: Vec<_> = lines.iter().filter(|line| !line.starts_with('\\')).cloned().collect();
            let kept = kept.join("\n");
            let written = in_schema(&sql, "s");
            proptest::prop_assert_eq!(written.trim_end_matches('\n'), kept.trim_end_matches('\n'));
        }
    }
}
