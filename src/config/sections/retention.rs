//! How long what is finished is kept.

use crate::base::limits::LONGEST_MS;
use crate::config::bounds::Bounds;
use crate::config::keys::section;
use crate::config::serialize::millis;
use crate::config::value::{Fit, Leaf, duration};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::time::Duration;

section! {
    /// How long what is finished is kept.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct RetentionConfig {
        /// Completed messages.
        pub completed: Retention = Retention::For(Duration::from_hours(24)),
        "completed": kept(&["forever", "none"]), "SYMPHONY_RETENTION_COMPLETED";

        /// Dead letters; never [`Retention::None`], since a dead letter dropped at once is a lost message.
        pub failed: Retention = Retention::For(Duration::from_hours(30 * 24)),
        "failed": kept(&["forever"]), "SYMPHONY_RETENTION_FAILED";

        /// Metrics.
        pub metrics: Retention = Retention::For(Duration::from_hours(7 * 24)),
        "metrics": kept(&["forever"]), "SYMPHONY_RETENTION_METRICS";

        /// What operators did.
        pub audit: Retention = Retention::For(Duration::from_hours(90 * 24)),
        "audit": kept(&["forever"]), "SYMPHONY_RETENTION_AUDIT";
    }
}

/// A duration of at least 1 ms, or one of `words`.
pub(super) fn kept(words: &'static [&'static str]) -> Leaf<impl Fn(&Value) -> Fit<Retention>> {
    let Leaf { fit, bounds } = duration(1.0, LONGEST_MS);
    let fit = move |value: &Value| match value.as_str().filter(|word| words.contains(word)) {
        Some("none") => Ok(Retention::None),
        Some(_) => Ok(Retention::Forever),
        None => fit(value).map(Retention::For).map_err(|misfit| misfit.or_wants(words)),
    };
    Leaf { fit, bounds: Bounds { words: words.to_vec(), ..bounds } }
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

impl Retention {
    /// How long; `None`: forever, or not at all.
    pub fn limit(self) -> Option<Duration> {
        if let Self::For(limit) = self { Some(limit) } else { None }
    }
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
