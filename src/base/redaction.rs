//! Keeps passwords out of logs, errors and whatever shows the configuration.

use serde_json::Value;

/// What replaces a secret.
const MASK: &str = "***";

/// A URL with its password masked: `postgres://user:***@host/db`.
///
/// Passwords that should have been escaped and were not (`p@ss`, `p/ss`, `p?ss`) are masked too: everything up to the
/// last `@` counts as user and password.
pub(crate) fn url(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let (login, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (format!("{}@", login_without_password(login)), place),
        None => (String::new(), rest),
    };
    format!("{scheme}{login}{}", without_password_parameters(place))
}

fn login_without_password(login: &str) -> String {
    match login.split_once(':') {
        Some((user, _)) => format!("{user}:{MASK}"),
        None => login.to_owned(),
    }
}

/// libpq also reads `?password=` and `?sslpassword=`.
fn without_password_parameters(place: &str) -> String {
    let Some((server, parameters)) = place.split_once('?') else { return place.to_owned() };
    let masked = parameters.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={MASK}"),
        _ => parameter.to_owned(),
    });
    format!("{server}?{}", masked.collect::<Vec<_>>().join("&"))
}

/// A copy of `value` with every URL's password masked, and every field whose name says that it is secret.
pub(crate) fn secrets(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains("://") => Value::String(url(text)),
        Value::Array(items) => items.iter().map(secrets).collect(),
        Value::Object(fields) => {
            let mask = |(name, field): (&String, &Value)| {
                (name.clone(), if is_secret(name) { Value::from(MASK) } else { secrets(field) })
            };
            Value::Object(fields.iter().map(mask).collect())
        }
        _ => value.clone(),
    }
}

/// What the name of a secret contains, in any spelling: `apiKey`, `api_key`, `API-KEY`.
const SECRETS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "dsn",
    "connectionstring",
];

fn is_secret(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase());
    let name: String = letters.collect();
    SECRETS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_password_of_a_url_is_masked() {
        for (given, shown) in [
            ("postgres://user:secret@host:5432/db?sslmode=require", "postgres://user:***@host:5432/db?sslmode=require"),
            ("postgres://user:p@ss/w?rd#:x@host/db", "postgres://user:***@host/db"),
            ("postgres://user@host/db", "postgres://user@host/db"),
            ("postgres://:secret@host", "postgres://:***@host"),
            ("postgres://host/db?user=u&password=secret&a=b", "postgres://host/db?user=u&password=***&a=b"),
            ("postgres://host/db", "postgres://host/db"),
            ("user:secret@host", "user:***@host"),
            ("", ""),
        ] {
            assert_eq!(url(given), shown);
        }
    }

    #[test]
    fn secrets_inside_options_are_masked() {
        let options = json!({
            "url": "redis://:pw@host",
            "nested": [{ "secretAccessKey": "pw", "region": "x" }],
            "port": 1,
            "authToken": 7,
        });
        let shown = json!({
            "url": "redis://:***@host",
            "nested": [{ "secretAccessKey": "***", "region": "x" }],
            "port": 1,
            "authToken": "***",
        });
        assert_eq!(secrets(&options), shown);
    }

    #[test]
    fn the_name_says_that_it_is_secret_in_any_spelling() {
        for name in [
            "apiKey",
            "api_key",
            "X-API-KEY",
            "accessKeyId",
            "aws_access_key",
            "privateKey",
            "passphrase",
            "credentials",
            "dsn",
            "SENTRY_DSN",
            "connectionString",
        ] {
            assert_eq!(secrets(&json!({ name: { "a": "pw" } })), json!({ name: "***" }), "{name}");
        }
        let shown = json!({ "region": "x", "key": "routing", "keyPrefix": "q:", "accessMode": "rw", "port": 1 });
        assert_eq!(secrets(&shown), shown);
    }

    proptest! {
        #[test]
        fn no_password_survives(
            user in "[a-z]{0,5}", password in "[#-~]{0,9}HIDDEN[#-~]{0,9}",
            host in "[a-z]{1,9}", query in "(\\?[a-z=&]{0,9})?",
        ) {
            let shown = url(&format!("postgres://{user}:{password}@{host}/db{query}"));
            prop_assert!(!shown.contains("HIDDEN"), "{}", shown);
        }
    }
}
