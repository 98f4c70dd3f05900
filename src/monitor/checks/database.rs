//! The thorough checks: the database itself, and what in it gets worse with time.

use super::queue::Overdue;
use super::{Finding, some};
use serde::Deserialize;

/// The oldest Postgres that is tested.
const OLDEST_VERSION: i32 = 150_000;
/// Clocks further apart than this are reported, in milliseconds: schedules and log lines will not match.
const CLOCK_TOLERANCE_MS: f64 = 2_000.0;
/// A transaction older than this keeps vacuum from cleaning up the queue's tables, in seconds.
const OLD_TRANSACTION_S: f64 = 60.0;
/// Dead rows are normal in a queue; this many, and this many times the live ones, mean that vacuum does not keep up.
const MANY_DEAD: i64 = 200_000;
const DEAD_TO_LIVE: i64 = 5;

/// What doctor.sql saw.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    version: i32,
    now: f64,
    exposed: Vec<String>,
    unguarded: Vec<String>,
    oldest_transaction: Option<Transaction>,
    prepared_transactions: i64,
    holding_slots: Vec<String>,
    tables: Vec<Table>,
    stale_workers: Vec<StaleWorker>,
    overdue_schedules: Vec<Late>,
    overdue_parked: Vec<Late>,
    past_retention: Vec<PastRetention>,
}

#[derive(Debug, Clone, Deserialize)]
struct Transaction {
    seconds: f64,
    pid: i32,
    application: String,
    state: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Table {
    name: String,
    live: i64,
    dead: i64,
}

#[derive(Debug, Clone, Deserialize)]
struct StaleWorker {
    host: String,
    pid: i32,
    seconds: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct Late {
    name: String,
    seconds: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct PastRetention {
    what: String,
    seconds: f64,
}

impl Facts {
    /// The workers, schedules and parked messages that are overdue, named.
    pub fn overdue(&self) -> Overdue {
        let worker = |it: &StaleWorker| format!("{} pid {} ({} s)", it.host, it.pid, it.seconds.round());
        let late = |it: &Late| format!("{} ({} s)", it.name, it.seconds.round());
        Overdue {
            workers: self.stale_workers.iter().map(worker).collect(),
            schedules: self.overdue_schedules.iter().map(late).collect(),
            parked: self.overdue_parked.iter().map(late).collect(),
        }
    }
}

/// How statements are sent, and whether the URL says otherwise. `declared`: `database.pooled`; `named`: whether the URL
/// names a transaction pooler.
pub fn pooler(declared: Option<bool>, named: bool) -> Finding {
    match (declared, named) {
        (Some(false), true) => Finding::error(
            "pooler",
            "database.pooled is false, but the URL names a transaction pooler",
            "remove database.pooled from the configuration, or use the direct URL",
        ),
        (Some(true), _) | (None, true) => Finding::ok("pooler", "statements are sent for a transaction pooler"),
        (_, false) => Finding::ok("pooler", "statements are prepared on direct connections"),
    }
}

/// A transaction pooler answers at `label`, and nothing is sent as it needs it.
pub fn denied_pooler(label: &str) -> Finding {
    Finding::error(
        "pooler",
        format!("a transaction pooler answers at {label}, but statements are sent as on a direct connection"),
        "add ?pgbouncer=true to the URL, and remove database.pooled (SYMPHONY_DATABASE_POOLED) from the configuration",
    )
}

/// A transaction pooler answers at `label`, which was noticed.
pub fn hidden_pooler(label: &str) -> Finding {
    Finding::warning(
        "pooler",
        format!(
            "a transaction pooler answers at {label}, and the URL does not say so: LISTEN cannot wake workers there"
        ),
        "add ?pgbouncer=true to the URL, and set database.directUrl to a URL that leads past the pooler",
    )
}

/// What the facts mean. `local_ms` is this process's clock in the middle of the round trip that fetched them.
pub fn judge(facts: &Facts, local_ms: f64) -> Vec<Finding> {
    vec![
        version(facts.version),
        clock(facts.now - local_ms),
        rights(&facts.exposed),
        row_security(&facts.unguarded),
        transactions(facts),
        dead_rows(&facts.tables),
        retention(&facts.past_retention),
    ]
}

fn version(number: i32) -> Finding {
    let (major, minor) = (number / 10_000, number % 10_000);
    if number >= OLDEST_VERSION {
        return Finding::ok("version", format!("Postgres {major}.{minor}"));
    }
    let remedy = format!("upgrade to Postgres {} or later", OLDEST_VERSION / 10_000);
    Finding::error("version", format!("Postgres {major}.{minor} is older than what is tested"), remedy)
}

fn clock(difference_ms: f64) -> Finding {
    let message = format!("the database's clock and this process's are {:.1} s apart", difference_ms.abs() / 1000.0);
    if difference_ms.abs() <= CLOCK_TOLERANCE_MS {
        return Finding::ok("clock", message);
    }
    let remedy = "let NTP set the clock of this machine; the queue itself uses the database's clock";
    Finding::warning("clock", message, remedy)
}

fn rights(exposed: &[String]) -> Finding {
    if exposed.is_empty() {
        return Finding::ok("rights", "anon and authenticated can reach none of the tables");
    }
    Finding::error(
        "rights",
        format!("anyone who holds the public API key can reach the queue: {}", some(exposed)),
        "run `await migrate()`, and REVOKE ALL on the schema and its tables FROM anon, authenticated",
    )
}

fn row_security(unguarded: &[String]) -> Finding {
    if unguarded.is_empty() {
        return Finding::ok("rowSecurity", "row level security is on for every table");
    }
    let message = format!("row level security is off for {}", some(unguarded));
    Finding::warning("rowSecurity", message, "ALTER TABLE ... ENABLE ROW LEVEL SECURITY for each of them")
}

fn transactions(facts: &Facts) -> Finding {
    let check = "transactions";
    if let Some(oldest) = facts.oldest_transaction.as_ref().filter(|it| it.seconds > OLD_TRANSACTION_S) {
        let state = oldest.state.as_deref().unwrap_or("of unknown state");
        return Finding::warning(
            check,
            format!(
                "a transaction of {} s (pid {}, \"{}\", {state}) keeps vacuum from cleaning up the queue's tables",
                oldest.seconds.round(),
                oldest.pid,
                oldest.application
            ),
            format!("end it: SELECT pg_terminate_backend({}), and keep transactions short", oldest.pid),
        );
    }
    if facts.prepared_transactions > 0 {
        let message = format!("{} prepared transactions are older than a minute", facts.prepared_transactions);
        return Finding::warning(check, message, "COMMIT PREPARED or ROLLBACK PREPARED those in pg_prepared_xacts");
    }
    if !facts.holding_slots.is_empty() {
        let message = format!("replication slots nobody reads hold back vacuum: {}", some(&facts.holding_slots));
        return Finding::warning(check, message, "drop them with pg_drop_replication_slot, or start their reader");
    }
    Finding::ok(check, "no transaction holds back vacuum")
}

fn dead_rows(tables: &[Table]) -> Finding {
    let bloated = tables.iter().filter(|it| it.dead > MANY_DEAD && it.dead / DEAD_TO_LIVE > it.live);
    let named: Vec<String> = bloated.map(|it| format!("{} ({} dead, {} live)", it.name, it.dead, it.live)).collect();
    if named.is_empty() {
        return Finding::ok("deadRows", "vacuum keeps up with the hot tables");
    }
    let remedy = "VACUUM them now; see whether autovacuum runs (pg_stat_user_tables) and what holds it back";
    Finding::warning("deadRows", format!("vacuum does not keep up: {}", some(&named)), remedy)
}

fn retention(past: &[PastRetention]) -> Finding {
    if past.is_empty() {
        return Finding::ok("retention", "nothing is kept longer than its retention");
    }
    let named: Vec<String> =
        past.iter().map(|it| format!("{} ({} h)", it.what, (it.seconds / 3600.0).round())).collect();
    Finding::warning(
        "retention",
        format!("kept longer than the retention: {}", some(&named)),
        "call consumeBatch() more often, start a Worker, or call cleanup() until it deletes nothing",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::checks::Severity;
    use serde_json::{Value, json};

    fn facts(change: impl FnOnce(&mut Value)) -> Facts {
        let mut facts = json!({
            "version": 170_002, "now": 1_000_000.0, "exposed": [], "unguarded": [], "oldestTransaction": null,
            "preparedTransactions": 0, "holdingSlots": [], "tables": [], "staleWorkers": [],
            "overdueSchedules": [], "overdueParked": [], "pastRetention": [],
        });
        change(&mut facts);
        serde_json::from_value(facts).unwrap()
    }

    fn wrong(change: impl FnOnce(&mut Value)) -> Vec<Finding> {
        judge(&facts(change), 1_000_000.0).into_iter().filter(|it| it.severity != Severity::Ok).collect()
    }

    #[test]
    fn nothing_is_found_where_nothing_is_wrong() {
        assert_eq!(wrong(|_| {}), []);
    }

    #[test]
    fn each_trouble_is_found_with_its_remedy() {
        let busy = json!({ "seconds": 3600.4, "pid": 77, "application": "report", "state": "idle in transaction" });
        let cases: [(&str, &str, Value, &str); 9] = [
            ("version", "version", json!(140_010), "14.10"),
            ("clock", "now", json!(1_600_000.0), "600.0 s apart"),
            ("rights", "exposed", json!(["anon may select messenger_messages"]), "anon may select"),
            ("rowSecurity", "unguarded", json!(["messenger_messages"]), "off for messenger_messages"),
            ("transactions", "oldestTransaction", busy, "3600 s (pid 77, \"report\", idle in transaction)"),
            ("transactions", "preparedTransactions", json!(2), "2 prepared"),
            ("transactions", "holdingSlots", json!(["old"]), "old"),
            ("deadRows", "tables", json!([{ "name": "p", "live": 10, "dead": 300_000 }]), "p (300000 dead, 10 live)"),
            ("retention", "pastRetention", json!([{ "what": "metrics", "seconds": 7300 }]), "metrics (2 h)"),
        ];
        for (check, key, value, text) in cases {
            let found = wrong(|facts| facts[key] = value);
            assert_eq!(found.iter().map(|it| it.check).collect::<Vec<_>>(), [check]);
            assert!(found[0].message.contains(text), "{}", found[0].message);
            assert!(found[0].remedy.is_some());
        }
    }

    #[test]
    fn a_busy_table_with_many_live_rows_is_left_alone() {
        assert_eq!(wrong(|it| it["tables"] = json!([{ "name": "p", "live": 500_000, "dead": 300_000 }])), []);
    }

    #[test]
    fn what_is_overdue_is_named() {
        let overdue = facts(|it| {
            it["staleWorkers"] = json!([{ "host": "h", "pid": 5, "seconds": 90.2 }]);
            it["overdueSchedules"] = json!([{ "name": "daily", "seconds": 600.4 }]);
        })
        .overdue();
        assert_eq!((overdue.workers, overdue.schedules), (vec!["h pid 5 (90 s)".into()], vec!["daily (600 s)".into()]));
    }

    #[test]
    fn a_pooler_must_be_what_the_configuration_says() {
        let severity = |declared, named| pooler(declared, named).severity;
        assert_eq!(severity(Some(false), true), Severity::Error);
        for (declared, named) in
            [(None, true), (None, false), (Some(true), true), (Some(true), false), (Some(false), false)]
        {
            assert_eq!(severity(declared, named), Severity::Ok);
        }
    }
}
