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

    proptest::proptest! {
        #[test]
        fn the_entry_found_matches_and_none_is_nearer(
            keys in proptest::collection::btree_set("[AB*]{0,4}", 0..8), message_type in "[AB]{0,4}",
        ) {
            let entries: BTreeMap<String, String> = keys.into_iter().map(|key| (key.clone(), key)).collect();
            match most_specific(&entries, &message_type) {
                None => proptest::prop_assert!(entries.keys().all(|key| !matches(key, &message_type))),
                Some(found) => {
                    proptest::prop_assert!(found == &message_type || matches(found, &message_type));
                    let nearer = |key: &String| matches(key, &message_type) && key.len() > found.len();
                    proptest::prop_assert!(found == &message_type || !entries.keys().any(nearer));
                }
            }
        }

        #[test]
        fn no_text_makes_it_panic(pattern in "\\PC*", message_type in "\\PC*") {
            let entries = BTreeMap::from([(pattern.clone(), ())]);
            proptest::prop_assert!(most_specific(&entries, &pattern).is_some());
            proptest::prop_assert_eq!(
                most_specific(&entries, &message_type).is_some(),
                pattern == message_type || matches(&pattern, &message_type)
            );
        }
    }
}
