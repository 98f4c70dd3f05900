//! Outcomes in a form that any database can store. Pure.
//!
//! A text may be refused for its letters, if the encoding of the database lacks them, or by a rule that someone has
//! added to a table.

use crate::error::Error;
use crate::message::outcome::{Failure, Outcome};

/// The error class of a message whose outcome the database refuses.
pub const CLASS: &str = "OutcomeRefused";

/// Characters of a text that are kept.
const LONGEST: usize = 1000;

/// The outcome with its texts cut and written in ASCII; `None` if it has none.
pub fn outcome(outcome: &Outcome) -> Option<Outcome> {
    let names = |handled: &[String]| handled.iter().map(|it| ascii(it)).collect::<Vec<_>>();
    match outcome {
        Outcome::Completed => None,
        Outcome::Discarded { reason } => Some(Outcome::Discarded { reason: ascii(reason) }),
        Outcome::Retry { delay, failure, handled } => {
            Some(Outcome::Retry { delay: *delay, failure: plain(failure), handled: names(handled) })
        }
        Outcome::Bury { failure, handled } => Some(Outcome::Bury { failure: plain(failure), handled: names(handled) }),
        Outcome::Snooze { delay, handled } => Some(Outcome::Snooze { delay: *delay, handled: names(handled) }),
        Outcome::Release { delay, handled, ran } => {
            Some(Outcome::Release { delay: *delay, handled: names(handled), ran: *ran })
        }
    }
}

/// The dead letter of a message whose outcome is refused however it is written. It is not run again automatically: what
/// the handlers have done stays done.
pub fn buried(outcome: &Outcome, error: &Error) -> Outcome {
    let meant = match outcome {
        Outcome::Completed => "it was handled",
        Outcome::Discarded { .. } => "its handler discarded it",
        Outcome::Retry { .. } | Outcome::Bury { .. } => "its handler failed",
        Outcome::Snooze { .. } => "its handler snoozed it",
        Outcome::Release { .. } => "it was handed back",
    };
    let message = ascii(&format!("{meant}, and the database refuses to store that: {error}"));
    Outcome::Bury { failure: Failure::new(CLASS, message), handled: Vec::new() }
}

fn plain(failure: &Failure) -> Failure {
    Failure {
        class: ascii(&failure.class),
        message: ascii(&failure.message),
        stack: failure.stack.as_deref().map(ascii),
        ..failure.clone()
    }
}

/// Letters beyond ASCII as `\u{…}`.
fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len().min(LONGEST));
    for letter in text.chars().take(LONGEST) {
        if letter.is_ascii() && letter != '\0' {
            plain.push(letter);
        } else {
            plain.extend(letter.escape_unicode());
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn texts_are_cut_and_written_in_ascii() {
        let failure = Failure {
            class: "Fehler\0".to_owned(),
            message: format!("Größe {}", "x".repeat(2 * LONGEST)),
            stack: Some("at größer".to_owned()),
            ..Failure::new("", String::new())
        };
        let delay = Duration::from_secs(1);
        let retry = Outcome::Retry { delay, failure, handled: vec!["größer".to_owned()] };
        let Some(Outcome::Retry { delay: kept, failure, handled }) = outcome(&retry) else { panic!("no retry") };
        assert_eq!((kept, &*failure.class), (delay, "Fehler\\u{0}"));
        assert_eq!(failure.stack.as_deref(), Some("at gr\\u{f6}\\u{df}er"));
        assert!(failure.message.starts_with("Gr\\u{f6}\\u{df}e x") && failure.message.len() < 1100);
        assert_eq!(handled, ["gr\\u{f6}\\u{df}er"]);
    }

    #[test]
    fn what_has_no_text_is_buried_with_a_reason() {
        assert_eq!(outcome(&Outcome::Completed), None);
        let error = Error::Stopped { what: "the test" };
        let Outcome::Bury { failure, .. } = buried(&Outcome::Completed, &error) else { panic!("not buried") };
        assert_eq!(failure.class, CLASS);
        assert!(failure.message.starts_with("it was handled, and the database refuses"), "{}", failure.message);
    }
}
