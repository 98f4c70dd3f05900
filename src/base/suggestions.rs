//! "Did you mean ...?" for a word that is not among the known ones.

/// The sentence that lists what is allowed and, if one is close, what was probably meant.
pub(crate) fn one_of(allowed: &[&str], given: &str) -> String {
    let list = allowed.join(", ");
    match nearest(allowed, given) {
        Some(meant) => format!("one of {list}; did you mean \"{meant}\"?"),
        None => format!("one of {list}"),
    }
}

/// Words of the HTTP routes for what the configuration calls otherwise.
const OTHER_WORDS: [(&str, &str); 2] = [("degraded", "warning"), ("unhealthy", "error")];

/// The allowed word with the fewest different letters, at most a third of them; case, `_` and `-` do not count.
fn nearest<'a>(allowed: &[&'a str], given: &str) -> Option<&'a str> {
    let meant = OTHER_WORDS.iter().find(|(other, _)| *other == given).map_or(given, |(_, meant)| meant);
    let given = letters(meant);
    let far = allowed.iter().map(|word| (distance(&letters(word), &given), *word));
    let (differences, word) = far.min_by_key(|(differences, _)| *differences)?;
    (differences * 3 <= word.len()).then_some(word)
}

fn letters(word: &str) -> Vec<char> {
    // No allowed word is longer, and the distance costs time by the product of both lengths.
    let letters = word.chars().take(60).filter(|letter| !matches!(letter, '_' | '-' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

/// Levenshtein's distance: letters to insert, delete or replace.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (row_index, from_letter) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = row_index + 1;
        for (column, to_letter) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(from_letter != to_letter);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: &[&str] = &["maxRetries", "delay", "multiplier", "maxDelay", "jitter"];

    #[test]
    fn near_misses_are_found() {
        for (given, meant) in [
            ("maxretries", "maxRetries"),
            ("max_retries", "maxRetries"),
            ("MAX-DELAY", "maxDelay"),
            ("delays", "delay"),
            ("jiter", "jitter"),
            ("multipler", "multiplier"),
        ] {
            assert_eq!(nearest(ALLOWED, given), Some(meant), "{given}");
        }
    }

    #[test]
    fn what_is_nothing_like_them_gets_the_list_only() {
        for given in ["", "backoff", "🦀", &"x".repeat(100_000)] {
            assert_eq!(nearest(ALLOWED, given), None);
        }
        assert_eq!(nearest(&[], "delay"), None);
        assert_eq!(one_of(&["a", "b"], "zzz"), "one of a, b");
        assert_eq!(one_of(&["alpha", "b"], "alpa"), "one of alpha, b; did you mean \"alpha\"?");
    }

    #[test]
    fn the_distance_counts_edits() {
        let distance = |from, to| super::distance(&letters(from), &letters(to));
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    proptest::proptest! {
        #[test]
        fn an_allowed_word_suggests_itself_and_no_text_makes_it_panic(text in "\\PC*", index in 0_usize..3) {
            let allowed = ["batchSize", "maxConcurrency", "lease"];
            let word = allowed[index];
            let meant = format!("did you mean \"{word}\"");
            proptest::prop_assert!(one_of(&allowed, word).contains(&meant));
            proptest::prop_assert!(one_of(&allowed, &text).starts_with("one of "));
        }
    }
}
