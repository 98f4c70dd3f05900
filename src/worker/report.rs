//! What the handlers say about messages: `[batch, index, ms]`, or `[batch, index, ms, outcome]`.

use crate::error::{Error, Result};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// One message's report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The batch it was delivered in.
    pub batch: u32,
    /// Its place in the batch.
    pub index: usize,
    /// How long its handlers ran, in milliseconds.
    pub millis: f64,
    /// What became of it.
    pub said: Said,
}

/// What became of a message, in the words of the handlers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "as", rename_all = "camelCase")]
pub enum Said {
    /// All handlers succeeded.
    #[serde(skip)]
    Completed,
    /// One failed.
    #[serde(rename_all = "camelCase")]
    Failed {
        /// Whether another run may help.
        retryable: bool,
        /// Not before so many milliseconds.
        #[serde(default)]
        retry_after: Option<f64>,
        /// What was thrown.
        error: Thrown,
        /// Handlers that succeeded so far.
        #[serde(default)]
        handled: Vec<String>,
    },
    /// Again later, with no attempt used.
    Snoozed {
        /// In so many milliseconds.
        delay: f64,
        /// Handlers that succeeded so far.
        #[serde(default)]
        handled: Vec<String>,
    },
    /// Finished without having been handled.
    Discarded {
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// Not started.
    Released {
        /// In so many milliseconds, if not at once.
        #[serde(default)]
        delay: Option<f64>,
        /// Handlers that succeeded so far.
        #[serde(default)]
        handled: Vec<String>,
    },
}

/// An error as JavaScript saw it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Thrown {
    /// Its class.
    pub class: String,
    /// Its message.
    pub message: String,
}

/// Reads JSON text of an array of reports.
///
/// # Errors
/// [`Error::Serialization`].
pub fn read(text: &str) -> Result<Vec<Report>> {
    serde_json::from_str(text).map_err(|error| Error::Serialization { what: "outcomes", reason: error.to_string() })
}

impl<'de> Deserialize<'de> for Report {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Tuple)
    }
}

/// Three elements, or four: serde's own tuples have one length.
struct Tuple;

impl<'de> Visitor<'de> for Tuple {
    type Value = Report;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[batch, index, ms] or [batch, index, ms, outcome]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Report, A::Error> {
        let missing = |index| serde::de::Error::invalid_length(index, &self);
        let batch = sequence.next_element()?.ok_or_else(|| missing(0))?;
        let index = sequence.next_element()?.ok_or_else(|| missing(1))?;
        let millis = sequence.next_element()?.ok_or_else(|| missing(2))?;
        let said = sequence.next_element()?.unwrap_or(Said::Completed);
        Ok(Report { batch, index, millis, said })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::Strategy;

    #[test]
    fn reports_of_every_kind() {
        let text = r#"[[1,0,2.5],[1,1,3,{"as":"failed","retryable":true,"retryAfter":null,
            "error":{"class":"Error","message":"no","stack":"…"},"handled":["a"]}],
            [1,2,0,{"as":"snoozed","delay":5}],[1,3,0,{"as":"discarded","reason":"old"}],[1,4,0,{"as":"released"}]]"#;
        let read = read(text).unwrap();
        assert_eq!(read[0], Report { batch: 1, index: 0, millis: 2.5, said: Said::Completed });
        assert!(matches!(&read[1].said, Said::Failed { retryable: true, handled, .. } if handled == &["a"]));
        assert_eq!(read[2].said, Said::Snoozed { delay: 5.0, handled: vec![] });
        assert_eq!(read[4].said, Said::Released { delay: None, handled: vec![] });
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["{}", "[[1]]", "[[1,0,0,{\"as\":\"completed\"}]]", "[[1,-1,0]]"] {
            assert_eq!(read(text).unwrap_err().code(), "SYMPHONY_SERIALIZATION_FAILED", "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", inner in r#"[\[\]{},:\-"a-z0-9.]{0,40}"#) {
            let _ = read(&text);
            let _ = read(&format!("[[0,0,{inner}]]"));
            let _ = read(&format!(r#"[[0,0,0,{{"as":{inner}}}]]"#));
        }

        #[test]
        fn what_was_said_is_heard(
            batch: u32, index in 0_usize..100_000, millis in (0_u32..1_000_000_000).prop_map(f64::from), reason in "(\\PC|\0|\\\\|\"){0,20}",
        ) {
            let text = serde_json::json!([
                [batch, index, millis],
                [batch, index, millis, { "as": "discarded", "reason": reason }],
                [batch, index, millis, { "as": "failed", "retryable": true, "retryAfter": millis,
                                         "error": { "class": reason, "message": reason }, "handled": [reason] }],
            ]);
            let heard = read(&text.to_string()).unwrap();
            proptest::prop_assert!(heard.iter().all(|it| (it.batch, it.index) == (batch, index)));
            proptest::prop_assert_eq!(&heard[1].said, &Said::Discarded { reason: reason.clone() });
            let error = Thrown { class: reason.clone(), message: reason.clone() };
            let failed = Said::Failed { retryable: true, retry_after: Some(millis), error, handled: vec![reason] };
            proptest::prop_assert_eq!(&heard[2].said, &failed);
        }
    }
}
