//! How large the parts of a message may be.

use crate::config::PayloadLimits;
use crate::error::{Error, Invalid, Result};

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
