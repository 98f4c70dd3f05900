//! Messages into the table.

use crate::Failure;
use crate::client::{QUEUE, Raw, TRANSPORT, prepare};
use crate::measured::{Measured, now};
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

/// `n` messages in batches, several batches under way.
#[derive(Deserialize)]
pub struct Batch {
    n: usize,
    batch: usize,
    lanes: usize,
    #[serde(default)]
    bytes: usize,
}

/// `n` messages one by one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Single {
    n: usize,
    in_flight: usize,
    /// A plain prepared INSERT of one row instead of the core's statement.
    #[serde(default)]
    plain: bool,
}

/// Batches until the time is over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Produce {
    seconds: f64,
    batch: usize,
    /// Pause while so many wait.
    depth: i64,
}

pub async fn batch(raw: &Raw, wanted: Batch) -> Result<Value, Failure> {
    let senders = try_join_all((0..wanted.lanes).map(|_| Sender::new(raw))).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let measured = Measured::start();
    let lanes = senders.into_iter().map(|sender| {
        let (next, wanted) = (next.clone(), (wanted.n, wanted.batch, wanted.bytes));
        tokio::spawn(async move {
            let (n, size, bytes) = wanted;
            loop {
                let from = next.fetch_add(size, Ordering::Relaxed);
                if from >= n {
                    return Ok::<_, Failure>(());
                }
                sender.send(from, size.min(n - from), bytes).await?;
            }
        })
    });
    for lane in try_join_all(lanes).await? {
        lane?;
    }
    Ok(measured.end(json!({ "n": wanted.n })))
}

pub async fn single(raw: &Raw, wanted: Single) -> Result<Value, Failure> {
    // Statements of one connection are pipelined, so that many are in flight without as many connections.
    let senders = try_join_all((0..wanted.in_flight.min(4)).map(|_| Sender::new(raw))).await?;
    let plain = Plain::new(raw).await?;
    let next = AtomicUsize::new(0);
    let measured = Measured::start();
    let lane = |lane: usize| {
        let (senders, next, plain) = (&senders, &next, &plain);
        async move {
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= wanted.n {
                    return Ok::<_, Failure>(times);
                }
                let began = Instant::now();
                match wanted.plain {
                    true => plain.send(number).await?,
                    false => senders[lane % senders.len()].send(number, 1, 0).await?,
                }
                times.push(began.elapsed().as_secs_f64() * 1000.0);
            }
        }
    };
    let times: Vec<f64> = try_join_all((0..wanted.in_flight).map(lane)).await?.concat();
    Ok(measured.end(json!({ "n": wanted.n, "times": times })))
}

pub async fn produce(raw: &Raw, wanted: Produce) -> Result<Value, Failure> {
    let sender = Sender::new(raw).await?;
    let measured = Measured::start();
    let end = now() + wanted.seconds * 1000.0;
    let mut sent = 0;
    let mut look = 0.0;
    while now() < end {
        // Counting reads all that was deleted since the last vacuum, too, and would soon be what is measured.
        if now() >= look {
            let deep = raw.count().await?["waiting"].as_i64().unwrap_or(0) > wanted.depth;
            if deep {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            look = now() + if deep { 0.0 } else { 500.0 };
            continue;
        }
        sender.send(sent, wanted.batch, 0).await?;
        sent += wanted.batch;
    }
    Ok(measured.end(json!({ "n": sent })))
}

/// The payload of every system.
pub fn payload(number: usize, bytes: usize) -> String {
    let pad = "x".repeat(bytes.saturating_sub(100));
    let comma = if pad.is_empty() { String::new() } else { format!(r#","pad":"{pad}""#) };
    format!(r#"{{"n":{number},"to":"user{number}@example.com","template":"welcome","locale":"en-GB"{comma}}}"#)
}

/// The core's send.sql, where the switches are known, on a connection of its own.
pub struct Sender {
    client: Client,
    statement: Statement,
}

impl Sender {
    pub async fn new(raw: &Raw) -> Result<Self, Failure> {
        let client = raw.client().await?;
        let statement = prepare(&client, &raw.statements.send_known).await?;
        Ok(Self { client, statement })
    }

    pub async fn send(&self, from: usize, n: usize, bytes: usize) -> Result<(), Failure> {
        let ids: Vec<Uuid> = (0..n).map(|_| Uuid::now_v7()).collect();
        let bodies: Vec<String> = (from..from + n).map(|number| payload(number, bytes)).collect();
        let types = vec!["Bench"; n];
        let transports = vec![TRANSPORT; n];
        let queues = vec![QUEUE; n];
        let priorities = vec![5_i16; n];
        let retries: Vec<Option<i32>> = vec![None; n];
        let scheduled: Vec<Option<DateTime<Utc>>> = vec![None; n];
        let delays: Vec<Option<f64>> = vec![None; n];
        let headers: Vec<Option<&str>> = vec![None; n];
        let metadata: Vec<Option<&str>> = vec![None; n];
        let parameters: [&(dyn ToSql + Sync); 11] = [
            &ids,
            &types,
            &transports,
            &queues,
            &priorities,
            &retries,
            &scheduled,
            &delays,
            &bodies,
            &headers,
            &metadata,
        ];
        self.client.query(&self.statement, &parameters).await?;
        Ok(())
    }
}

/// One row by a plain prepared INSERT: the least that storing a message can cost.
struct Plain {
    client: Client,
    statement: Statement,
}

impl Plain {
    async fn new(raw: &Raw) -> Result<Self, Failure> {
        let client = raw.client().await?;
        let sql = format!(
            "INSERT INTO \"{}\".messenger_messages_pending \
             (id, message_type, transport_name, queue_name, priority, body, headers, metadata) \
             VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, '{{}}', '{{}}')",
            raw.schema
        );
        let statement = client.prepare(&sql).await?;
        Ok(Self { client, statement })
    }

    async fn send(&self, number: usize) -> Result<(), Failure> {
        let body = payload(number, 0);
        let parameters: [&(dyn ToSql + Sync); 6] = [&Uuid::now_v7(), &"Bench", &TRANSPORT, &QUEUE, &5_i16, &body];
        self.client.execute(&self.statement, &parameters).await?;
        Ok(())
    }
}
