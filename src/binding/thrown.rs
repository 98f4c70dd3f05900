//! Errors on their way to JavaScript.

use crate::error::Error;
use serde_json::json;

/// The error as the facade decodes it: `{"symphony": {class, code, message, details}}` in the message.
pub fn thrown(error: Error) -> napi::Error {
    napi::Error::from_reason(json!({ "symphony": error.to_json() }).to_string())
}

/// JSON text of a value.
pub fn to_text(value: &impl serde::Serialize) -> napi::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| thrown(Error::Serialization { what: "answer", reason: error.to_string() }))
}

/// A value from JSON text.
pub fn from_text<'a, T: serde::Deserialize<'a>>(what: &'static str, text: &'a str) -> napi::Result<T> {
    serde_json::from_str(text).map_err(|error| thrown(Error::Serialization { what, reason: error.to_string() }))
}
