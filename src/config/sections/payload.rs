//! How large a message may be.

use serde::Serialize;

use crate::config::keys::section;
use crate::config::value::whole;

/// The most bytes that a `jsonb` value holds.
const MAX_BYTES: usize = 268_435_455;

section! {
    /// How large a message may be, in bytes of JSON text with its numbers written out.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct PayloadLimits {
        /// Largest payload.
        pub max_bytes: usize = 1_048_576,
        "maxBytes": whole(1, MAX_BYTES), "SYMPHONY_PAYLOAD_MAX_BYTES";

        /// Largest headers of a message.
        pub max_headers_bytes: usize = 65_536,
        "maxHeadersBytes": whole(1, MAX_BYTES), "SYMPHONY_PAYLOAD_MAX_HEADERS_BYTES";

        /// Largest metadata of a message.
        pub max_metadata_bytes: usize = 65_536,
        "maxMetadataBytes": whole(1, MAX_BYTES), "SYMPHONY_PAYLOAD_MAX_METADATA_BYTES";
    }
}
