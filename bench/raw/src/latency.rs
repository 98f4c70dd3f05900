//! From send to claim, with nothing else going on.

use crate::Failure;
use crate::client::Raw;
use crate::drain::Settle;
use crate::enqueue::Sender;
use crate::lanes::Claims;
use crate::measured::Measured;
use futures_util::stream::{StreamExt, poll_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, NoTls};

/// So many messages, one after the other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    samples: usize,
    /// Milliseconds of rest between two messages.
    pause: u64,
    /// Whether a notification wakes the claim; else it looks every `interval` milliseconds.
    listen: bool,
    interval: u64,
}

pub async fn latency(raw: &Raw, wanted: Latency) -> Result<Value, Failure> {
    let sender = Sender::new(raw).await?;
    let settle = Settle::new(raw).await?;
    let mut claims = Claims::new(raw.client().await?, &raw.statements.claim_known).await?;
    let mut woken = listen(raw).await?;
    let mut tick = tokio::time::interval(Duration::from_millis(wanted.interval.max(1)));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let measured = Measured::start();
    let mut times = Vec::with_capacity(wanted.samples);
    for number in 0..wanted.samples {
        // Finds nothing, and says that this worker waits.
        claims.claim(1, wanted.listen).await?;
        tokio::time::sleep(Duration::from_millis(wanted.pause)).await;
        while woken.try_recv().is_ok() {}
        let began = Instant::now();
        let sent = sender.send(number, 1, 0);
        let caught = async {
            loop {
                if wanted.listen {
                    woken.recv().await.ok_or("the listening connection is gone")?;
                } else {
                    tick.tick().await;
                }
                let batch = claims.claim(1, wanted.listen).await?;
                if !batch.ids.is_empty() {
                    return Ok::<_, Failure>((began.elapsed(), batch));
                }
            }
        };
        let (sent, caught) = tokio::join!(sent, caught);
        sent?;
        let (time, batch) = caught?;
        times.push(time.as_secs_f64() * 1000.0);
        settle.settle(&batch).await?;
    }
    Ok(measured.end(json!({ "n": times.len(), "times": times })))
}

/// One item a notification.
async fn listen(raw: &Raw) -> Result<mpsc::UnboundedReceiver<()>, Failure> {
    let (client, mut connection) = tokio_postgres::connect(&raw.url, NoTls).await?;
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = poll_fn(|context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if matches!(message, AsyncMessage::Notification(_)) && sender.send(()).is_err() {
                break;
            }
        }
    });
    client.batch_execute(&format!("LISTEN \"symphony_{}\"", raw.schema)).await?;
    // The connection lives as long as its client.
    tokio::spawn(async move {
        let _client = client;
        std::future::pending::<()>().await;
    });
    Ok(receiver)
}
