//! Message types and patterns for them: `EmailMessage`, `Email*`, `*`.

use std::collections::BTreeMap;

/// Whether `message_type` is the pattern, or begins with what stands before its final `*`.
pub fn matches(pattern: &str, message_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => message_type.starts_with(prefix),
        None => pattern == message_type,
    }
}

/// The entry for exactly this type, else that of the longest matching pattern.
pub fn most_specific<'a, T>(entries: &'a BTreeMap<String, T>, message_type: &str) -> Option<&'a T> {
    entries.get(message_type).or_else(|| {
        let patterns = entries.iter().filter(|(key, _)| key.ends_with('*') && matches(key, message_type));
        patterns.max_by_key(|(key, _)| key.len()).map(|(_, entry)| entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_the_end_stands_for_any_rest() {
        assert!(matches("Email*", "Email"));
        assert!(matches("Email*", "EmailMessage"));
        assert!(matches("*", ""));
        assert!(!matches("Email*", "Mail"));
        assert!(!matches("Email", "EmailMessage"));
    }

    #[test]
    fn exact_beats_longest_beats_shorter() {
        let entries = ["*", "A*", "AB*", "ABC"].map(|key| (key.to_owned(), key)).into();
        for (message_type, expected) in [("ABC", "ABC"), ("ABCD", "AB*"), ("AX", "A*"), ("X", "*")] {
            assert_eq!(most_specific(&entries, message_type), Some(&expected));
        }
        assert_eq!(most_specific::<u8>(&BTreeMap::new(), "A"), None);
    }
}
