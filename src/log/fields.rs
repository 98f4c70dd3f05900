//! The fields of an event or span, as the logger gets them.

use crate::base::redaction;
use serde_json::{Map, Value, json};
use std::fmt::Debug;
use tracing::field::{Field, Visit};
use tracing::{Level, Metadata};

/// The longest text of a field, in characters.
const LONGEST: usize = 1_000;
/// Under which name `tracing` has the text of an event.
const MESSAGE: &str = "message";

/// Fields by name, as JavaScript writes names; later ones replace earlier ones.
#[derive(Debug, Clone, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Those of `outer` where it has others.
    pub fn or(mut self, outer: &Self) -> Self {
        for (name, value) in &outer.0 {
            if !self.0.contains_key(name) {
                self.0.insert(name.clone(), value.clone());
            }
        }
        self
    }

    /// With one more.
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// A number, if it has one of this name.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    /// The line of an event, or of a span that has ended, which has no text but its name. JSON text.
    pub fn line(mut self, about: &Metadata<'_>) -> String {
        let message = self.0.remove(MESSAGE).unwrap_or_else(|| Value::from(about.name()));
        self.0.insert("target".to_owned(), Value::from(about.target()));
        // No field holds a secret; should one ever do so, it ends here.
        let fields = redaction::secrets(&Value::Object(self.0));
        json!({ "level": name_of(*about.level()), "message": redaction::secrets(&message), "fields": fields })
            .to_string()
    }

    fn set(&mut self, field: &Field, value: Value) {
        self.0.insert(camel_case(field.name()), value);
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, Value::from(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, Value::from(shortened(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, Value::from(shortened(&format!("{value:?}"))));
    }
}

/// A logger knows nothing below `debug`.
fn name_of(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        _ => "debug",
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_ascii_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_javascript() {
        assert_eq!(["rows", "duration_ms", "a_b_c", ""].map(camel_case), ["rows", "durationMs", "aBC", ""]);
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(shortened("ä").len(), 2);
        assert_eq!(shortened(&"ä".repeat(5_000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn inner_fields_replace_outer_ones() {
        let outer = Fields::default().with("rows", json!(1)).with("transport", json!("supabase"));
        let inner = Fields::default().with("rows", json!(2)).or(&outer);
        assert_eq!(Value::Object(inner.0), json!({ "rows": 2, "transport": "supabase" }));
    }
}
