//! Whose turn it is among the queues of a transport. Pure.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The order in which queues come first. Each consumer has its own random order, so that invocations that take a few
/// messages each serve all queues equally. It rotates from the queue served last, whatever surveys are made.
#[derive(Debug)]
pub struct Turns {
    seed: u64,
    /// The queue in which the last full claim ended.
    last: Option<String>,
}

impl Turns {
    /// An order of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, last: None }
    }

    /// Puts queues in their order: first the one after the queue served last.
    pub fn arrange(&self, queues: &mut [String]) {
        queues.sort_by_cached_key(|queue| (self.has_passed(queue), self.rank(queue), queue.clone()));
    }

    /// A claim from queues in their order ended in this one; if it was full, those after it have got nothing.
    pub fn pass(&mut self, queues: &mut [String], served: &str) {
        if let Some(place) = queues.iter().position(|it| it == served) {
            queues.rotate_left(place + 1);
        }
        self.last = Some(served.to_owned());
    }

    fn has_passed(&self, queue: &str) -> bool {
        let place = |name: &str| self.rank(name);
        self.last
            .as_deref()
            .is_some_and(|last| place(queue).cmp(&place(last)).then_with(|| queue.cmp(last)) != Ordering::Greater)
    }

    fn rank(&self, queue: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, queue).hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("queue-{n}")).collect()
    }

    #[test]
    fn each_of_many_consumers_begins_with_another_queue() {
        let mut first = [0; 5];
        for seed in 0..1000 {
            let mut queues = named(5);
            Turns::new(seed).arrange(&mut queues);
            first[named(5).iter().position(|it| *it == queues[0]).unwrap()] += 1;
        }
        assert!(first.iter().all(|count| (150..250).contains(count)), "{first:?}");
    }

    #[test]
    fn those_that_a_full_claim_did_not_come_to_are_first_in_the_next() {
        let mut turns = Turns::new(7);
        let mut queues = named(4);
        turns.arrange(&mut queues);
        let order = queues.clone();
        turns.pass(&mut queues, &order[1]);
        let expected = [2, 3, 0, 1].map(|place: usize| order[place].clone());
        assert_eq!(queues, expected);
        queues.reverse();
        turns.arrange(&mut queues);
        assert_eq!(queues, expected, "a survey does not change whose turn it is");
    }

    proptest! {
        /// Whatever is surveyed between the claims, and whichever queues come and go.
        #[test]
        fn a_queue_that_always_holds_something_is_served_once_in_each_round(
            seed: u64,
            count in 2..8_usize,
            steps in proptest::collection::vec((any::<bool>(), 0..8_usize), 30..60),
        ) {
            let mut turns = Turns::new(seed);
            let mut queues = named(count);
            turns.arrange(&mut queues);
            let mut waited = 0;
            for (survey, gone) in steps {
                if survey {
                    // `queue-0` is never empty.
                    queues = named(count).into_iter().enumerate().filter(|(n, _)| *n == 0 || *n != gone).map(|it| it.1).collect();
                    turns.arrange(&mut queues);
                }
                let served = queues[0].clone();
                turns.pass(&mut queues, &served);
                waited = if served == "queue-0" { 0 } else { waited + 1 };
                prop_assert!(waited < count, "{waited} claims without it");
            }
        }
    }
}
