//! Envelopes into the table: one INSERT per batch of any size.

use super::PostgresTransport;
use crate::backends::postgres::connection::listener::Listener;
use crate::backends::postgres::parameters::millis;
use crate::backends::postgres::parameters::{Columns, delay_ms, max_retries, scheduled_at};
use crate::backends::postgres::sql::Statement;
use crate::base::listening::Listening;
use crate::error::{Error, Result};
use crate::message::envelope::{Available, Envelope};
use crate::store::Store;
use crate::store::transports::Transports;
use crate::transport::{Drain, Inspects, Sent, Transport, Wakes};
use async_trait::async_trait;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tracing::Instrument;
use uuid::Uuid;

#[async_trait]
impl Transport for PostgresTransport {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn place(&self) -> String {
        self.store.identity()
    }

    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<Sent>> {
        if envelopes.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.knows(envelopes);
        if envelopes.iter().any(|it| it.key.is_some()) {
            return self.send_keyed(envelopes, known).await;
        }
        let now = match envelopes {
            [envelope] => self.send_one(envelope, known).await?,
            envelopes => self.send_several(envelopes, known).await?,
        };
        Ok(envelopes.iter().map(|envelope| queued(envelope, now)).collect())
    }

    fn drain(self: Arc<Self>) -> Option<Arc<dyn Drain>> {
        Some(self)
    }

    fn store(&self) -> Option<Arc<dyn Store>> {
        Some(self.store.clone())
    }

    fn wakes(&self) -> Option<&dyn Wakes> {
        Some(self)
    }

    fn inspects(&self) -> Option<&dyn Inspects> {
        Some(self)
    }
}

impl Wakes for PostgresTransport {
    fn listen(&self, wake: Arc<dyn Fn() + Send + Sync>) -> Option<Box<dyn Listening>> {
        let subscription = Listener::subscribe(&self.store.listen_to, self.name.clone(), wake).ok().flatten()?;
        Some(Box::new(subscription))
    }
}

impl PostgresTransport {
    /// Whether the transports of these are known to be switched on. Where nobody else keeps that fresh, who sends often
    /// does.
    fn knows(&self, envelopes: &[Envelope]) -> bool {
        let switches = &self.store.database.switches;
        if switches.are_known_on(envelopes.iter().map(|it| &*it.transport), Instant::now()) {
            return true;
        }
        if switches.note_asked() {
            let store = self.store.clone();
            // Without an answer, the next ones ask.
            tokio::spawn(async move { store.rows().await.map(drop) }.in_current_span());
        }
        false
    }

    async fn send_one(&self, envelope: &Envelope, known: bool) -> Result<DateTime<Utc>> {
        let priority = i16::from(envelope.priority);
        let parameters: [&(dyn ToSql + Sync); 11] = [
            &envelope.id,
            &&*envelope.message_type,
            &&*envelope.transport,
            &&*envelope.queue,
            &priority,
            &max_retries(envelope),
            &scheduled_at(envelope),
            &delay_ms(envelope),
            &&*envelope.body,
            &envelope.headers.as_deref(),
            &envelope.metadata.as_deref(),
        ];
        let statements = &self.store.statements;
        let statement = if known { &statements.send_one_known } else { &statements.send_one };
        let rows = self.store.query(statement, &parameters).await?;
        let now = self.store.read(statement, &rows, |row| row.try_get(0))?.first().copied();
        now.ok_or_else(|| Error::TransportDisabled { name: envelope.transport.to_string() })
    }

    async fn send_several(&self, envelopes: &[Envelope], known: bool) -> Result<DateTime<Utc>> {
        let statements = &self.store.statements;
        let statement = if known { &statements.send_known } else { &statements.send };
        let rows = self.store.query(statement, &Columns::of(envelopes).parameters()).await?;
        self.none_is_refused(statement, &rows, known)?;
        let now = self.store.read(statement, &rows, |row| row.try_get(0))?;
        Ok(now.first().copied().unwrap_or_else(Utc::now))
    }

    /// Only where nothing was stored does the first row name a transport.
    fn none_is_refused(&self, statement: &Statement, rows: &[Row], known: bool) -> Result<()> {
        let first = rows.get(..rows.len().min(1)).filter(|_| !known).unwrap_or_default();
        match self.store.read(statement, first, |row| row.try_get("refused"))?.pop() {
            Some(Some(name)) => Err(Error::TransportDisabled { name }),
            _ => Ok(()),
        }
    }

    async fn send_keyed(&self, envelopes: &[Envelope], known: bool) -> Result<Vec<Sent>> {
        let keys = envelopes.iter().map(|it| it.key.as_ref());
        let names: Vec<Option<&str>> = keys.clone().map(|key| key.map(|it| it.key.as_str())).collect();
        let windows: Vec<Option<f64>> = keys.clone().map(|key| key?.window.map(millis)).collect();
        let repeats: Vec<i32> =
            keys.map(|key| key.map_or(0, |it| i32::try_from(it.repeats).unwrap_or(i32::MAX))).collect();
        let columns = Columns::of(envelopes);
        let mut parameters = columns.parameters().to_vec();
        parameters.extend_from_slice(&[&names, &windows, &repeats]);
        let statements = &self.store.statements;
        let statement = if known { &statements.send_keyed_known } else { &statements.send_keyed };
        let rows = self.store.query(statement, &parameters).await?;
        self.none_is_refused(statement, &rows, known)?;
        let holders: HashMap<Uuid, (Uuid, DateTime<Utc>)> = self
            .store
            .read(statement, &rows, |row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?))))?
            .into_iter()
            .collect();
        let answer = |envelope: &Envelope| match holders.get(&envelope.id) {
            Some(&(holder, now)) if holder == envelope.id => queued(envelope, now),
            Some(&(holder, _)) => Sent::Duplicate { of: holder },
            None => Sent::Failed(Error::Serialization {
                what: "send_keyed",
                reason: format!("no answer for message {}", envelope.id),
            }),
        };
        Ok(envelopes.iter().map(answer).collect())
    }
}

fn queued(envelope: &Envelope, now: DateTime<Utc>) -> Sent {
    let available_at = match envelope.available {
        Available::Now => now,
        Available::At(at) => at,
        Available::After(delay) => {
            TimeDelta::from_std(delay).ok().and_then(|it| now.checked_add_signed(it)).unwrap_or(now)
        }
    };
    Sent::Queued { available_at }
}
