//! Messages out of the table: a claim on one connection while the last batch is settled on another, as the core does.

use crate::Failure;
use crate::client::{Raw, prepare};
use crate::lanes::{Claimed, Claims};
use crate::measured::{Measured, now};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

/// Until nothing is left, or so many have been handled.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drain {
    config: Config,
    #[serde(default)]
    limit: Option<usize>,
    /// Go on for so long, waiting for more.
    #[serde(default)]
    seconds: Option<f64>,
}

/// How.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    batch_size: usize,
}

pub async fn drain(raw: &Raw, wanted: Drain) -> Result<Value, Failure> {
    let statements = &raw.statements;
    let claim = if wanted.config.batch_size > 32 { &statements.claim_many } else { &statements.claim_known };
    let mut claims = Claims::new(raw.client().await?, claim).await?;
    let settle = Settle::new(raw).await?;
    let measured = Measured::start();
    let end = wanted.seconds.map(|it| now() + it * 1000.0);
    // One batch waits while one is settled: more would only hold what another worker could run.
    let (sender, mut receiver) = mpsc::channel::<Claimed>(1);
    let settling = tokio::spawn(async move {
        let (mut settled, mut progress) = (0, Vec::new());
        while let Some(batch) = receiver.recv().await {
            settled += settle.settle(&batch).await?;
            progress.push((now(), settled));
        }
        Ok::<_, Failure>((settled, progress))
    });
    let mut claimed = 0;
    loop {
        let over = end.is_some_and(|end| now() >= end);
        let left =
            wanted.limit.map_or(wanted.config.batch_size, |limit| (limit - claimed).min(wanted.config.batch_size));
        if over || left == 0 {
            break;
        }
        let batch = claims.claim(left as i64, false).await?;
        if batch.ids.is_empty() {
            if end.is_none() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        }
        claimed += batch.ids.len();
        // Closed: the settling failed, and says why below.
        if sender.send(batch).await.is_err() {
            break;
        }
    }
    drop(sender);
    let (settled, progress) = settling.await??;
    Ok(measured.end(json!({ "n": settled, "handled": settled, "repeated": 0, "progress": thinned(&progress) })))
}

/// For a while, whatever comes.
pub async fn consume(raw: &Raw, wanted: Drain) -> Result<Value, Failure> {
    drain(raw, wanted).await
}

/// At most a few hundred points.
fn thinned(progress: &[(f64, usize)]) -> Vec<(f64, usize)> {
    progress.iter().step_by(progress.len() / 300 + 1).copied().collect()
}

/// Ends batches, on a connection of its own.
pub struct Settle {
    client: Client,
    statement: Statement,
    kept: bool,
}

impl Settle {
    pub async fn new(raw: &Raw) -> Result<Self, Failure> {
        let client = raw.client().await?;
        let statement = if raw.kept { &raw.statements.settle_finish } else { &raw.statements.settle_drop };
        Ok(Self { statement: prepare(&client, statement).await?, client, kept: raw.kept })
    }

    pub async fn settle(&self, batch: &Claimed) -> Result<usize, Failure> {
        let tokens: Vec<Uuid> = vec![batch.token; batch.ids.len()];
        let mut ids = batch.ids.clone();
        ids.sort_unstable();
        // The figures of the monitor: without them a message is settled all the same, and counted by nobody.
        let figures = "[]";
        if !self.kept {
            self.client.query(&self.statement, &[&ids, &tokens, &figures, &batch.worker]).await?;
            // All of it is settled, or the statement fails.
            return Ok(ids.len());
        }
        // Why messages were discarded: none was.
        let reasons: Vec<Option<&str>> = Vec::new();
        self.client.query(&self.statement, &[&ids, &tokens, &figures, &batch.worker, &reasons]).await?;
        Ok(ids.len())
    }
}
