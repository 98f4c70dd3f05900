//! Terms as they are written into terms as they are meant.

use super::decimal::is_number;
use super::fields::{field, name, names};
use super::lexer::{RawName, RawTerm, RawValue, Wrong, terms};
use super::query::{Comparison, Field, Json, List, Operand, Query, Term, Value, When};
use super::{MAX_DEPTH, MAX_LENGTH, MAX_STARS, MAX_VALUES};
use crate::base::duration;
use crate::base::suggestions::one_of;
use crate::error::{Error, QueryProblem, Result};
use chrono::{DateTime, Datelike, NaiveDate, SubsecRound, Utc};
use std::ops::Range;
use uuid::Uuid;

/// All states.
pub(super) const STATUSES: [&str; 6] = ["pending", "processing", "completed", "discarded", "cancelled", "failed"];

/// A hundred years in milliseconds: what the configuration allows too.
const LONGEST: f64 = 3_155_760_000_000.0;

/// Reads a query of a list.
///
/// # Errors
/// [`Error::InvalidQuery`], with the place of what is wrong.
pub fn parse(text: &str, list: List) -> Result<Query> {
    read(text, list).map_err(|wrong| Error::InvalidQuery(Box::new(problem(text, wrong))))
}

fn read(text: &str, list: List) -> Result<Query, Wrong> {
    if let Some((end, _)) = text.char_indices().nth(MAX_LENGTH) {
        return Err(Wrong { at: end..text.len(), wants: format!("at most {MAX_LENGTH} characters") });
    }
    if let Some(at) = text.find('\0') {
        return Err(Wrong { at: at..at + 1, wants: "a text without NUL".to_owned() });
    }
    let raw = terms(text)?;
    if let Some(value) = raw.iter().flat_map(|it| &it.values).nth(MAX_VALUES) {
        return Err(Wrong { at: value.at.clone(), wants: format!("at most {MAX_VALUES} values") });
    }
    Ok(Query { terms: raw.iter().map(|it| term(it, list)).collect::<Result<_, _>>()? })
}

fn term(raw: &RawTerm<'_>, list: List) -> Result<Term, Wrong> {
    let field = raw.name.as_ref().map_or_else(|| free_text(raw), named)?;
    if list == List::DeadLetters && field == Field::Waited {
        let wants = "another key: no dead letter waits; created and finished are instants".to_owned();
        return Err(Wrong { at: raw.at.clone(), wants });
    }
    let any: Vec<Value> = raw.values.iter().map(|it| value(&field, it)).collect::<Result<_, _>>()?;
    let term = Term { negated: raw.negated, field, any };
    let query = Query { terms: vec![term] };
    if !list.statuses().iter().any(|it| query.allows(it)) {
        return Err(Wrong { at: raw.at.clone(), wants: other_list(list) });
    }
    let mut terms = query.terms;
    terms.pop().ok_or_else(|| Wrong { at: raw.at.clone(), wants: "a term".to_owned() })
}

fn other_list(list: List) -> String {
    let statuses = list.statuses().join(", ");
    let (what, other) = match list {
        List::Messages => ("dead letters are", "listFailed()"),
        List::DeadLetters => ("all others are", "listMessages()"),
    };
    format!("one of {statuses}: this list has no other; {what} in that of {other}")
}

/// What is searched without a key. Words of other languages are nearly always meant as such.
fn free_text(raw: &RawTerm<'_>) -> Result<Field, Wrong> {
    match &*raw.values {
        [only] if matches!(only.source, "AND" | "OR" | "NOT" | "&&" | "||") => {
            let wants = "no such word: terms all have to hold, commas separate alternatives, as type:Email,SMS, and a - \
                stands before what must not hold; put text in quotes";
            Err(Wrong { at: only.at.clone(), wants: wants.to_owned() })
        }
        _ => Ok(Field::Text),
    }
}

fn named(raw: &RawName<'_>) -> Result<Field, Wrong> {
    if raw.path.len() > MAX_DEPTH {
        return Err(Wrong { at: raw.at.clone(), wants: format!("at most {MAX_DEPTH} names in a path") });
    }
    if let Some(field) = field(raw.name, &raw.path) {
        return Ok(field);
    }
    let is = |path: &[String]| field(raw.name, path).is_some();
    let wants = if is(&["x".to_owned()]) {
        format!("a path, as {}.user.id", raw.name)
    } else if is(&[]) {
        format!("{} alone: it has no parts", raw.name)
    } else {
        format!("{}; put text in quotes", one_of(&names(), raw.name))
    };
    Err(Wrong { at: raw.at.clone(), wants })
}

fn value(field: &Field, raw: &RawValue<'_>) -> Result<Value, Wrong> {
    if raw.pattern.parts().len() > MAX_STARS + 1 {
        return Err(Wrong { at: raw.at.clone(), wants: format!("at most {MAX_STARS} stars") });
    }
    let read = match field {
        Field::Id => uncompared(raw).and_then(|()| id(raw)),
        Field::Status => uncompared(raw).and_then(|()| status(raw)),
        Field::Priority | Field::Attempts | Field::Crashes => number(raw),
        Field::Created | Field::Finished => instant(raw),
        Field::Waited => span(raw),
        Field::Path(..) => json(raw),
        _ => uncompared(raw).map(|()| Value::Text(raw.pattern.clone())),
    };
    read.map_err(|wants| Wrong { at: raw.at.clone(), wants: wants.replace("{}", name(field)) })
}

fn uncompared(raw: &RawValue<'_>) -> Result<(), String> {
    match raw.comparison {
        Comparison::Is => Ok(()),
        other => Err(format!("no {}: {{}} is not compared; put the text in quotes if it begins so", other.sign())),
    }
}

fn id(raw: &RawValue<'_>) -> Result<Value, String> {
    Uuid::parse_str(&raw.text()).map(Value::Id).map_err(|_| "an id, a UUID".to_owned())
}

fn status(raw: &RawValue<'_>) -> Result<Value, String> {
    let text = raw.text();
    let known = STATUSES.into_iter().find(|it| *it == text);
    known.map(Value::Status).ok_or_else(|| one_of(&STATUSES, &text))
}

fn number(raw: &RawValue<'_>) -> Result<Value, String> {
    let text = raw.text();
    let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|it| it.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.map(|it| Value::Number(raw.comparison, it)).ok_or_else(|| "a whole number, as {}:7 or {}:>=7".to_owned())
}

fn instant(raw: &RawValue<'_>) -> Result<Value, String> {
    let text = raw.text();
    let when = when(&text).ok_or_else(|| {
        "a span before now, a day or an instant, as {}:>-1h, {}:2026-12-31 or {}:<2026-12-31T12:00:00Z".to_owned()
    })?;
    if raw.comparison == Comparison::Is && !matches!(when, When::Day(_)) {
        return Err(format!("a comparison, as {{}}:>{text} or {{}}:<{text}"));
    }
    Ok(Value::Instant(raw.comparison, when))
}

fn when(text: &str) -> Option<When> {
    if let Some(span) = text.strip_prefix('-') {
        return millis(span).map(When::Ago);
    }
    // Postgres holds more than these years, and people do not mean them.
    let usual = 1..=9999;
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        let at = at.with_timezone(&Utc).trunc_subsecs(6);
        return usual.contains(&at.year()).then_some(When::At(at));
    }
    let is_day = text.len() == 10 && text.bytes().all(|it| it.is_ascii_digit() || it == b'-');
    let day = text.parse::<NaiveDate>().ok().filter(|it| is_day && usual.contains(&it.year()));
    day.map(When::Day)
}

fn span(raw: &RawValue<'_>) -> Result<Value, String> {
    let millis = millis(&raw.text()).filter(|_| raw.comparison != Comparison::Is);
    let span = millis.map(|it| Value::Span(raw.comparison, it));
    span.ok_or_else(|| "a comparison with a duration, as {}:>10s; units are ms, s, m, h and d".to_owned())
}

fn millis(text: &str) -> Option<u64> {
    duration::parse(text).filter(|it| *it <= LONGEST).map(|it| it.round() as u64)
}

fn json(raw: &RawValue<'_>) -> Result<Value, String> {
    let text = raw.text();
    let exact = raw.pattern.exact().is_some();
    if raw.comparison != Comparison::Is {
        let operand = if raw.bare && is_number(&text) { Operand::Number(text) } else { Operand::Text(text) };
        let wants =
            || "a number or a text without star after a comparison; put a star that is one in quotes".to_owned();
        return exact.then_some(Value::Json(Json::Compare(raw.comparison, operand))).ok_or_else(wants);
    }
    Ok(Value::Json(match &*text {
        "*" if raw.bare && !exact => Json::Present,
        "true" | "false" | "null" if raw.bare => Json::Loose(text),
        _ if raw.bare && exact && is_number(&text) => Json::Loose(text),
        _ => Json::Text(raw.pattern.clone()),
    }))
}

/// Whether a text without quotes would be read as something else than a string.
pub(super) fn is_loose(text: &str) -> bool {
    matches!(text, "true" | "false" | "null") || is_number(text)
}

fn problem(text: &str, Wrong { at, wants }: Wrong) -> QueryProblem {
    let units = |range: Range<usize>| text.get(range).unwrap_or("").encode_utf16().count();
    QueryProblem {
        character: units(0..at.start) + 1,
        length: units(at.clone()),
        found: text.get(at).unwrap_or("").to_owned(),
        wants,
    }
}
