//! Queries of the search language as one parameter: an array with a jsonpath for each document that is asked.
//!
//! SQL never changes with a query. What operators typed is in these texts, as strings and numbers of jsonpath. A field
//! that is not asked is NULL and costs nothing: one document of all columns took 33 us per row, one column takes 1 or 2.
//! A GIN index on the payload (`jsonb_path_ops`) can serve a predicate of the form `body @@ path`.

use crate::search::{Bounds, Comparison, Field, Json, Operand, Pattern, Query, Root, Term, Value, micros};

/// What the documents have to fulfil, in the order in which the statements number them; `None`: nothing.
pub fn paths(query: &Query) -> Vec<Option<String>> {
    let mut paths = vec![None; 18];
    for term in &query.terms {
        let path: &mut Option<String> = &mut paths[number(&term.field) - 1];
        let predicate = predicate(term);
        *path = Some(path.take().map_or_else(|| predicate.clone(), |all| format!("{all} && {predicate}")));
    }
    paths
}

/// The number of a document, see dead_letters/_fitting.sql and messages/list.sql.
fn number(field: &Field) -> usize {
    match field {
        Field::Id => 1,
        Field::Type => 2,
        Field::Transport => 3,
        Field::Queue => 4,
        Field::Status => 5,
        Field::Priority => 6,
        Field::Attempts => 7,
        Field::Crashes => 8,
        Field::Key => 9,
        Field::Class => 10,
        Field::Error => 11,
        Field::Created => 12,
        Field::Finished => 13,
        Field::Waited => 14,
        Field::Text => 15,
        Field::Path(Root::Payload, _) => 16,
        Field::Path(Root::Header, _) => 17,
        Field::Path(Root::Metadata, _) => 18,
    }
}

/// `exists` is true or false, never unknown, so that the opposite of what is not there holds.
fn predicate(term: &Term) -> String {
    let place = place(&term.field);
    let tests = term.any.iter().map(|value| match test(&term.field, value) {
        Some(test) => format!("exists({place} ? ({test}))"),
        None => format!("exists({place})"),
    });
    format!("{}({})", if term.negated { "!" } else { "" }, tests.collect::<Vec<_>>().join(" || "))
}

/// Where a field is in its document.
fn place(field: &Field) -> String {
    match field {
        Field::Path(_, path) => path.iter().fold("$".to_owned(), |place, name| place + "." + &string(name)),
        Field::Created | Field::Finished => "$.\"at\"".to_owned(),
        _ => "$".to_owned(),
    }
}

/// What has to hold for `@`; `None`: that it is there.
fn test(field: &Field, value: &Value) -> Option<String> {
    Some(match value {
        Value::Text(pattern) if matches!(field, Field::Error | Field::Text) => inside(pattern),
        Value::Text(pattern) => whole(pattern),
        Value::Id(id) => format!("@ == {}", string(&id.to_string())),
        Value::Status(name) => format!("@ == {}", string(name)),
        Value::Number(comparison, number) => format!("@ {} {number}", sign(*comparison)),
        Value::Span(comparison, millis) => format!("@ {} {}", sign(*comparison), seconds(micros(*millis))),
        Value::Instant(comparison, when) => match when.bounds() {
            Bounds::Ago(ago) => format!("@ {} $.\"now\" - {}", sign(*comparison), seconds(ago)),
            Bounds::At(from, to) if *comparison == Comparison::Is => {
                format!("@ >= {} && @ < {}", seconds(from), seconds(to))
            }
            Bounds::At(from, _) => format!("@ {} {}", sign(*comparison), seconds(from)),
        },
        Value::Json(Json::Present) => return None,
        Value::Json(Json::Loose(text)) => format!("@ == {text} || @ == {}", string(text)),
        Value::Json(Json::Text(pattern)) => whole(pattern),
        Value::Json(Json::Compare(comparison, Operand::Number(number))) => format!("@ {} {number}", sign(*comparison)),
        Value::Json(Json::Compare(comparison, Operand::Text(text))) => {
            format!("@ {} {}", sign(*comparison), string(text))
        }
    })
}

fn sign(comparison: Comparison) -> &'static str {
    if comparison == Comparison::Is { "==" } else { comparison.sign() }
}

/// Microseconds in seconds, exactly.
fn seconds(micros: i64) -> String {
    let (sign, micros) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A string of jsonpath, which is escaped as one of JSON.
fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn whole(pattern: &Pattern) -> String {
    match pattern.parts() {
        [text] => format!("@ == {}", string(text)),
        [prefix, rest] if rest.is_empty() => format!("@ starts with {}", string(prefix)),
        _ => format!("@ like_regex {} flag \"s\"", string(&format!("^{}$", expression(pattern)))),
    }
}

fn inside(pattern: &Pattern) -> String {
    format!("@ like_regex {} flag \"is\"", string(&expression(pattern)))
}

/// A regular expression in which nothing but the stars has a meaning.
fn expression(pattern: &Pattern) -> String {
    let literal = |part: &String| -> String {
        let letters = part.chars().map(|it| (it.is_ascii_punctuation().then_some('\\'), it));
        letters.flat_map(|(escape, letter)| escape.into_iter().chain([letter])).collect()
    };
    pattern.parts().iter().map(literal).collect::<Vec<_>>().join(".*")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{List, parse};

    fn asked(text: &str) -> Vec<(usize, String)> {
        let paths = paths(&parse(text, List::Messages).unwrap());
        paths.into_iter().enumerate().filter_map(|(index, it)| Some((index + 1, it?))).collect()
    }

    #[test]
    fn each_document_that_is_asked_has_its_path() {
        let expected = [
            (2, r#"(exists($ ? (@ == "A")) || exists($ ? (@ starts with "b"))) && !(exists($ ? (@ == "c")))"#),
            (4, r#"!(exists($ ? (@ == "x")))"#),
            (12, r#"(exists($."at" ? (@ > $."now" - 1.500000))) && (exists($."at" ? (@ < -0.250000)))"#),
            (14, r#"(exists($ ? (@ >= 60.000000)))"#),
            (15, r#"(exists($ ? (@ like_regex "re.*d" flag "is")))"#),
            (16, r#"(exists($."a\"b"."c" ? (@ == 1 || @ == "1"))) && (exists($."d"))"#),
            (17, r#"!(exists($."h" ? (@ == "x")))"#),
            (18, r#"(exists($."m" ? (@ > 2)))"#),
        ];
        let found = asked(
            "type:A,b* -type:c -queue:x payload.\"a\\\"b\".c:1 payload.d:* -header.h:x metadata.m:>2 re*d \
             created:>-1500ms created:<1969-12-31T23:59:59.75Z waited:>=1m",
        );
        assert_eq!(found, expected.map(|(number, path)| (number, path.to_owned())));
        assert_eq!(asked(""), []);
    }

    #[test]
    fn letters_that_mean_something_elsewhere_mean_themselves() {
        let only = |text: &str| asked(text).remove(0).1;
        assert_eq!(only("\"(a.b)\\\\\""), r#"(exists($ ? (@ like_regex "\\(a\\.b\\)\\\\" flag "is")))"#);
        assert_eq!(only("type:*.x*"), r#"(exists($ ? (@ like_regex "^.*\\.x.*$" flag "s")))"#);
    }
}
