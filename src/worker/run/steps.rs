//! How many messages a statement puts back at a time, and how many it passes over. Pure.

/// By how much a failed step is cut.
const CUT: usize = 8;

/// The steps in which one store puts messages back. They grow as long as they succeed: bodies may be large, and a step
/// that is longer than the time limit of a statement would never succeed. One that failed is followed by smaller ones,
/// and one of a single message that failed by one that passes it over, until nothing is left behind it.
#[derive(Debug, Clone)]
pub struct Steps {
    limit: usize,
    most: usize,
    skip: usize,
}

impl Steps {
    /// The first takes so many messages, and none more than `most`.
    pub fn new(first: usize, most: usize) -> Self {
        Self { limit: first, most, skip: 0 }
    }

    /// At most so many with the next step.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// So many are passed over first.
    pub fn skip(&self) -> usize {
        self.skip
    }

    /// A step has taken so many. Says whether it may have left some.
    pub fn taken(&mut self, count: usize) -> bool {
        let full = count >= self.limit;
        if full {
            self.limit = (2 * self.limit).min(self.most);
        } else {
            self.skip = 0;
        }
        full
    }

    /// A step has failed, and so taken none.
    pub fn failed(&mut self) {
        self.skip += usize::from(self.limit == 1);
        self.limit = (self.limit / CUT).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_steps_grow_up_to_a_bound() {
        let mut steps = Steps::new(100, 1000);
        let mut taken = Vec::new();
        for _ in 0..6 {
            taken.push(steps.limit());
            assert!(steps.taken(steps.limit()));
        }
        assert_eq!(taken, [100, 200, 400, 800, 1000, 1000]);
        assert!(!steps.taken(999));
    }

    #[test]
    fn one_that_fails_is_followed_by_smaller_ones_down_to_a_message_that_is_passed_over() {
        let mut steps = Steps::new(100, 1000);
        let mut taken = Vec::new();
        for _ in 0..5 {
            taken.push((steps.limit(), steps.skip()));
            steps.failed();
        }
        assert_eq!(taken, [(100, 0), (12, 0), (1, 0), (1, 1), (1, 2)]);
        steps.taken(1);
        assert_eq!((steps.limit(), steps.skip()), (2, 3), "what is behind it comes first");
        steps.taken(0);
        assert_eq!((steps.limit(), steps.skip()), (2, 0), "then it is tried again");
    }
}
