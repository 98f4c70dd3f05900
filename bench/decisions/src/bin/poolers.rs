//! Whether a client gets the answers to its own statements behind a transaction pooler that keeps nothing.
//!
//! The URL of the pooler is the only argument. Twenty tasks ask 100 questions each, every one a statement of its own
//! text, and compare what comes back with what they asked.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Row};
use std::future::Future;
use std::str::FromStr;
use std::time::Instant;
use tokio_postgres::types::Type;

const TASKS: i32 = 20;
const QUESTIONS: i32 = 100;

#[derive(Default, Clone, Copy)]
struct Tally {
    right: usize,
    wrong: usize,
    failed: usize,
}

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).expect("the URL of a pooler");
    println!("{} statements, {TASKS} at a time\n", TASKS * QUESTIONS);
    println!("{:<44}{:>7}{:>7}{:>8}{:>8}", "client", "right", "wrong", "failed", "ms");
    for (name, capacity, persistent) in [
        ("sqlx, as it is by default", None, true),
        ("sqlx, statement_cache_capacity(0)", Some(0), true),
        ("sqlx, persistent(false)", None, false),
    ] {
        let mut options = PgConnectOptions::from_str(&url).expect("a URL");
        if let Some(capacity) = capacity {
            options = options.statement_cache_capacity(capacity);
        }
        let pool = PgPoolOptions::new().max_connections(TASKS as u32).test_before_acquire(false);
        let pool = pool.connect_with(options).await.expect("a connection");
        report(name, |task, question| {
            let pool = pool.clone();
            async move {
                let sql = AssertSqlSafe(text(task, question));
                let row = sqlx::query(sql).persistent(persistent).bind(question).fetch_one(&pool).await.ok()?;
                row.try_get::<i32, _>(0).ok()
            }
        })
        .await;
        pool.close().await;
    }
    let mut clients = Vec::new();
    for _ in 0..TASKS {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("a connection");
        tokio::spawn(connection);
        clients.push(std::sync::Arc::new(client));
    }
    report("tokio-postgres, query_typed()", |task, question| {
        let client = clients[task as usize].clone();
        async move {
            let rows = client.query_typed(&text(task, question), &[(&question, Type::INT4)]).await.ok()?;
            rows.first()?.try_get(0).ok()
        }
    })
    .await;
}

/// A statement of its own for each question.
fn text(task: i32, question: i32) -> String {
    format!("SELECT $1::int4 + {}", task * 1_000_000 + question * 1_000)
}

async fn report<F: Future<Output = Option<i32>> + Send + 'static>(name: &str, ask: impl Fn(i32, i32) -> F) {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let asked: Vec<_> = (0..QUESTIONS).map(|question| (question, ask(task, question))).collect();
            tokio::spawn(async move {
                let mut tally = Tally::default();
                for (question, answer) in asked {
                    match answer.await {
                        None => tally.failed += 1,
                        Some(sum) if sum == question + task * 1_000_000 + question * 1_000 => tally.right += 1,
                        Some(_) => tally.wrong += 1,
                    }
                }
                tally
            })
        })
        .collect();
    let mut all = Tally::default();
    for task in tasks {
        let Tally { right, wrong, failed } = task.await.expect("a task that ends");
        (all.right, all.wrong, all.failed) = (all.right + right, all.wrong + wrong, all.failed + failed);
    }
    let ms = begin.elapsed().as_millis();
    println!("{name:<44}{:>7}{:>7}{:>8}{ms:>8}", all.right, all.wrong, all.failed);
}
