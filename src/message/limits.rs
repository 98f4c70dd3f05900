//! How large the parts of a message may be.

use crate::error::{Error, Invalid, Result};
use serde::Serialize;

/// What a payload may be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PayloadLimits {
    /// Largest payload in bytes of JSON text, also with its numbers written out, 1 to 268435455 (what `jsonb` holds).
    /// Default 1048576 (1 MiB).
    pub max_bytes: usize,
    /// Largest headers of a message, likewise. Default 65536 (64 KiB).
    pub max_headers_bytes: usize,
    /// Largest metadata of a message, likewise. Default 65536 (64 KiB).
    pub max_metadata_bytes: usize,
}

impl Default for PayloadLimits {
    fn default() -> Self {
        Self { max_bytes: 1_048_576, max_headers_bytes: 65_536, max_metadata_bytes: 65_536 }
    }
}

/// How large a part of a message may be.
pub struct Limit {
    max_bytes: usize,
    key: &'static str,
}

impl PayloadLimits {
    pub(super) fn payload(&self) -> Limit {
        Limit { max_bytes: self.max_bytes, key: "payload.maxBytes" }
    }

    pub(super) fn headers(&self) -> Limit {
        Limit { max_bytes: self.max_headers_bytes, key: "payload.maxHeadersBytes" }
    }

    /// Of the message's and the options' metadata each, and of both together.
    pub fn metadata(&self) -> Limit {
        Limit { max_bytes: self.max_metadata_bytes, key: "payload.maxMetadataBytes" }
    }
}

/// Refuses what is too large.
///
/// # Errors
/// [`Error::InvalidMessage`] with the size, the limit, and the key that raises it.
pub fn fits(path: &str, is: &str, bytes: usize, limit: &Limit) -> Result<()> {
    let Limit { max_bytes, key } = limit;
    if bytes <= *max_bytes {
        return Ok(());
    }
    let remedy = format!("store the data elsewhere and send its address, or raise `{key}`");
    let problem = format!("{is} {bytes} bytes, wants at most {max_bytes}: {remedy}");
    Err(Error::invalid(Invalid::PayloadSize, path, problem))
}
