//! Database URLs as people have them: with the parameters of other clients, of poolers and of libpq.

use crate::error::{Error, Result};
use std::path::PathBuf;
use tokio_postgres::config::{Config, Host, SslMode};

/// Supabase's transaction pooler listens here.
const TRANSACTION_POOLER_PORT: u16 = 6543;

/// How the server's certificate is checked, in libpq's words (`sslmode`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// `disable`, `prefer`, `require`: not at all.
    None,
    /// `verify-ca`, and `require` with an `sslrootcert`: the chain, against the given file or the public authorities.
    Chain(Option<PathBuf>),
    /// `verify-full`: the host name as well.
    Full(Option<PathBuf>),
}

/// A database URL, read.
#[derive(Clone)]
pub struct Target {
    /// For the driver.
    pub config: Config,
    /// How the certificate is checked.
    pub verification: Verification,
    /// Whether the URL itself says that a transaction pooler answers (port 6543 or `pgbouncer=true`).
    pub pooled: bool,
    /// Host, port and database, without user and password: for error messages.
    pub label: String,
}

/// Reads a URL. Parameters that the driver does not know (`pgbouncer`, `connection_limit`, `supa` ...) are left out
/// instead of refused: they are meant for other clients of the same variable.
///
/// # Errors
/// [`Error::InvalidConfiguration`] for `database.url` when it is no Postgres URL.
pub fn read(url: &str) -> Result<Target> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut kept = Vec::new();
    let mut mode = "";
    let mut root = None;
    let mut pooled = false;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            "sslmode" => {
                mode = value;
                kept.push(format!("sslmode={}", driver_mode(value)));
            }
            "sslrootcert" if value != "system" => root = Some(PathBuf::from(value.replace("%2F", "/"))),
            "pgbouncer" => pooled = value == "true",
            _ if DRIVER_PARAMETERS.contains(&key) => kept.push(pair.to_owned()),
            _ => {}
        }
    }
    let verification = match mode {
        "verify-full" => Verification::Full(root),
        "verify-ca" => Verification::Chain(root),
        // Who names an authority wants it asked.
        "require" if root.is_some() => Verification::Chain(root),
        _ => Verification::None,
    };
    let separator = if kept.is_empty() { "" } else { "?" };
    let config: Config = format!("{base}{separator}{}", kept.join("&")).parse().map_err(unreadable)?;
    let pooled = pooled || config.get_ports().contains(&TRANSACTION_POOLER_PORT);
    Ok(Target { label: label(&config), config, verification, pooled })
}

/// `sslmode` in the driver's words: it leaves the checking of certificates to the connector.
fn driver_mode(mode: &str) -> &str {
    match mode {
        "verify-ca" | "verify-full" => "require",
        "allow" | "no-verify" => "prefer",
        other => other,
    }
}

/// Parameters of the URL that the driver itself reads.
const DRIVER_PARAMETERS: &[&str] = &[
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "host",
    "hostaddr",
    "port",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "target_session_attrs",
    "channel_binding",
];

/// The reason without the URL: a URL holds a password.
fn unreadable(error: tokio_postgres::Error) -> Error {
    let reason = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
    Error::configuration(
        "database.url",
        format!("a URL that can not be read ({reason})"),
        "postgres://user:password@host:5432/database",
    )
}

fn label(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
    format!("{host}:{port}/{database}")
}

impl Target {
    /// Whether TLS may be used at all.
    pub fn wants_tls(&self) -> bool {
        self.config.get_ssl_mode() != SslMode::Disable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        read(url).unwrap()
    }

    #[test]
    fn parameters_of_other_clients_are_left_out() {
        let it =
            target("postgres://u:p@db.example:5432/app?connection_limit=1&supa=base-pooler.x&application_name=crm");
        assert_eq!(it.config.get_application_name(), Some("crm"));
        assert_eq!(it.label, "db.example:5432/app");
        assert!(!it.pooled);
    }

    #[test]
    fn a_transaction_pooler_shows_in_its_port_or_parameter() {
        assert!(target("postgres://u:p@h:6543/app").pooled);
        assert!(target("postgres://u:p@h:5432/app?pgbouncer=true").pooled);
        assert!(!target("postgres://u:p@h:5432/app?pgbouncer=false").pooled);
    }

    #[test]
    fn sslmode_in_the_words_of_libpq() {
        assert_eq!(target("postgres://h/a?sslmode=require").verification, Verification::None);
        assert_eq!(target("postgres://h/a?sslmode=verify-full").verification, Verification::Full(None));
        let ca = || Some(PathBuf::from("/etc/ca.pem"));
        let own =
            |mode: &str| target(&format!("postgres://h/a?sslrootcert=%2Fetc%2Fca.pem&sslmode={mode}")).verification;
        assert_eq!(own("verify-full"), Verification::Full(ca()));
        assert_eq!((own("verify-ca"), own("require")), (Verification::Chain(ca()), Verification::Chain(ca())));
        assert_eq!(own("prefer"), Verification::None);
        assert!(!target("postgres://h/a?sslmode=disable").wants_tls());
    }

    #[test]
    fn an_unreadable_url_is_refused_without_showing_its_password() {
        let error = read("postgres://u:sesame@h:notaport/app").err().unwrap();
        assert_eq!(error.code(), "SYMPHONY_INVALID_CONFIGURATION");
        assert!(!error.to_string().contains("sesame"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = read(&text);
            let _ = read(&format!("postgres://{text}"));
            let _ = read(&format!("postgres://u:p@h/db?{text}"));
        }
    }
}
