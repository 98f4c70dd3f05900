//! The tables of a store, and their versions.

use crate::error::Result;
use async_trait::async_trait;
use serde::Serialize;

/// A migration, named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its number.
    pub version: i32,
    /// Its name.
    pub name: &'static str,
}

/// The state of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The version in the database; 0: nothing.
    pub version: i32,
    /// The newest version of this build.
    pub latest: i32,
    /// What `migrate` would apply.
    pub pending: Vec<Step>,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// The steps taken, in order.
    pub steps: Vec<Step>,
    /// The version in the database now.
    pub version: i32,
}

/// How statements travel to a store, seen by comparing connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// As the configuration says.
    AsConfigured,
    /// Through a transaction pooler, of which the configuration knows nothing.
    HiddenPooler,
    /// Through a transaction pooler, though the configuration denies it.
    DeniedPooler,
}

/// The tables of a store.
#[async_trait]
pub trait Schema: Send + Sync {
    /// Host, port and database, for messages.
    fn label(&self) -> &str;

    /// The state of the schema.
    async fn status(&self) -> Result<Status>;

    /// Applies the missing migrations. Nothing is applied if one of them fails.
    async fn up(&self) -> Result<Done>;

    /// Reverts every migration above `to`, newest first. Below 1 the messages are dropped with their tables.
    async fn down(&self, to: i32) -> Result<Done>;

    /// How statements travel.
    async fn sessions(&self) -> Result<Sessions>;

    /// The facts for a diagnosis, JSON text.
    async fn facts(&self) -> Result<String>;
}
