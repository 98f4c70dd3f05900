//! How often something is asked that may take long. Pure.

use std::time::Duration;

/// What is asked costs one part in so many of the time.
const SHARE: u32 = 20;

/// Makes slow questions rare: while some session keeps an old snapshot, a look at what is held passes over all that was
/// ever held. The lesser of the last two counts, and for no more than `most`: a database that stood still says nothing
/// about the next look, and what is to be found must not wait for many times as long as that took.
#[derive(Debug)]
pub struct Pace {
    most: Duration,
    took: Duration,
}

impl Pace {
    /// Puts the next one off by no more than `most`.
    pub fn new(most: Duration) -> Self {
        Self { most, took: Duration::ZERO }
    }

    /// How long to wait after one that took so long.
    pub fn pause(&mut self, took: Duration) -> Duration {
        let lesser = took.min(std::mem::replace(&mut self.took, took));
        (lesser * SHARE).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(12);

    #[test]
    fn what_takes_long_is_asked_less_often() {
        let mut pace = Pace::new(MOST);
        pace.pause(MOST / 40);
        assert_eq!(pace.pause(MOST / 50), MOST * 2 / 5);
        assert_eq!(pace.pause(MOST / 40), MOST * 2 / 5);
    }

    #[test]
    fn a_database_that_stood_still_puts_nothing_off_by_many_times_as_long() {
        let mut pace = Pace::new(MOST);
        assert_eq!(pace.pause(MOST), Duration::ZERO);
        assert_eq!(pace.pause(MOST), MOST);
    }
}
