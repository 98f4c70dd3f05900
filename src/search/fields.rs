//! The names of what a term can look at.

use super::query::{Field, Root};

/// Every field with its name, in the order in which they are suggested.
pub const FIELDS: [(&str, Field); 15] = [
    ("type", Field::Type),
    ("status", Field::Status),
    ("queue", Field::Queue),
    ("transport", Field::Transport),
    ("priority", Field::Priority),
    ("error", Field::Error),
    ("class", Field::Class),
    ("attempts", Field::Attempts),
    ("crashes", Field::Crashes),
    ("created", Field::Created),
    ("finished", Field::Finished),
    ("waited", Field::Waited),
    ("key", Field::Key),
    ("id", Field::Id),
    ("text", Field::Text),
];

/// Where paths begin.
pub const ROOTS: [(&str, Root); 3] =
    [("payload", Root::Payload), ("header", Root::Header), ("metadata", Root::Metadata)];

/// All names.
pub fn names() -> Vec<&'static str> {
    FIELDS.iter().map(|it| it.0).chain(ROOTS.iter().map(|it| it.0)).collect()
}

/// What a term with this name looks at; `path` is what follows the first point.
pub fn field(name: &str, path: &[String]) -> Option<Field> {
    if path.is_empty() {
        return FIELDS.iter().find(|it| it.0 == name).map(|it| it.1.clone());
    }
    ROOTS.iter().find(|it| it.0 == name).map(|it| Field::Path(it.1, path.to_vec()))
}

/// The name of a field, without its path.
pub fn name(field: &Field) -> &'static str {
    match field {
        Field::Path(root, _) => ROOTS.iter().find(|it| it.1 == *root).map_or("", |it| it.0),
        other => FIELDS.iter().find(|it| it.1 == *other).map_or("", |it| it.0),
    }
}
