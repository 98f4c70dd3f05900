//! What a database URL asks of TLS: understood as libpq does, or refused. A client that asks for more than is supported
//! must not silently get less.

use crate::error::{Error, Result};
use std::path::PathBuf;

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

/// What the parameters of one URL say.
#[derive(Debug, Default)]
pub struct Tls {
    mode: Option<String>,
    root: Option<PathBuf>,
    /// `sslrootcert=system`: the public authorities, and a name that is theirs to vouch for.
    by_system: bool,
    /// Whether nothing below TLS 1.3 will do.
    pub only_tls13: bool,
    negotiation: Option<String>,
}

/// `sslmode`, in libpq's words and in node-postgres's.
const MODES: &[&str] = &["disable", "allow", "prefer", "require", "verify-ca", "verify-full", "no-verify"];

/// Values of parameters that ask for what is done here anyway.
const AS_IT_IS: &[(&str, &[&str])] = &[
    ("ssl", &["false", "0"]),
    ("sslcertmode", &["disable", "allow"]),
    ("sslcompression", &["0", "1"]),
    ("sslsni", &["1"]),
    ("ssl_min_protocol_version", &["", "TLSv1", "TLSv1.1", "TLSv1.2"]),
    ("ssl_max_protocol_version", &["", "TLSv1.3"]),
    ("sslaccept", &["accept_invalid_certs"]),
    ("gssencmode", &["disable", "prefer"]),
    ("uselibpqcompat", &["true"]),
];

impl Tls {
    /// Takes a parameter; whether it is one about TLS.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`] when it asks for something that is not known here.
    pub fn takes(&mut self, key: &str, value: &str) -> Result<bool> {
        let value = decoded(value);
        match (key, value.as_str()) {
            ("sslmode", mode) if MODES.contains(&mode) => self.mode = Some(value),
            // As libpq reads what JDBC writes.
            ("ssl", "true" | "1") if self.mode.is_none() => self.mode = Some("require".to_owned()),
            ("ssl", "true" | "1") => {}
            ("sslrootcert", "system") => self.by_system = true,
            ("sslrootcert", "") => {}
            ("sslrootcert", file) => self.root = Some(PathBuf::from(file)),
            ("sslnegotiation", "postgres" | "direct") => self.negotiation = Some(value),
            ("ssl_min_protocol_version", "TLSv1.3") => self.only_tls13 = true,
            (key, value) if AS_IT_IS.iter().any(|(it, values)| *it == key && values.contains(&value)) => {}
            (key, _) if ["ssl", "tls", "gss"].iter().any(|it| key.starts_with(it)) => return Err(unknown(key)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether the parameters go together.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`] if they do not: less than `verify-full` with the public authorities would accept
    /// any certificate that one of them has issued to anyone.
    pub fn check(&self) -> Result<()> {
        match &self.mode {
            Some(mode) if self.by_system && mode != "verify-full" => Err(Error::configuration(
                "database.url",
                format!("sslrootcert=system with sslmode={mode}"),
                "sslmode=verify-full with sslrootcert=system, as libpq",
            )),
            _ => Ok(()),
        }
    }

    /// How the certificate is checked.
    pub fn verification(&self) -> Verification {
        let root = self.root.clone();
        match self.mode() {
            "verify-full" => Verification::Full(root),
            "verify-ca" => Verification::Chain(root),
            // Naming an authority means that it must be checked.
            "require" if root.is_some() => Verification::Chain(root),
            _ => Verification::None,
        }
    }

    /// The parameters in the driver's words: it leaves the checking of certificates to the connector.
    pub fn for_driver(&self) -> impl Iterator<Item = String> {
        let mode = match self.mode() {
            "verify-ca" | "verify-full" => "require",
            "allow" | "no-verify" | "" => "prefer",
            other => other,
        };
        let negotiation = self.negotiation.as_ref().map(|it| format!("sslnegotiation={it}"));
        [Some(format!("sslmode={mode}")), negotiation].into_iter().flatten()
    }

    fn mode(&self) -> &str {
        let implied = if self.by_system { "verify-full" } else { "" };
        self.mode.as_deref().unwrap_or(implied)
    }
}

/// Names the parameter and not its value, which may be a secret.
fn unknown(key: &str) -> Error {
    let got = match key {
        "sslmode" => "an sslmode that does not exist".to_owned(),
        "sslcert" | "sslkey" | "sslpassword" | "sslidentity" => {
            format!("{key}, but client certificates are not supported")
        }
        "sslcrl" | "sslcrldir" => format!("{key}, but revocation lists are not supported"),
        _ => format!("{key} with a value that cannot be honoured"),
    };
    let wants = "a URL that asks for TLS by sslmode (disable, prefer, require, verify-ca, verify-full) and sslrootcert";
    Error::configuration("database.url", got, wants)
}

/// Without percent-encoding; anything else stays as it is.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| first == b'%').and_then(|it| std::str::from_utf8(it).ok());
        match hex.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parameters: &str) -> Result<Tls> {
        let mut tls = Tls::default();
        for pair in parameters.split('&') {
            let (key, value) = pair.split_once('=').unwrap();
            assert!(tls.takes(key, value)?, "{pair}");
        }
        tls.check().map(|()| tls)
    }

    fn verification(parameters: &str) -> Verification {
        read(parameters).unwrap().verification()
    }

    #[test]
    fn sslmode_in_the_words_of_libpq() {
        assert_eq!(verification("sslmode=require"), Verification::None);
        assert_eq!(verification("sslmode=verify-full"), Verification::Full(None));
        let ca = || Some(PathBuf::from("/etc/ca.pem"));
        let own = |mode: &str| verification(&format!("sslrootcert=%2Fetc%2Fca.pem&sslmode={mode}"));
        assert_eq!(own("verify-full"), Verification::Full(ca()));
        assert_eq!((own("verify-ca"), own("require")), (Verification::Chain(ca()), Verification::Chain(ca())));
        assert_eq!(own("prefer"), Verification::None);
    }

    #[test]
    fn the_authorities_of_the_system_are_asked_in_full_or_not_named() {
        assert_eq!(verification("sslrootcert=system"), Verification::Full(None));
        assert_eq!(verification("sslrootcert=system&sslmode=verify-full"), Verification::Full(None));
        for mode in ["disable", "allow", "prefer", "require", "no-verify", "verify-ca"] {
            let error = read(&format!("sslrootcert=system&sslmode={mode}")).unwrap_err().to_string();
            assert!(error.contains("sslmode=verify-full"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_name_and_without_its_value() {
        for key in [
            "sslmode",
            "sslcert",
            "sslkey",
            "sslpassword",
            "sslcrl",
            "sslcrldir",
            "sslsni",
            "sslaccept",
            "sslidentity",
            "sslcertmode",
            "ssl_min_protocol_version",
            "ssl_max_protocol_version",
            "sslnegotiation",
            "gssencmode",
            "ssl",
            "ssl_of_tomorrow",
            "tls",
        ] {
            let error = read(&format!("{key}=sesame")).unwrap_err().to_string();
            assert!(error.contains(key) && !error.contains("sesame"), "{error}");
        }
    }

    #[test]
    fn what_is_so_anyway_is_taken() {
        for (key, values) in AS_IT_IS {
            for value in *values {
                assert_eq!(verification(&format!("{key}={value}")), Verification::None);
            }
        }
        assert!(read("ssl_min_protocol_version=TLSv1.3").unwrap().only_tls13);
        let driver = |it: &str| read(it).unwrap().for_driver().collect::<Vec<_>>();
        assert_eq!(driver("ssl=true"), ["sslmode=require"]);
        assert_eq!(driver("sslmode=verify-ca&ssl=true"), ["sslmode=require"]);
        assert_eq!(driver("sslnegotiation=direct&sslmode=require"), ["sslmode=require", "sslnegotiation=direct"]);
    }

    #[test]
    fn parameters_of_other_clients_are_not_its_own() {
        assert!(!Tls::default().takes("supa", "base").unwrap());
        assert!(!Tls::default().takes("connection_limit", "1").unwrap());
    }
}
