//! Whether a connection has a server session of its own, and how a statement travels accordingly.
//!
//! With a session of its own a statement is prepared once and settings are set once. Through a transaction pooler every
//! statement may meet another session, and what is kept there stays for the next client, which may be another
//! application. So nothing is kept, and a statement reaches the server as one unit, under one Sync: `query_typed` sends
//! Parse, Bind and Execute together, so that no other client's statement can come between.
//!
//! A URL does not always say which of the two it is. So the first statement travels in a transaction with settings that
//! end with it, all in one round trip, and beside it a question: a pooler makes up the number of the server process that
//! it announces at login. Nothing is kept on a connection that answers with another number, until
//! [`super::shared_sessions`] has seen that it does keep sessions (a session pooler, a proxy).

use super::announced_pid::announced_pid;
use crate::backends::postgres::sql::{Handling, PLANNED_ONCE, PLANNING, Statement};
use crate::base::targets::POSTGRES;
use deadpool_postgres::ClientWrapper;
use futures_util::future::{join, join_all, join3};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tracing::{debug, info};

/// A statement with its parameters.
pub type Query<'a> = (&'a Statement, &'a [&'a (dyn ToSql + Sync)]);

/// Begins a transaction in which a statement is planned for its own parameters.
const PLANNED_ANEW: &str = "BEGIN; SET LOCAL plan_cache_mode = auto";

/// How often a statement is repeated that the server has rolled back in favor of another.
const REPEATS: u32 = 5;
/// The pause before the first repetition, within half and one and a half of it; the next ones double.
const PAUSE: Duration = Duration::from_millis(5);

/// Nothing that the role's `search_path` names comes before `pg_catalog`, where the operators, functions and types of
/// the statements are. Leaves such a path unchanged.
const PATH: &str = "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false) \
     WHERE (pg_catalog.current_schemas(true))[1] OPERATOR(pg_catalog.<>) 'pg_catalog'";

/// Who answers, and what the role brings along.
const WHO: &str = "SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_schemas(true)::pg_catalog.text[], \
     pg_catalog.current_setting('default_transaction_isolation')";

/// What is known of the connections of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Nothing yet.
    Unknown,
    /// Each has a server session of its own.
    Own,
    /// They may share sessions with other clients.
    Shared,
    /// As [`Kind::Shared`], and the role's own settings conflict with the statements.
    Guarded,
}

/// How statements travel over the connections of a pool.
pub struct Session {
    kind: AtomicU8,
    /// Whether a transaction pooler was declared.
    declared_shared: bool,
    /// Sets what holds for a session.
    setting: String,
    /// Begins a transaction in which the same holds.
    beginning: String,
}

impl Session {
    /// `pooled`: whether a transaction pooler answers, if known. `idle`: after twice that time without a statement the
    /// server ends a session of our own, should its process be frozen and close nothing by itself.
    pub fn new(pooled: Option<bool>, limit: Duration, idle: Duration) -> Self {
        let (limit, idle) = (limit.as_millis(), (2 * idle).as_millis().min(i32::MAX as u128));
        let kind = if pooled == Some(false) { Kind::Own } else { Kind::Unknown };
        Self {
            kind: AtomicU8::new(kind as u8),
            declared_shared: pooled == Some(true),
            setting: format!(
                "SET statement_timeout = {limit}; SET idle_session_timeout = {idle}; {}; {PLANNED_ONCE}; \
                 SET default_transaction_isolation = 'read committed'; {PATH}",
                PLANNING.join("; ")
            ),
            beginning: format!(
                "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = {limit}; {}; {}",
                PLANNING.join("; ").replace("SET ", "SET LOCAL "),
                PATH.replace("false)", "true)")
            ),
        }
    }

    /// What is known by now.
    pub fn kind(&self) -> Kind {
        match self.kind.load(Ordering::Relaxed) {
            1 => Kind::Own,
            2 => Kind::Shared,
            3 => Kind::Guarded,
            _ => Kind::Unknown,
        }
    }

    /// Whether a transaction pooler was declared.
    pub fn is_declared_shared(&self) -> bool {
        self.declared_shared
    }

    /// Whether something is in between that was not declared as a transaction pooler, and may not be one.
    pub fn is_doubtful(&self) -> bool {
        !self.declared_shared && matches!(self.kind(), Kind::Shared | Kind::Guarded)
    }

    /// The connections have proven to have sessions of their own.
    pub fn keeps(&self) {
        self.kind.store(Kind::Own as u8, Ordering::Relaxed);
    }

    /// Whether the server itself ends what runs too long.
    pub fn is_limited(&self) -> bool {
        self.kind() != Kind::Shared
    }

    /// Runs statements in one round trip once they are prepared, each in a transaction of its own.
    pub async fn run_all(
        &self,
        client: &ClientWrapper,
        queries: &[Query<'_>],
    ) -> Vec<Result<Vec<Row>, tokio_postgres::Error>> {
        let kind = self.kind();
        if kind == Kind::Own {
            self.set_up(client).await;
        }
        let each = queries.iter().map(|query| self.run(client, query, kind));
        if kind != Kind::Unknown {
            return join_all(each).await;
        }
        let (seen, answers) = join(ask_who(client), join_all(each)).await;
        // What cannot be asked is asked with the next statement.
        match seen {
            Ok(Some(seen)) => self.learn(announced_pid(client), &seen),
            Err(error) if refuses_transactions(&error) => self.learn(None, &Seen { pid: 0, is_in_the_way: false }),
            _ => {}
        }
        answers
    }

    fn learn(&self, announced: Option<i32>, seen: &Seen) {
        let kind = match (announced == Some(seen.pid) && !self.declared_shared, seen.is_in_the_way) {
            (true, _) => Kind::Own,
            (false, true) => Kind::Guarded,
            (false, false) => Kind::Shared,
        };
        let (unknown, kind) = (Kind::Unknown as u8, kind as u8);
        // A faster task has seen the same, or more.
        let is_first = self.kind.compare_exchange(unknown, kind, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_first && kind != Kind::Own as u8 {
            let declared = self.declared_shared;
            info!(target: POSTGRES, declared, "a pooler is in between: nothing is kept on its connections");
        }
    }

    /// Sets what holds on a connection of our own before the first statement on it is prepared. That follows without
    /// waiting for the answer, which cannot be a refusal: one round trip less for each connection. Startup parameters
    /// would cost none either, but session poolers refuse those that they do not know.
    async fn set_up(&self, client: &ClientWrapper) {
        if client.statement_cache.size() > 0 {
            return;
        }
        let mut setting = pin!(client.batch_execute(&self.setting));
        let _ = poll_fn(|context| Poll::Ready(setting.as_mut().poll(context))).await;
    }

    /// Runs a statement, and again if the server has rolled it back in favor of another. Nothing of it was done then:
    /// each statement of the queue is a transaction of its own.
    async fn run(
        &self,
        client: &ClientWrapper,
        &(statement, parameters): &Query<'_>,
        kind: Kind,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let mut repeats = 0;
        loop {
            let answer = match kind {
                Kind::Own => on_own_session(client, statement, parameters).await,
                Kind::Shared => unprepared(client, statement, parameters).await,
                Kind::Unknown | Kind::Guarded => within(&self.beginning, client, statement, parameters).await,
            };
            if repeats == REPEATS || !answer.as_ref().is_err_and(is_rolled_back) {
                return answer;
            }
            repeats += 1;
            let statement = statement.name;
            debug!(target: POSTGRES, statement, repeats, "a statement was rolled back in favor of another: again");
            tokio::time::sleep(PAUSE.mul_f64(0.5 + fastrand::f64()) * 2_u32.pow(repeats - 1)).await;
        }
    }
}

/// Runs a statement on a session that is its connection's own.
async fn on_own_session(
    client: &ClientWrapper,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    match statement.handling {
        Handling::Filtered => within(PLANNED_ANEW, client, statement, parameters).await,
        Handling::Seldom => unprepared(client, statement, parameters).await,
        Handling::Usual | Handling::Knowing => prepared(client, statement, parameters).await,
    }
}

/// Runs a statement between `beginning`, which is BEGIN with settings, and COMMIT, without waiting in between.
async fn within(
    beginning: &str,
    client: &ClientWrapper,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let (begun, rows, committed) = join3(
        client.batch_execute(beginning),
        unprepared(client, statement, parameters),
        client.batch_execute("COMMIT"),
    )
    .await;
    // The first that failed is the reason why the others did.
    begun?;
    let rows = rows?;
    committed?;
    Ok(rows)
}

async fn prepared(
    client: &ClientWrapper,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let mut preparing = pin!(client.prepare_typed_cached(&statement.sql, statement.types));
    match poll_fn(|context| Poll::Ready(preparing.as_mut().poll(context))).await {
        Poll::Ready(prepared) => client.query(&prepared?, parameters).await,
        // The first time on this connection: it is prepared for the next, and runs without waiting for that.
        Poll::Pending => {
            let (prepared, rows) = join(preparing, unprepared(client, statement, parameters)).await;
            prepared?;
            rows
        }
    }
}

async fn unprepared(
    client: &ClientWrapper,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let typed: Vec<(&(dyn ToSql + Sync), Type)> =
        parameters.iter().copied().zip(statement.types.iter().cloned()).collect();
    client.query_typed(&statement.sql, &typed).await
}

/// What a connection was seen to lead to.
struct Seen {
    pid: i32,
    /// Whether the role's settings change what statements mean: names found elsewhere than in `pg_catalog`, or another
    /// isolation than the statements are made for.
    is_in_the_way: bool,
}

async fn ask_who(client: &ClientWrapper) -> Result<Option<Seen>, tokio_postgres::Error> {
    let rows = client.query_typed(WHO, &[]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (pid, path, isolation): (_, Vec<String>, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    // The schema of temporary tables is not the role's setting, but the session's.
    let first = path.iter().find(|schema| !schema.starts_with("pg_temp_"));
    let is_in_the_way = first.is_none_or(|it| it != "pg_catalog") || isolation != "read committed";
    Ok(Some(Seen { pid, is_in_the_way }))
}

/// Whether PgBouncer pools statements (`pool_mode = statement`): it ends a connection that begins a transaction.
fn refuses_transactions(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|it| it.message().contains("statement pooling mode"))
}

fn is_rolled_back(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|it| [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outlives_the_first_statement() {
        let session = Session::new(None, Duration::from_secs(1), Duration::from_secs(2));
        for setting in session.beginning.split("; ").skip(1) {
            let is_local = setting.starts_with("SET LOCAL ") || setting.contains(", true) WHERE");
            assert!(is_local, "{setting}");
        }
        // A statement that is planned for each time is planned for its parameters.
        let kept = session.setting.replace(&format!("{PLANNED_ONCE}; "), "");
        let kept = kept.replace("SET idle_session_timeout = 4000; ", "");
        assert_eq!(session.beginning.split("; ").count(), kept.split("; ").count());
    }

    #[test]
    fn a_connection_is_our_own_where_the_announced_process_answers_and_nobody_said_otherwise() {
        let learned = |pooled, announced, is_in_the_way| {
            let session = Session::new(pooled, Duration::from_secs(1), Duration::from_secs(2));
            session.learn(announced, &Seen { pid: 7, is_in_the_way });
            (session.kind(), session.is_doubtful())
        };
        assert_eq!(learned(None, Some(7), false), (Kind::Own, false));
        assert_eq!(learned(None, Some(7), true), (Kind::Own, false));
        assert_eq!(learned(None, Some(8), false), (Kind::Shared, true));
        assert_eq!(learned(None, None, true), (Kind::Guarded, true));
        assert_eq!(learned(Some(true), Some(7), false), (Kind::Shared, false));
        assert_eq!(learned(Some(true), Some(8), true), (Kind::Guarded, false));
        assert_eq!(learned(Some(false), Some(8), true), (Kind::Own, false));
    }
}
