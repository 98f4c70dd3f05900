//! A query as text that reads as the same query.

use super::fields::name;
use super::lexer::{ends_word, is_in_name};
use super::parser::is_loose;
use super::pattern::Pattern;
use super::query::{Field, Json, Operand, Query, Term, Value, When};
use crate::base::duration;
use chrono::SecondsFormat;
use std::fmt::{Display, Formatter, Result};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (index, term) in self.terms.iter().enumerate() {
            f.write_str(if index > 0 { " " } else { "" })?;
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(if self.negated { "-" } else { "" })?;
        f.write_str(name(&self.field))?;
        if let Field::Path(_, path) = &self.field {
            for part in path {
                let plain = !part.is_empty() && part.chars().all(is_in_name);
                write!(f, ".{}", if plain { part.clone() } else { quoted(part) })?;
            }
        }
        for (index, value) in self.any.iter().enumerate() {
            write!(f, "{}{value}", if index > 0 { "," } else { ":" })?;
        }
        Ok(())
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Text(pattern) => f.write_str(&written(pattern)),
            Self::Id(id) => id.fmt(f),
            Self::Status(name) => f.write_str(name),
            Self::Number(comparison, number) => write!(f, "{}{number}", comparison.sign()),
            Self::Instant(comparison, when) => write!(f, "{}{when}", comparison.sign()),
            Self::Span(comparison, millis) => write!(f, "{}{}", comparison.sign(), span(*millis)),
            Self::Json(json) => json.fmt(f),
        }
    }
}

impl Display for When {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Ago(millis) => write!(f, "-{}", span(*millis)),
            Self::At(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::Day(day) => day.fmt(f),
        }
    }
}

impl Display for Json {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Present => f.write_str("*"),
            Self::Loose(text) => f.write_str(text),
            Self::Text(pattern) => match pattern.exact() {
                Some(text) if is_loose(text) => f.write_str(&quoted(text)),
                // A star by itself would mean that anything is there.
                None if pattern.parts().iter().all(String::is_empty) => f.write_str("\"\"*"),
                _ => f.write_str(&written(pattern)),
            },
            Self::Compare(comparison, Operand::Number(text)) => write!(f, "{}{text}", comparison.sign()),
            Self::Compare(comparison, Operand::Text(text)) => {
                let text = if is_loose(text) { quoted(text) } else { written(&Pattern::exactly(text)) };
                write!(f, "{}{text}", comparison.sign())
            }
        }
    }
}

fn span(millis: u64) -> String {
    duration::display(millis as f64)
}

/// A pattern with quotes where it needs them.
pub(super) fn written(pattern: &Pattern) -> String {
    let parts: Vec<_> = pattern.parts().iter().map(|it| if is_plain(it) { it.clone() } else { quoted(it) }).collect();
    if parts.concat().is_empty() && pattern.exact().is_some() { quoted("") } else { parts.join("*") }
}

/// Whether a text means itself without quotes. One that begins with a sign would be a comparison, or a part of one.
fn is_plain(text: &str) -> bool {
    !text.starts_with(['<', '>', '=']) && !text.contains(ends_word)
}

/// A text in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
