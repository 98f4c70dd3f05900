//! Runs that somebody outside triggers, possibly twice: the first delivery of an execution runs, the others do not.

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
