//! Runs that somebody outside triggers, possibly twice: the first delivery of an execution runs, the others do not.

use crate::error::Result;
use async_trait::async_trait;
use std::time::Duration;

/// One execution, as its trigger names it.
#[derive(Debug, Clone)]
pub struct Execution {
    /// What is run: the worker's route or the scheduler's.
    pub route: String,
    /// The trigger's id for it.
    pub id: String,
    /// After which a run that has not ended counts as dead, so that another delivery may take its place.
    pub lease: Duration,
}

/// What a delivery finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It may run. Its end has to show the token, which no other run of the execution has.
    Runs(i64),
    /// Another delivery of it runs, or has died: this one may take its place after so long.
    Busy(Duration),
    /// It has been done.
    Done,
}

/// Notes executions, so that each runs once.
#[async_trait]
pub trait Executions: Send + Sync {
    /// Starts an execution, unless it has ended or is already running.
    async fn begin_execution(&self, execution: &Execution) -> Result<Begun>;

    /// The run with this token has ended, or has failed and may be tried again. Whether it still counted: one whose
    /// lease ran out may have been replaced by another, which reports its own end.
    async fn end_execution(&self, execution: &Execution, token: i64, done: bool) -> Result<bool>;
}
