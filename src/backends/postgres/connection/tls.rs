//! TLS as `sslmode` requires it, and what is wrong with a certificate.

use super::url::Target;
use super::url_tls::Verification;
use crate::error::{Error, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// A connector for the target.
///
/// # Errors
/// [`Error::InvalidConfiguration`] when the file of `sslrootcert` cannot be read, or holds no certificate.
pub fn connector(target: &Target) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(ring::default_provider());
    let versions = if target.only_tls13 { &[&rustls::version::TLS13][..] } else { rustls::DEFAULT_VERSIONS };
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|error| unusable("TLS", &error))?;
    let lenient = match &target.verification {
        Verification::Full(file) => {
            let config = builder.with_root_certificates(roots(file.as_deref())?).with_no_client_auth();
            return Ok(MakeRustlsConnect::new(config));
        }
        Verification::Chain(file) => Lenient { chain: Some(chain(file.as_deref(), &provider)?), provider },
        Verification::None => Lenient { chain: None, provider },
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(lenient));
    Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
}

fn chain(file: Option<&Path>, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots(file)?), provider.clone())
        .build()
        .map_err(|error| unusable("TLS", &error))
}

fn roots(file: Option<&Path>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    let Some(path) = file else {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(store);
    };
    let place = path.display().to_string();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&place, &error))? {
        let certificate = certificate.map_err(|error| unusable(&place, &error))?;
        store.add(certificate).map_err(|error| unusable(&place, &error))?;
    }
    if store.is_empty() {
        return Err(unusable(&place, &"it holds no certificate"));
    }
    Ok(store)
}

fn unusable(what: &str, problem: &dyn std::fmt::Display) -> Error {
    Error::configuration("database.url", format!("{what} ({problem})"), "sslrootcert naming a readable PEM file")
}

/// What is wrong with the server's certificate, and what helps; `None`: the connection failed for another reason.
pub fn refusal(error: &tokio_postgres::Error) -> Option<(String, &'static str)> {
    let io = std::error::Error::source(error)?.downcast_ref::<std::io::Error>()?;
    let rustls::Error::InvalidCertificate(problem) = io.get_ref()?.downcast_ref::<rustls::Error>()? else {
        return None;
    };
    let remedy = match problem {
        CertificateError::UnknownIssuer => {
            "Name the file of the authority that signed it in the database URL: sslrootcert=/path/to/ca.pem"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "Connect by a name that it is made for, or with sslmode=verify-ca, which does not ask for the name"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "Renew it on the server",
        _ => "Give the server one that an authority has signed, not an authority's own",
    };
    Some((problem.to_string(), remedy))
}

/// Encrypts without checking the host name: what `sslmode=verify-ca` means in libpq; and without a chain, without
/// checking anything, as `require`.
#[derive(Debug)]
struct Lenient {
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // The name is checked last: the chain is valid.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            answer => answer,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
