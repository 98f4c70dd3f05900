//! Database URLs as people write them: with the parameters of other clients, of poolers and of libpq, and with
//! passwords that are not escaped. No part of a password is ever shown, nor taken for the name of a host.

use super::url_tls::{Tls, Verification};
use crate::error::{Error, Result};
use tokio_postgres::config::{Config, Host, SslMode};

/// Supabase's transaction pooler listens here.
const TRANSACTION_POOLER_PORT: u16 = 6543;

/// What a URL looks like.
const FORM: &str = "postgres://user:password@host:5432/database";

/// The remedy if a password causes the problem.
const ESCAPED: &str = "postgres://user:password@host:5432/database, with the characters @ / ? # % of user and password \
     percent-encoded (%40 %2F %3F %23 %25)";

/// A database URL, read.
#[derive(Clone)]
pub struct Target {
    /// For the driver.
    pub config: Config,
    /// How the certificate is checked.
    pub verification: Verification,
    /// Whether nothing below TLS 1.3 will do.
    pub only_tls13: bool,
    /// Whether the URL itself says that a transaction pooler answers (port 6543 or `pgbouncer=true`).
    pub pooled: bool,
    /// Host, port and database, without user and password: for error messages.
    pub label: String,
}

/// Reads a URL. Parameters that the driver does not know (`pgbouncer`, `connection_limit`, `supa` ...) are left out
/// instead of refused: they are meant for other clients of the same variable. Those about TLS are not: a client that
/// asks for more than is supported must not silently get less.
///
/// # Errors
/// [`Error::InvalidConfiguration`] for `database.url` when it is not a Postgres URL, or asks for TLS in a way that is
/// not known here.
pub fn read(url: &str) -> Result<Target> {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| ["postgres", "postgresql"].contains(scheme))
    else {
        // As libpq has it: host=... user=... password=...
        return target(url.parse().map_err(|error| unreadable(&error))?, &Tls::default(), false);
    };
    let Parts { login, place, parameters } = Parts::of(rest)?;
    let mut kept = Vec::new();
    let mut tls = Tls::default();
    let mut pooled = false;
    for pair in parameters.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            "pgbouncer" => pooled = value == "true",
            _ if tls.takes(key, value)? => {}
            _ if DRIVER_PARAMETERS.contains(&key) => kept.push(pair.to_owned()),
            _ => {}
        }
    }
    tls.check()?;
    kept.extend(tls.for_driver());
    // The driver takes everything before any `@` for the login.
    let login = login.map(|it| format!("{}@", it.replace('@', "%40"))).unwrap_or_default();
    let parameters = kept.join("&").replace('@', "%40");
    let config = format!("{scheme}://{login}{place}?{parameters}").parse().map_err(|error| unreadable(&error))?;
    target(config, &tls, pooled)
}

fn target(config: Config, tls: &Tls, pooled: bool) -> Result<Target> {
    let pooled = pooled || config.get_ports().contains(&TRANSACTION_POOLER_PORT);
    let (verification, only_tls13) = (tls.verification(), tls.only_tls13);
    Ok(Target { label: label(&config), config, verification, only_tls13, pooled })
}

/// The parts of a URL after its scheme.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    /// User and password.
    login: Option<&'a str>,
    /// Hosts with their ports, and the database.
    place: &'a str,
    parameters: &'a str,
}

impl<'a> Parts<'a> {
    /// The login ends at the last `@` before the path, so that a password may hold one, and `?`, `#` and `%` as well, as
    /// libpq has it. Where another reading is as good, it does not guess: one of the two would send a part of the
    /// password to a name server.
    fn of(rest: &'a str) -> Result<Self> {
        let authority = rest.split('/').next().unwrap_or_default();
        // A `?` between two `@` begins the parameters, or stands in the password.
        let until = authority.find('@').and_then(|at| authority.get(at..)?.find('?').map(|mark| at + mark));
        let searched = authority.get(..until.unwrap_or(authority.len())).unwrap_or(authority);
        let login = searched.rfind('@').and_then(|at| authority.get(..at));
        let place = rest.get(login.map_or(0, |it| it.len() + 1)..).unwrap_or_default();
        let (place, parameters) = place.split_once('?').unwrap_or((place, ""));
        let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
        if let Some(doubt) = doubt(hosts, database, parameters) {
            return Err(Error::configuration("database.url", format!("a URL {doubt}"), ESCAPED));
        }
        Ok(Self { login, place, parameters })
    }
}

/// Why the part for hosts, database and parameters more likely belongs to a password.
fn doubt(hosts: &str, database: &str, parameters: &str) -> Option<&'static str> {
    let names = |it: char| it.is_alphanumeric() || "-._~%[]:,".contains(it);
    if !hosts.chars().all(names) || hosts.split(',').any(|host| !has_port(host)) {
        return Some("with an invalid host or port");
    }
    if database.contains(['@', '/', '#', ':']) {
        return Some("with a character in the name of its database that has to be percent-encoded");
    }
    let is_foreign = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let named = key.chars().all(|it| it.is_ascii_alphanumeric() || "_-.".contains(it));
        !named || (value.contains('@') && !DRIVER_PARAMETERS.contains(&key))
    };
    parameters.split('&').any(is_foreign).then_some("with an unusual character such as @ in its parameters")
}

/// Whether what follows the name of a host is a port, if anything does.
fn has_port(host: &str) -> bool {
    // An address of version 6 stands in brackets.
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    after.split_once(':').is_none_or(|(_, port)| port.chars().all(|it| it.is_ascii_digit()))
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

/// The reason without the URL: a URL holds a password, and the driver names options that it does not know.
fn unreadable(error: &tokio_postgres::Error) -> Error {
    let reason = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    let known = |option: &str| DRIVER_PARAMETERS.contains(&option) || option == "sslmode";
    let shown = reason.split('`').nth(1).is_none_or(known) && !reason.contains('"') && !reason.contains('\'');
    let reason = if shown { reason } else { "one of its options is unknown".to_owned() };
    Error::configuration("database.url", format!("a URL that cannot be read ({reason})"), FORM)
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
    fn tls_as_the_parameters_say() {
        assert_eq!(target("postgres://h/a?sslmode=verify-full").verification, Verification::Full(None));
        assert!(!target("postgres://h/a?sslmode=disable").wants_tls());
        assert!(target("postgres://h/a?ssl_min_protocol_version=TLSv1.3").only_tls13);
        assert!(read("postgres://h/a?sslcert=%2Fmine.pem").is_err());
    }

    fn login(url: &str) -> (Option<String>, Option<String>, String) {
        let it = target(url);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (it.config.get_user().map(str::to_owned), it.config.get_password().map(text), it.label)
    }

    #[test]
    fn a_password_is_read_as_people_mean_it() {
        let (user, place) = (|it: &str| Some(it.to_owned()), "db.example:5432/app".to_owned());
        for (written, meant) in [
            ("p@ss", "p@ss"),
            ("@", "@"),
            ("p?ss", "p?ss"),
            ("p#ss", "p#ss"),
            ("p@s#s", "p@s#s"),
            ("100%sure", "100%sure"),
            ("p:ss", "p:ss"),
            ("p%40ss%2F", "p@ss/"),
        ] {
            let url = format!("postgres://u:{written}@db.example:5432/app?application_name=a@b&supa=1");
            assert_eq!(login(&url), (user("u"), user(meant), place.clone()), "{url}");
        }
        assert_eq!(login("postgres://me@corp:p@db.example:5432/app"), (user("me@corp"), user("p"), place.clone()));
        assert_eq!(login("postgresql://db.example:5432/app?user=me@corp"), (user("me@corp"), None, place.clone()));
        assert_eq!(target("postgres://h/a?application_name=a@b").config.get_application_name(), Some("a@b"));
        assert_eq!(target("postgres://u:p@[::1]:6543,other:5433/a").label, "::1:6543/a");
        assert_eq!(target("postgres://u@%2Fvar%2Frun/a").label, "/var/run:5432/a");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused_with_the_remedy() {
        for login in [
            "u:sesame/x",
            "u:12/sesame",
            "u:12?se=same/x",
            "u:p@sesame?y",
            "u:p@sesame/wd",
            "u:p@sesame?y=z",
            "u:p@sesame?",
        ] {
            let error = read(&format!("postgres://{login}@db.example:5432/app")).err().unwrap().to_string();
            assert!(!error.contains("same") && error.contains("%2F"), "{login}: {error}");
        }
    }

    #[test]
    fn an_unreadable_url_is_refused_without_showing_its_password() {
        let error = read("postgres://u:sesame@h:notaport/app").err().unwrap();
        assert_eq!(error.code(), "SYMPHONY_INVALID_CONFIGURATION");
        assert!(!error.to_string().contains("sesame"));
    }

    proptest::proptest! {
        /// Whatever a password holds: it is understood, or the URL refused, and no word of it goes anywhere.
        #[test]
        fn no_part_of_a_password_is_shown_or_taken_for_a_host(
            words in proptest::collection::vec("[G-Z]{3,6}[0-9]{1,3}", 1..5),
            marks in proptest::collection::vec("[@/?#%:&=\\[\\], '`\"\\\\]{1,2}|%[0-9]{2}", 5),
            ending in "(/app)?(\\?sslmode=require)?",
        ) {
            let written: String = words.iter().zip(&marks).flat_map(|(word, mark)| [word.as_str(), mark]).collect();
            for password in [&written, &words.join(&marks[0])] {
                let (shown, hosts) = match read(&format!("postgres://user:{password}@db.example:5432{ending}")) {
                    Err(error) => (format!("{error} {error:?} {}", error.to_json()), Vec::new()),
                    Ok(it) => (format!("{} {:?}", it.label, it.config.get_hosts()), it.config.get_hosts().to_vec()),
                };
                for word in &words {
                    proptest::prop_assert!(!shown.contains(word.as_str()), "{password}: {shown}");
                }
                proptest::prop_assert!(hosts.iter().all(|it| *it == Host::Tcp("db.example".to_owned())), "{hosts:?}");
            }
        }

        #[test]
        fn no_option_by_name_shows_its_secret(secret in "[G-Z]{3}[ ='\\\\`\"][G-Z]{4}[0-9]") {
            if let Err(error) = read(&format!("host=db.example user=u password={secret} sslmode=require")) {
                for word in secret.split(|it: char| !it.is_alphanumeric()) {
                    proptest::prop_assert!(!error.to_string().contains(word), "{error}");
                }
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = read(&text);
            let _ = read(&format!("postgres://{text}"));
            let _ = read(&format!("postgres://u:p@h/db?{text}"));
        }
    }
}
