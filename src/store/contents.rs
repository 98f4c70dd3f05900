//! What a message holds, as operators are told of it: an outline, or all of it.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Characters of a payload that an outline shows.
pub const PREVIEW: usize = 200;

/// Some 64 MiB of text: once the messages of a page hold that, it ends. In Postgres the size of their payloads is
/// estimated from what is stored, and never too low.
pub const PAGE_BYTES: usize = 64 * 1024 * 1024;

/// What a message holds.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Contents {
    /// What a list shows: a thousand payloads of 1 MiB would be a gigabyte.
    Outline {
        /// The first characters of the payload.
        payload_preview: String,
        /// The size of all of it, in bytes of JSON.
        payload_bytes: u64,
    },
    /// All of it.
    Whole {
        /// The payload. It crosses as a text, because a number of JavaScript does not have all of its digits.
        #[serde(serialize_with = "as_text")]
        payload_text: Box<RawValue>,
        /// The last failed runs: `[{ at, class, message, stack, ms, worker }]`.
        error_history: Box<RawValue>,
    },
}

impl Contents {
    /// The outline of a payload.
    pub fn outline(json: &str) -> Self {
        let payload_preview = json.chars().take(PREVIEW).collect();
        Self::Outline { payload_preview, payload_bytes: json.len() as u64 }
    }

    /// The payload, if it is there.
    pub fn payload(&self) -> Option<&RawValue> {
        match self {
            Self::Outline { .. } => None,
            Self::Whole { payload_text, .. } => Some(payload_text),
        }
    }

    /// The failed runs, if they are there.
    pub fn history(&self) -> Option<&RawValue> {
        match self {
            Self::Outline { .. } => None,
            Self::Whole { error_history, .. } => Some(error_history),
        }
    }
}

fn as_text<S: Serializer>(json: &RawValue, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(json.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_crosses_digit_by_digit() {
        let json = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let (payload_text, error_history) = (json("{\"n\": 9007199254740993, \"x\": 1.50}"), json("[1]"));
        let told = serde_json::to_string(&Contents::Whole { payload_text, error_history }).unwrap();
        assert_eq!(told, r#"{"payloadText":"{\"n\": 9007199254740993, \"x\": 1.50}","errorHistory":[1]}"#);
    }

    #[test]
    fn an_outline_is_cut_between_characters() {
        let text = format!("\"{}\"", "ü".repeat(300));
        let Contents::Outline { payload_preview, payload_bytes } = Contents::outline(&text) else { panic!("whole") };
        assert_eq!((payload_preview.chars().count(), payload_bytes), (PREVIEW, 602));
    }
}
