//! How long what is finished is kept.

use crate::config::serialize::millis;
use serde::{Serialize, Serializer};
use std::time::Duration;

/// How long finished messages are kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RetentionConfig {
    /// Completed messages. Default 24 h.
    pub completed: Retention,
    /// Dead letters; never [`Retention::None`], since a dead letter dropped at once is a lost message. Default 30 days.
    pub failed: Retention,
    /// Metrics. Default 7 days.
    pub metrics: Retention,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            completed: Retention::For(Duration::from_hours(24)),
            failed: Retention::For(Duration::from_hours(30 * 24)),
            metrics: Retention::For(Duration::from_hours(7 * 24)),
        }
    }
}

/// How long something is kept. Serialized as milliseconds, `"forever"` or `"none"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Not at all: deleted as soon as it is finished.
    None,
    /// Until someone deletes it.
    Forever,
    /// This long after it finished, at least 1 ms.
    For(Duration),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn retention_is_milliseconds_or_a_word() {
        let json = |retention: Retention| serde_json::to_value(retention).unwrap();
        assert_eq!(json(Retention::None), json!("none"));
        assert_eq!(json(Retention::Forever), json!("forever"));
        assert_eq!(json(Retention::For(Duration::from_secs(2))), json!(2000));
    }
}
