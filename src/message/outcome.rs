//! What becomes of a message that was received.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// What a handler threw, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error's class.
    pub class: String,
    /// The error's message.
    pub message: String,
    /// Where it was thrown: the first frames of its stack, and what caused it, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// How many milliseconds the run had taken, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u32>,
    /// The worker or invocation whose run it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Uuid>,
}

impl Failure {
    /// A failure that no code of the application has thrown.
    pub fn new(class: &str, message: String) -> Self {
        Self { class: class.to_owned(), message, stack: None, ms: None, worker: None }
    }

    /// The size of its texts.
    fn bytes(&self) -> usize {
        self.class.len() + self.message.len() + self.stack.as_deref().map_or(0, str::len)
    }
}

/// How a message leaves the hands of its worker.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Handled.
    Completed,
    /// Discarded by its handler.
    Discarded {
        /// Why.
        reason: String,
    },
    /// Failed, to run again after `delay`.
    Retry {
        /// How long from now.
        delay: Duration,
        /// Why.
        failure: Failure,
        /// Handlers that have succeeded so far.
        handled: Vec<String>,
    },
    /// Failed for good: to the dead letters.
    Bury {
        /// Why.
        failure: Failure,
        /// Handlers that have succeeded so far.
        handled: Vec<String>,
    },
    /// Postponed by its handler: back later, without using up an attempt.
    Snooze {
        /// How long from now.
        delay: Duration,
        /// Handlers that have succeeded so far.
        handled: Vec<String>,
    },
    /// Not run, or not finished: back, without using up an attempt. Without a delay it keeps its place.
    Release {
        /// How long from now, if not at once.
        delay: Option<Duration>,
        /// Handlers that have succeeded so far.
        handled: Vec<String>,
        /// Whether it was started, and its handlers have ended without the process: then it is not suspect any more, as
        /// after every other outcome.
        ran: bool,
    },
}

impl Outcome {
    /// Back to its place as if it had never been claimed.
    pub const UNTOUCHED: Self = Self::Release { delay: None, handled: Vec::new(), ran: false };

    /// Where it takes its message.
    pub fn road(&self) -> Road {
        match self {
            Self::Completed | Self::Discarded { .. } => Road::Ended,
            Self::Retry { .. } | Self::Snooze { .. } | Self::Release { .. } => Road::Returned,
            Self::Bury { .. } => Road::Buried,
        }
    }

    /// How long from now its message is to run again, if it says so.
    pub fn delay(&self) -> Option<Duration> {
        match self {
            Self::Retry { delay, .. } | Self::Snooze { delay, .. } => Some(*delay),
            Self::Release { delay, .. } => *delay,
            Self::Completed | Self::Discarded { .. } | Self::Bury { .. } => None,
        }
    }

    /// What the run failed with.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Retry { failure, .. } | Self::Bury { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// Notes what is known of the run, if it has failed.
    pub fn note_run(&mut self, millis: f64, worker: Uuid) {
        if let Self::Retry { failure, .. } | Self::Bury { failure, .. } = self {
            (failure.ms, failure.worker) = (Some(millis.round() as u32), Some(worker));
        }
    }

    /// The handlers that have succeeded so far; none: as before.
    pub fn handled(&self) -> &[String] {
        match self {
            Self::Retry { handled, .. }
            | Self::Bury { handled, .. }
            | Self::Snooze { handled, .. }
            | Self::Release { handled, .. } => handled,
            Self::Completed | Self::Discarded { .. } => &[],
        }
    }

    /// Whether a run has ended.
    pub fn has_run(&self) -> bool {
        !matches!(self, Self::Release { ran: false, .. })
    }

    /// The size of its texts.
    pub fn bytes(&self) -> usize {
        let names = |handled: &[String]| handled.iter().map(String::len).sum::<usize>();
        match self {
            Self::Completed => 0,
            Self::Discarded { reason } => reason.len(),
            Self::Retry { failure, handled, .. } | Self::Bury { failure, handled } => failure.bytes() + names(handled),
            Self::Snooze { handled, .. } | Self::Release { handled, .. } => names(handled),
        }
    }

    /// Why a message was discarded.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Discarded { reason } => Some(reason),
            _ => None,
        }
    }
}

/// Where an outcome takes its message: those of one road are settled together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Road {
    /// Finished.
    Ended,
    /// Back to wait.
    Returned,
    /// To the dead letters.
    Buried,
}

impl Road {
    /// The road of all of these; of none: [`Road::Ended`].
    ///
    /// # Errors
    /// [`Error::Serialization`] if they take several: they cannot be one change.
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Result<Self> {
        let mut roads = outcomes.into_iter().map(Outcome::road);
        let road = roads.next().unwrap_or(Self::Ended);
        if roads.all(|it| it == road) {
            return Ok(road);
        }
        let reason = "outcomes settled together must all end, all return, or all be buried".to_owned();
        Err(Error::Serialization { what: "outcomes", reason })
    }
}
