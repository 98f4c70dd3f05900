//! From facts to findings. Pure: what was seen comes in, what it means goes out, each with its remedy.

use serde::{Deserialize, Serialize};

/// The oldest Postgres that is tested.
const OLDEST_VERSION: i32 = 150_000;
/// Clocks further apart than this are reported, in milliseconds: schedules and log lines will not match.
const CLOCK_TOLERANCE_MS: f64 = 2_000.0;
/// A transaction older than this keeps vacuum from cleaning up the queue's tables, in seconds.
const OLD_TRANSACTION_S: f64 = 60.0;
/// Dead rows are normal in a queue; this many, and this many times the live ones, mean that vacuum does not keep up.
const MANY_DEAD: i64 = 200_000;
const DEAD_TO_LIVE: i64 = 5;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// It works, but will get worse.
    Warning,
    /// It does not work, or is not safe.
    Error,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked, a stable name.
    pub check: &'static str,
    /// How it is.
    pub severity: Severity,
    /// What was seen.
    pub message: String,
    /// What to do, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, severity: Severity::Ok, message: message.into(), remedy: None }
    }

    /// It works, but will get worse.
    pub fn warning(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, severity: Severity::Warning, message: message.into(), remedy: Some(remedy.into()) }
    }

    /// It does not work, or is not safe.
    pub fn error(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, severity: Severity::Error, message: message.into(), remedy: Some(remedy.into()) }
    }
}

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
    held_by_nobody: i64,
    unknown_to_workers: i64,
    overdue_schedules: Vec<OverdueSchedule>,
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
struct OverdueSchedule {
    name: String,
    seconds: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct PastRetention {
    what: String,
    seconds: f64,
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
        workers(&facts.stale_workers),
        held(facts.held_by_nobody, facts.unknown_to_workers),
        schedules(&facts.overdue_schedules),
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

fn workers(stale: &[StaleWorker]) -> Finding {
    if stale.is_empty() {
        return Finding::ok("workers", "no worker is overdue");
    }
    let named: Vec<String> =
        stale.iter().map(|it| format!("{} pid {} ({} s)", it.host, it.pid, it.seconds.round())).collect();
    Finding::warning(
        "workers",
        format!("workers past their lease, whose messages nobody has rescued: {}", some(&named)),
        "call consumeBatch() or start a Worker: any claim rescues them",
    )
}

fn held(by_nobody: i64, unknown: i64) -> Finding {
    let check = "held";
    if by_nobody > 0 {
        return Finding::warning(
            check,
            format!("{by_nobody} claimed messages are held by nobody: their workers have no row in messenger_workers"),
            "call consumeBatch() or start a Worker: any claim takes them back",
        );
    }
    if unknown > 0 {
        return Finding::warning(
            check,
            format!("{unknown} messages are held by living workers that do not know of them"),
            "deploy this version everywhere: its workers put them back with each heartbeat; restart older ones",
        );
    }
    Finding::ok(check, "every claimed message is held by a worker")
}

fn schedules(overdue: &[OverdueSchedule]) -> Finding {
    if overdue.is_empty() {
        return Finding::ok("schedules", "no schedule is overdue");
    }
    let named: Vec<String> = overdue.iter().map(|it| format!("{} ({} s)", it.name, it.seconds.round())).collect();
    Finding::warning(
        "schedules",
        format!("schedules that have been due for more than five minutes: {}", some(&named)),
        "call runDueSchedules() every minute from a cron route, or start a Scheduler; pause what should not run",
    )
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

/// The first few of a list that may be long.
fn some(all: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = all.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN { format!("{shown} and {} more", all.len() - SHOWN) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn facts(change: impl FnOnce(&mut Value)) -> Facts {
        let mut facts = json!({
            "version": 170_002, "now": 1_000_000.0, "exposed": [], "unguarded": [], "oldestTransaction": null,
            "preparedTransactions": 0, "holdingSlots": [], "tables": [], "staleWorkers": [],
            "overdueSchedules": [], "pastRetention": [],
            "heldByNobody": 0, "unknownToWorkers": 0,
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
        let cases: [(&str, &str, Value, &str); 13] = [
            ("version", "version", json!(140_010), "14.10"),
            ("clock", "now", json!(1_600_000.0), "600.0 s apart"),
            ("rights", "exposed", json!(["anon may select messenger_messages"]), "anon may select"),
            ("rowSecurity", "unguarded", json!(["messenger_messages"]), "off for messenger_messages"),
            ("transactions", "oldestTransaction", busy, "3600 s (pid 77, \"report\", idle in transaction)"),
            ("transactions", "preparedTransactions", json!(2), "2 prepared"),
            ("transactions", "holdingSlots", json!(["old"]), "old"),
            ("deadRows", "tables", json!([{ "name": "p", "live": 10, "dead": 300_000 }]), "p (300000 dead, 10 live)"),
            ("workers", "staleWorkers", json!([{ "host": "h", "pid": 5, "seconds": 90.2 }]), "h pid 5 (90 s)"),
            ("held", "heldByNobody", json!(5), "5 claimed messages are held by nobody"),
            ("held", "unknownToWorkers", json!(7), "7 messages are held by living workers that do not know of them"),
            ("schedules", "overdueSchedules", json!([{ "name": "daily", "seconds": 600.4 }]), "daily (600 s)"),
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
}
