//! What is paused.

use super::PostgresStore;
use crate::backends::postgres::instants::Shown;
use crate::backends::postgres::parameters::millis;
use crate::error::{Error, Result};
use crate::store::controls::{Because, Controls, Pause, Scope, Until};
use async_trait::async_trait;
use tokio_postgres::Row;
use uuid::Uuid;

#[async_trait]
impl Controls for PostgresStore {
    async fn pause(&self, scope: &Scope, because: &Because, until: Until) -> Result<Pause> {
        let statement = &self.statements.pause;
        let [transport, queue, message_type] = names(scope);
        let (at, span) = match until {
            Until::Resumed => (None, None),
            Until::At(at) => (Some(at), None),
            Until::For(span) => (None, Some(millis(span))),
        };
        let Because { actor, reason, role } = because;
        let rows = self
            .ask(statement, &[&transport, &queue, &message_type, actor, reason, &at, &span, &Uuid::now_v7(), role])
            .await?;
        let paused = self.read(statement, &rows, pause)?.into_iter().next();
        paused.ok_or(Error::Internal { what: "a pause was not stored" })
    }

    async fn resume(&self, scope: &Scope, because: &Because) -> Result<Option<Pause>> {
        let statement = &self.statements.resume;
        let [transport, queue, message_type] = names(scope);
        let Because { actor, reason, role } = because;
        let rows =
            self.ask(statement, &[&transport, &queue, &message_type, actor, reason, &Uuid::now_v7(), role]).await?;
        Ok(self.read(statement, &rows, pause)?.into_iter().next())
    }

    async fn pauses(&self) -> Result<Vec<Pause>> {
        let statement = &self.statements.pauses;
        let rows = self.ask(statement, &[]).await?;
        self.read(statement, &rows, pause)
    }
}

/// As they are stored: empty for any.
fn names(scope: &Scope) -> [&str; 3] {
    [&scope.transport, &scope.queue, &scope.r#type].map(|it| it.as_deref().unwrap_or_default())
}

fn pause(row: &Row) -> Result<Pause, tokio_postgres::Error> {
    let name = |index| row.try_get::<_, String>(index).map(|it| Some(it).filter(|it| !it.is_empty()));
    Ok(Pause {
        scope: Scope { transport: name(0)?, queue: name(1)?, r#type: name(2)? },
        because: Because { actor: row.try_get(3)?, reason: row.try_get(4)?, role: None },
        since: row.try_get::<_, Shown>(5)?.0,
        until: row.try_get::<_, Shown>(6)?.0,
    })
}
