//! Texts with stars: `welcome/*`.

/// What stands between stars, of which each is any text. One part: exactly that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<String>,
}

impl Pattern {
    /// The parts between stars. Two stars beside each other are one.
    pub fn of(mut parts: Vec<String>) -> Self {
        let (mut index, last) = (0, parts.len().saturating_sub(1));
        parts.retain(|it| {
            index += 1;
            !it.is_empty() || index == 1 || index == last + 1
        });
        Self { parts }
    }

    /// A text without stars.
    pub fn exactly(text: impl Into<String>) -> Self {
        Self { parts: vec![text.into()] }
    }

    /// What stands between stars.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// The text, if it has no star.
    pub fn exact(&self) -> Option<&str> {
        if let [text] = &*self.parts { Some(text) } else { None }
    }

    /// Whether the whole text fits, letter by letter.
    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = &*self.parts else { return self.exact() == Some(text) };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last.as_str())
    }

    /// Whether it is in the text, ignoring case.
    pub fn is_in(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let mut rest = &text[..];
        for part in &self.parts {
            let part: Vec<char> = part.chars().collect();
            let here = |at: &usize| part.iter().zip(&rest[*at..]).all(|(wanted, found)| same(*wanted, *found));
            let last = rest.len().checked_sub(part.len());
            let Some(at) = last.and_then(|last| (0..=last).find(here)) else { return false };
            rest = &rest[at + part.len()..];
        }
        true
    }
}

/// Whether a letter is the wanted one in either case, as the regular expressions of Postgres have it.
fn same(wanted: char, found: char) -> bool {
    let other = |mut letters: std::char::ToLowercase| letters.next().filter(|_| letters.next().is_none());
    let upper = |mut letters: std::char::ToUppercase| letters.next().filter(|_| letters.next().is_none());
    wanted == found || other(wanted.to_lowercase()) == Some(found) || upper(wanted.to_uppercase()) == Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::of(text.split('*').map(str::to_owned).collect())
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (wanted, text, fits) in [
            ("welcome/*", "welcome/7", true),
            ("welcome/*", "welcome/", true),
            ("welcome/*", "Welcome/7", false),
            ("*Mail", "SendMail", true),
            ("*Mail", "Mailer", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("%", "x", false),
        ] {
            assert_eq!(pattern(wanted).matches(text), fits, "{wanted} {text}");
        }
    }

    #[test]
    fn inside_a_text_case_does_not_count() {
        for (wanted, text, fits) in [
            ("REFUSED", "connection refused", true),
            ("conn*refused", "Connection was REFUSED.", true),
            ("refused*conn", "connection refused", false),
            ("aa*aa", "aaa", false),
            ("é", "É", true),
            ("x", "", false),
            ("*", "", true),
        ] {
            assert_eq!(pattern(wanted).is_in(text), fits, "{wanted} {text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_pattern_of_pieces_of_a_text_matches_it(parts in proptest::collection::vec("\\PC{0,5}", 1..6)) {
            let text = parts.concat();
            let between = [vec![String::new()], parts, vec![String::new()]].concat();
            proptest::prop_assert!(Pattern::of(between.clone()).matches(&text));
            proptest::prop_assert!(Pattern::of(between).is_in(&text));
        }

        #[test]
        fn what_matches_as_a_whole_is_inside(wanted in "[ab*]{0,6}", text in "[ab]{0,6}") {
            let wanted = pattern(&wanted);
            proptest::prop_assert!(!wanted.matches(&text) || wanted.is_in(&text));
        }
    }
}
