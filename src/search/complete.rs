//! What may follow in a query that somebody is typing.

use super::fields::{FIELDS, ROOTS};
use super::parser::STATUSES;
use super::pattern::Pattern;
use super::print::written;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many options are offered.
const MOST: usize = 20;

/// Values that messages have, by the key under which they are found: `type`, `payload.user.id`.
pub type Known = BTreeMap<String, Vec<String>>;

/// What may stand where somebody types.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Completion {
    /// Where the text begins that an option replaces, from 0, as JavaScript counts the characters of a text.
    pub from: usize,
    /// The options, ready to be put there.
    pub options: Vec<String>,
}

/// What may stand before the cursor, which counts as [`Completion::from`].
pub fn complete(text: &str, cursor: usize, known: &Known) -> Completion {
    let head = before(text, cursor);
    let start = last(head, char::is_whitespace).map_or(0, |(at, letter)| at + letter.len_utf8());
    let term = &head[start..];
    let term = term.strip_prefix('-').unwrap_or(term);
    let (typed, options) = match first(term, ':') {
        Some(colon) => {
            let (key, values) = (&term[..colon], &term[colon + 1..]);
            let value = &values[last(values, |it| it == ',').map_or(0, |(at, _)| at + 1)..];
            (value.trim_start_matches(['<', '>', '=']), values_of(key, known))
        }
        None => (term, keys(known)),
    };
    let wanted = typed.trim_start_matches('"').to_lowercase();
    let fitting = options.into_iter().filter(|(plain, _)| plain.to_lowercase().starts_with(&wanted));
    let options = fitting.map(|(_, option)| option).take(MOST).collect();
    Completion { from: head[..head.len() - typed.len()].encode_utf16().count(), options }
}

/// Every key, as it is typed and as it is put there.
fn keys(known: &Known) -> Vec<(String, String)> {
    let fields = FIELDS.iter().map(|it| format!("{}:", it.0));
    let roots = ROOTS.iter().map(|it| format!("{}.", it.0));
    let paths = known.keys().filter(|it| it.contains('.')).map(|it| format!("{it}:"));
    fields.chain(roots).chain(paths).map(|it| (it.clone(), it)).collect()
}

/// Every value of a key, as it is typed and as it is put there.
fn values_of(key: &str, known: &Known) -> Vec<(String, String)> {
    let states = if key == "status" { &STATUSES[..] } else { &[] };
    let seen = known.get(key).into_iter().flatten().map(String::as_str);
    states.iter().copied().chain(seen).map(|it| (it.to_owned(), written(&Pattern::exactly(it)))).collect()
}

/// The text before so many units of UTF-16; half a letter is none.
fn before(text: &str, cursor: usize) -> &str {
    let mut units = 0;
    let end = text.char_indices().find(|(_, letter)| {
        units += letter.len_utf16();
        units > cursor
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// The first place outside quotes.
fn first(text: &str, wanted: char) -> Option<usize> {
    unquoted(text).find(|it| it.1 == wanted).map(|it| it.0)
}

/// The last place outside quotes, and what stands there.
fn last(text: &str, wanted: impl Fn(char) -> bool) -> Option<(usize, char)> {
    unquoted(text).filter(|it| wanted(it.1)).last()
}

/// What is not between quotes.
fn unquoted(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut inside, mut escaped) = (false, false);
    text.char_indices().filter(move |(_, letter)| {
        let free = !inside;
        inside ^= *letter == '"' && !escaped;
        escaped = inside && *letter == '\\' && !escaped;
        free && !inside
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let values = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        Known::from([
            ("type".to_owned(), values(&["EmailMessage", "Sms", "two words"])),
            ("payload.user.id".to_owned(), values(&["7"])),
        ])
    }

    fn options(text: &str) -> (usize, Vec<String>) {
        let it = complete(text, text.encode_utf16().count(), &known());
        (it.from, it.options)
    }

    #[test]
    fn keys_and_values_are_completed() {
        for (typed, from, expected) in [
            ("pri", 0, vec!["priority:"]),
            ("type:Sms -qu", 10, vec!["queue:"]),
            ("pay", 0, vec!["payload.", "payload.user.id:"]),
            ("status:c", 7, vec!["completed", "cancelled"]),
            ("-status:completed,FA", 18, vec!["failed"]),
            ("type:", 5, vec!["EmailMessage", "Sms", "\"two words\""]),
            ("type:\"two w", 5, vec!["\"two words\""]),
            ("payload.user.id:>", 17, vec!["7"]),
            ("nothing:", 8, vec![]),
            ("🦀 ty", 3, vec!["type:"]),
        ] {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(options(typed), (from, expected), "{typed}");
        }
        assert_eq!(options("").1.len(), FIELDS.len() + ROOTS.len() + 1);
        let inside = complete("ty status:failed", 2, &known());
        assert_eq!((inside.from, inside.options), (0, vec!["type:".to_owned()]));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic_and_it_replaces_what_is_before_the_cursor(
            text in "(\\PC|[a-z:,\"\\\\ -]){0,20}", cursor in 0_usize..30,
        ) {
            proptest::prop_assert!(complete(&text, cursor, &known()).from <= cursor);
        }

        #[test]
        fn a_value_that_is_put_there_is_that_value(value in "\\PC{1,9}") {
            let known = Known::from([("type".to_owned(), vec![value.clone()])]);
            let text = format!("type:{}", complete("type:", 5, &known).options.concat());
            let query = super::super::parse(&text, super::super::List::Messages).unwrap();
            proptest::prop_assert_eq!(&query.terms[0].any[0], &super::super::Value::Text(Pattern::exactly(value)));
        }
    }
}
