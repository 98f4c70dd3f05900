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
