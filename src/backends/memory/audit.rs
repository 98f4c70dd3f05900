//! The entries of the audit.

use crate::store::operations::Entry;
use uuid::Uuid;

/// How many entries are remembered.
const MOST: usize = 1_000;

/// All entries of the audit, the oldest first.
#[derive(Debug, Default)]
pub struct Audit(pub Vec<Entry>);

impl Audit {
    /// The entry of an operation.
    pub fn find(&mut self, id: Uuid) -> Option<&mut Entry> {
        self.0.iter_mut().find(|it| it.id == id)
    }

    /// Adds an entry; the oldest may go.
    pub fn add(&mut self, entry: Entry) {
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(entry);
    }
}
