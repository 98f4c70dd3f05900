//! How single values of the configuration look in JSON.

use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::model::Retention;
use crate::base::redaction;

/// A number, without the fraction `.0` where it is whole.
pub(crate) fn number<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    let whole = *number as i64;
    if whole as f64 == *number { serializer.serialize_i64(whole) } else { serializer.serialize_f64(*number) }
}

/// A duration in milliseconds.
pub(super) fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(whole_millis(*duration))
}

/// A time limit in milliseconds, 0 where there is none.
pub(super) fn timeout<S: Serializer>(limit: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(limit.map_or(0, whole_millis))
}

/// A URL without its password.
pub(super) fn redacted_url<S: Serializer>(url: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    url.as_deref().map(redaction::url).serialize(serializer)
}

/// Options of a transport without passwords.
pub(super) fn redacted_options<S: Serializer>(options: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    redaction::secrets(options).serialize(serializer)
}

impl Serialize for Retention {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Forever => serializer.serialize_str("forever"),
            Self::For(duration) => millis(duration, serializer),
        }
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_whole_where_they_can_be() {
        let json = |value| number(&value, serde_json::value::Serializer).unwrap();
        assert_eq!(json(2.0).to_string(), "2");
        assert_eq!(json(-0.5).to_string(), "-0.5");
        assert_eq!(json(1e300).to_string(), "1e+300");
    }

    #[test]
    fn retention_is_milliseconds_or_a_word() {
        let json = |retention: Retention| serde_json::to_value(retention).unwrap();
        assert_eq!(json(Retention::None), json!("none"));
        assert_eq!(json(Retention::Forever), json!("forever"));
        assert_eq!(json(Retention::For(Duration::from_secs(2))), json!(2000));
    }
}
