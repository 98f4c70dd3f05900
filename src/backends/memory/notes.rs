//! What is noted beside messages.

use crate::store::insights::GroupState;
use crate::transport::Depth;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};

/// A state, since when, and a note.
pub type Judged = (GroupState, DateTime<Utc>, Option<String>);

/// What is noted beside messages.
#[derive(Debug, Default)]
pub struct Notes {
    /// How full the queues were, by the minute.
    pub depths: BTreeMap<DateTime<Utc>, Vec<Depth>>,
    /// What is thought of errors, by type and class.
    pub judgements: HashMap<(String, String), Judged>,
}
