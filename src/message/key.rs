//! Idempotency keys as callers give them.

use crate::error::{Error, Invalid, Result};

/// The longest idempotency key, in characters: even at four bytes each it fits an index entry of Postgres (2,704 bytes)
/// together with the name of a transport and a type.
pub const MAX_KEY_CHARS: usize = 255;

/// Checks a key given by the caller: 1 to [`MAX_KEY_CHARS`] characters, not only blanks, no NUL.
///
/// # Errors
/// [`Error::InvalidMessage`] with [`Invalid::IdempotencyKey`].
pub fn validate_key(key: &str) -> Result<()> {
    let problem = if key.trim().is_empty() {
        "is empty".to_owned()
    } else if key.contains('\0') {
        "contains the character \\u0000, which Postgres cannot store".to_owned()
    } else {
        match key.chars().count() {
            0..=MAX_KEY_CHARS => return Ok(()),
            length => format!("has {length} characters"),
        }
    };
    let wants = format!("wants 1 to {MAX_KEY_CHARS} characters; leave it out to have one generated");
    Err(Error::invalid(Invalid::IdempotencyKey, "options.idempotencyKey", format!("{problem}, {wants}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(key: &str) -> String {
        let error = validate_key(key).unwrap_err();
        assert_eq!(error.code(), "SYMPHONY_INVALID_IDEMPOTENCY_KEY");
        error.to_string()
    }

    #[test]
    fn ordinary_keys_are_allowed() {
        for key in ["a", "unique-key-123", "order 7\n", "zażółć-🦀", &"x".repeat(255), &"🦀".repeat(255)] {
            assert!(validate_key(key).is_ok(), "{key}");
        }
    }

    #[test]
    fn empty_long_and_nul_keys_are_refused() {
        assert!(problem("").starts_with("options.idempotencyKey: is empty, wants 1 to 255 characters"));
        assert!(problem(" \t").contains("is empty"));
        assert!(problem(&"🦀".repeat(256)).contains("has 256 characters"));
        assert!(problem("a\0b").contains("\\u0000"));
    }
}
