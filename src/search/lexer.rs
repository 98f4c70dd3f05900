//! Text into terms: where each begins and ends, what is quoted, where stars are.

use super::pattern::Pattern;
use super::query::Comparison;
use std::ops::Range;

/// What is wrong, and where: bytes of the text.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    pub at: Range<usize>,
    pub wants: String,
}

/// A term as it is written.
#[derive(Debug)]
pub struct RawTerm<'a> {
    pub at: Range<usize>,
    pub negated: bool,
    pub name: Option<RawName<'a>>,
    pub values: Vec<RawValue<'a>>,
}

/// What stands before the colon.
#[derive(Debug)]
pub struct RawName<'a> {
    pub at: Range<usize>,
    pub name: &'a str,
    pub path: Vec<String>,
}

/// One of the values after it.
#[derive(Debug)]
pub struct RawValue<'a> {
    pub at: Range<usize>,
    pub comparison: Comparison,
    /// As it is written, without the comparison.
    pub source: &'a str,
    /// Whether no part of it is quoted.
    pub bare: bool,
    pub pattern: Pattern,
}

impl RawValue<'_> {
    /// Its text, with stars as such.
    pub fn text(&self) -> String {
        self.pattern.parts().join("*")
    }
}

/// What begins a value that is compared; the longer ones first.
const COMPARISONS: [Comparison; 4] = [Comparison::AtLeast, Comparison::AtMost, Comparison::Above, Comparison::Below];

/// All terms of a text.
pub fn terms(text: &str) -> Result<Vec<RawTerm<'_>>, Wrong> {
    let mut scanner = Scanner { text, at: 0 };
    let mut terms = Vec::new();
    scanner.skip(char::is_whitespace);
    while !scanner.rest().is_empty() {
        terms.push(scanner.term()?);
        scanner.skip(char::is_whitespace);
    }
    Ok(terms)
}

/// Whether a letter ends a value or a name that is not quoted.
pub fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '"' | ',' | '*')
}

/// Whether a letter may stand in a name of a path that is not quoted.
pub fn is_in_name(letter: char) -> bool {
    !ends_word(letter) && !matches!(letter, '.' | ':')
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn eats(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        self.at += if found { what.len() } else { 0 };
        found
    }

    fn skip(&mut self, which: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let (skipped, _) = rest.split_at(rest.find(|it| !which(it)).unwrap_or(rest.len()));
        self.at += skipped.len();
        skipped
    }

    fn term(&mut self) -> Result<RawTerm<'a>, Wrong> {
        let start = self.at;
        let negated = self.eats("-");
        if self.rest().starts_with(['(', ')']) {
            let wants = "no parentheses: terms all have to hold, commas separate alternatives, as type:Email,SMS; \
                put text in quotes";
            return Err(Wrong { at: self.at..self.at + 1, wants: wants.to_owned() });
        }
        let name = self.name();
        let values = self.values(name.is_some())?;
        Ok(RawTerm { at: start..self.at, negated, name, values })
    }

    /// A name with its colon; nothing, if none is there.
    fn name(&mut self) -> Option<RawName<'a>> {
        let start = self.at;
        let found = self.name_here();
        if found.is_none() {
            self.at = start;
        }
        found
    }

    fn name_here(&mut self) -> Option<RawName<'a>> {
        let start = self.at;
        if !self.rest().starts_with(|it: char| it.is_ascii_alphabetic()) {
            return None;
        }
        let name = self.skip(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '-'));
        let mut path = Vec::new();
        while self.eats(".") {
            let quoted = self.rest().starts_with('"');
            let part = if quoted { self.quoted().ok()? } else { self.skip(is_in_name).to_owned() };
            if part.is_empty() && !quoted {
                return None;
            }
            path.push(part);
        }
        let at = start..self.at;
        self.eats(":").then_some(RawName { at, name, path })
    }

    fn values(&mut self, compared: bool) -> Result<Vec<RawValue<'a>>, Wrong> {
        let mut values = vec![self.value(compared)?];
        while self.eats(",") {
            values.push(self.value(compared)?);
        }
        Ok(values)
    }

    fn value(&mut self, compared: bool) -> Result<RawValue<'a>, Wrong> {
        let start = self.at;
        let sign = COMPARISONS.into_iter().find(|it| compared && self.eats(it.sign()));
        let comparison = sign.unwrap_or(Comparison::Is);
        let from = self.at;
        let (mut parts, mut part, mut bare) = (Vec::new(), String::new(), true);
        while let Some(letter) = self.rest().chars().next().filter(|it| !it.is_whitespace() && *it != ',') {
            match letter {
                '*' => {
                    self.at += 1;
                    parts.push(std::mem::take(&mut part));
                }
                '"' => {
                    bare = false;
                    part.push_str(&self.quoted()?);
                }
                _ => part.push_str(self.skip(|it| !ends_word(it))),
            }
        }
        if from == self.at {
            let wants = "a value; an empty text is written as \"\"".to_owned();
            return Err(Wrong { at: start..self.at, wants });
        }
        parts.push(part);
        let source = &self.text[from..self.at];
        Ok(RawValue { at: start..self.at, comparison, source, bare, pattern: Pattern::of(parts) })
    }

    /// What is between quotes. Only a quote and a backslash need a backslash before them.
    fn quoted(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.skip(|it| !matches!(it, '"' | '\\')));
            if self.eats("\"") {
                return Ok(text);
            }
            if self.eats("\\\"") {
                text.push('"');
            } else if self.eats("\\\\") || self.eats("\\") {
                text.push('\\');
            } else {
                let wants = "a second quote; a quote within a text is written as \\\"".to_owned();
                return Err(Wrong { at: start..self.text.len(), wants });
            }
        }
    }
}
