//! What the handlers say about messages: `[batch, index, ms]`, or `[batch, index, ms, outcome]`.

use crate::error::{Error, Result};
use crate::message::outcome::Failure;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// One message's report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The batch it was delivered in.
    pub batch: u32,
    /// Its place in the batch.
    pub index: usize,
    /// How long its handlers ran, in milliseconds.
    pub millis: f64,
    /// What happened to it.
    pub said: Said,
}

/// What happened to a message, in the words of the handlers.
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
        /// Not before this many milliseconds.
        #[serde(default)]
        retry_after: Option<f64>,
        /// What was thrown.
        error: Failure,
        /// Handlers that succeeded so far.
        #[serde(default)]
        handled: Vec<String>,
    },
    /// Again later, without using up an attempt.
    Snoozed {
        /// In this many milliseconds.
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
        /// In this many milliseconds, if not at once.
        #[serde(default)]
        delay: Option<f64>,
        /// Handlers that succeeded so far.
        #[serde(default)]
        handled: Vec<String>,
    },
}

/// The error class of a run whose report cannot be read.
const UNREADABLE: &str = "InvalidOutcome";

/// Reads JSON text of an array of reports. One that cannot be read counts as a failed run, and its neighbours are still
/// read: the worker would keep what is not reported.
///
/// # Errors
/// [`Error::Serialization`] for text that is not a JSON array.
pub fn read(text: &str) -> Result<Vec<Report>> {
    if let Ok(reports) = serde_json::from_str(text) {
        return Ok(reports);
    }
    let lines: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| Error::Serialization { what: "outcomes", reason: error.to_string() })?;
    Ok(lines.into_iter().filter_map(read_one).collect())
}

/// `None` for a line that does not even say which message it is about.
fn read_one(line: &RawValue) -> Option<Report> {
    serde_json::from_str(line.get()).or_else(|error| failed(line, &error).ok_or(error)).ok()
}

fn failed(line: &RawValue, error: &serde_json::Error) -> Option<Report> {
    let parts: Vec<&RawValue> = serde_json::from_str(line.get()).ok()?;
    let batch = serde_json::from_str(parts.first()?.get()).ok()?;
    let index = serde_json::from_str(parts.get(1)?.get()).ok()?;
    let millis = parts.get(2).and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or_default();
    let message = format!("what was reported of its run cannot be read: {error}");
    let error = Failure::new(UNREADABLE, message);
    let said = Said::Failed { retryable: true, retry_after: None, error, handled: Vec::new() };
    Some(Report { batch, index, millis, said })
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
    fn what_is_not_a_list_is_refused() {
        for text in ["{}", "", "[[1,0,0]", "null"] {
            assert_eq!(read(text).unwrap_err().code(), "SYMPHONY_SERIALIZATION_FAILED", "{text}");
        }
    }

    #[test]
    fn one_that_cannot_be_read_is_a_failed_run_and_takes_no_other_along() {
        let bad = [
            r#"[1,1,2,{"as":"failed","retryable":null,"error":{"class":"E","message":"m"}}]"#,
            r#"[1,1,2,{"as":"completed"}]"#,
            r#"[1,1,2,{"as":"discarded","reason":"\ud800"}]"#,
            "[1,1,2,3]",
            "[1,1,null]",
            "[1,1]",
        ];
        for line in bad {
            let reports = read(&format!("[[1,0,2.5],{line},[1,2,3]]")).unwrap();
            let places: Vec<usize> = reports.iter().map(|it| it.index).collect();
            assert_eq!(places, [0, 1, 2], "{line}");
            assert_eq!((&reports[0].said, &reports[2].said), (&Said::Completed, &Said::Completed));
            let Said::Failed { retryable, error, .. } = &reports[1].said else { panic!("{line}") };
            assert!(*retryable && error.class == UNREADABLE && error.message.contains("cannot be read"), "{line}");
        }
        assert_eq!(read("[[1,0,2.5],[],7]").unwrap().len(), 1);
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
                                         "error": { "class": reason, "message": reason, "stack": reason },
                                         "handled": [reason] }],
            ]);
            let heard = read(&text.to_string()).unwrap();
            proptest::prop_assert!(heard.iter().all(|it| (it.batch, it.index) == (batch, index)));
            proptest::prop_assert_eq!(&heard[1].said, &Said::Discarded { reason: reason.clone() });
            let error = Failure { stack: Some(reason.clone()), ..Failure::new(&reason, reason.clone()) };
            let failed = Said::Failed { retryable: true, retry_after: Some(millis), error, handled: vec![reason] };
            proptest::prop_assert_eq!(&heard[2].said, &failed);
        }
    }
}
