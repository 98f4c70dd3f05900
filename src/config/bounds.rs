//! What a key may hold, as documents state it and variables are read.

use serde::Serialize;

/// What a key may hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bounds {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The least number, or the shortest duration in milliseconds.
    pub min: Option<f64>,
    /// The greatest number, or the longest duration in milliseconds.
    pub max: Option<f64>,
    /// The words that are valid, for a duration besides itself.
    pub words: Vec<&'static str>,
}

impl Bounds {
    /// Whatever is of this kind.
    pub const fn of(kind: Kind) -> Self {
        Self { kind, min: None, max: None, words: Vec::new() }
    }

    /// From `min` to `max`, where an infinite `max` is none.
    pub fn range(kind: Kind, min: f64, max: f64) -> Self {
        Self { kind, min: Some(min), max: Some(max).filter(|max| max.is_finite()), words: Vec::new() }
    }
}

/// What a value is, which also decides how the text of a variable is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// A number of milliseconds, or text with a unit.
    Duration,
    /// `true` or `false`.
    Flag,
    /// One of some words.
    Choice,
    /// One or more names, or one or more patterns.
    List,
    /// An object.
    Object,
}
