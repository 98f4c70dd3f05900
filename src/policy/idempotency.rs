//! Repeats inside one batch: pure decisions.
//!
//! The database enforces a key across batches. Inside one batch [`collapse`] finds the repeats first, because one
//! `INSERT ... ON CONFLICT` refuses to touch the same row twice.

use std::collections::HashMap;
use std::hash::Hash;

/// What an item of a batch is among its own kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// The one to insert.
    First {
        /// How many later items of the batch repeat it.
        repeats: u32,
    },
    /// A duplicate of the item at this index, which is a [`Occurrence::First`].
    RepeatOf(usize),
}

/// Finds the repeats in a batch by what is unique: transport, type and key. An item without a key repeats nothing.
///
/// The answer has one entry per item, in order.
pub fn collapse<Held: Eq + Hash>(keys: impl Iterator<Item = Option<Held>>) -> Vec<Occurrence> {
    let mut firsts = HashMap::new();
    let mut occurrences = Vec::with_capacity(keys.size_hint().0);
    for (index, key) in keys.enumerate() {
        let first = key.map_or(index, |key| *firsts.entry(key).or_insert(index));
        occurrences.push(if first == index { Occurrence::First { repeats: 0 } } else { Occurrence::RepeatOf(first) });
        if first != index {
            count_repeat(&mut occurrences[first]);
        }
    }
    occurrences
}

fn count_repeat(first: &mut Occurrence) {
    if let Occurrence::First { repeats } = first {
        *repeats += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Occurrence::{First, RepeatOf};
    use super::*;

    #[test]
    fn repeats_point_at_the_first_and_are_counted_there() {
        let keys = [Some(("a", "k")), Some(("a", "l")), Some(("a", "k")), None, Some(("a", "k"))];
        assert_eq!(
            collapse(keys.into_iter()),
            [First { repeats: 2 }, First { repeats: 0 }, RepeatOf(0), First { repeats: 0 }, RepeatOf(0)]
        );
    }

    #[test]
    fn the_same_key_on_another_transport_is_not_a_repeat() {
        let keys = [Some(("a", "k")), Some(("b", "k")), Some(("ak", "")), Some(("a", "k"))];
        assert_eq!(
            collapse(keys.into_iter()),
            [First { repeats: 1 }, First { repeats: 0 }, First { repeats: 0 }, RepeatOf(0)]
        );
    }

    #[test]
    fn items_without_a_key_repeat_nothing() {
        assert_eq!(collapse([None::<&str>, None].into_iter()), [First { repeats: 0 }, First { repeats: 0 }]);
        assert!(collapse(std::iter::empty::<Option<&str>>()).is_empty());
    }

    proptest! {
        #[test]
        fn no_key_stands_first_twice_and_every_repeat_is_counted(
            batch in prop::collection::vec(prop::option::of(("[ab]", "[kl]{1,2}")), 0..60)
        ) {
            let keys: Vec<_> = batch.iter().map(|key| key.as_ref().map(|(a, b)| (a.as_str(), b.as_str()))).collect();
            let occurrences = collapse(keys.iter().copied());
            prop_assert_eq!(occurrences.len(), keys.len());

            let mut counted = 0;
            let mut repeated = 0;
            for (index, occurrence) in occurrences.iter().enumerate() {
                match *occurrence {
                    First { repeats } => {
                        prop_assert!(keys[index].is_none() || !keys[..index].contains(&keys[index]));
                        counted += repeats;
                    }
                    RepeatOf(first) => {
                        prop_assert!(first < index && keys[first] == keys[index]);
                        let is_first = matches!(occurrences[first], First { .. });
                        prop_assert!(is_first);
                        repeated += 1;
                    }
                }
            }
            prop_assert_eq!(counted, repeated);
        }
    }
}
