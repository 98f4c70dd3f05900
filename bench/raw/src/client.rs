//! Connections, and the statements prepared on each.

use crate::Failure;
use crate::statement::{PLANNED_ONCE, PLANNING, Statement, Statements};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

/// The transport that messages are sent to: the default one of the configuration.
pub const TRANSPORT: &str = "supabase";
/// The default queue.
pub const QUEUE: &str = "default";

/// Where the tables are.
pub struct Raw {
    pub url: String,
    pub schema: String,
    pub statements: Statements,
    /// Whether finished messages are kept.
    pub kept: bool,
    control: Client,
}

impl Raw {
    /// Connects; the tables are there already.
    pub async fn open(arguments: &Value) -> Result<Self, Failure> {
        let url = arguments["url"].as_str().ok_or("url is missing")?.to_owned();
        let schema = arguments["schema"].as_str().ok_or("schema is missing")?.to_owned();
        let kept = arguments["config"]["kept"].as_bool().unwrap_or(false);
        let control = connect(&url).await?;
        Ok(Self { statements: Statements::new(&schema), url, schema, kept, control })
    }

    /// A connection of its own.
    pub async fn client(&self) -> Result<Client, Failure> {
        connect(&self.url).await
    }

    /// What the tables hold.
    pub async fn count(&self) -> Result<Value, Failure> {
        let count = |state: &str| format!("(SELECT count(*) FROM \"{}\".messenger_messages_{state})", self.schema);
        let sql = format!("SELECT {}, {}, {}", count("pending"), count("processing"), count("finished"));
        let row = self.control.query_one(&sql, &[]).await?;
        let (waiting, running, done): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        Ok(json!({ "waiting": waiting, "running": running, "done": done }))
    }
}

async fn connect(url: &str) -> Result<Client, Failure> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(&format!("{}; {PLANNED_ONCE}", PLANNING.join("; "))).await?;
    Ok(client)
}

/// Prepares one statement of the core.
pub async fn prepare(client: &Client, statement: &Statement) -> Result<tokio_postgres::Statement, Failure> {
    Ok(client.prepare_typed(&statement.sql, statement.types).await?)
}
