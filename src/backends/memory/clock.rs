//! A clock that a test can stop and move.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::time::Duration;

/// The real time and how far ahead of it we are, or a stopped clock.
#[derive(Debug, Default)]
pub struct Clock {
    stopped_at: Option<DateTime<Utc>>,
    ahead: TimeDelta,
}

impl Clock {
    /// The instant, in whole microseconds: what Postgres keeps, and what a cursor carries.
    pub fn now(&self) -> DateTime<Utc> {
        let now = self.stopped_at.unwrap_or_else(|| Utc::now().checked_add_signed(self.ahead).unwrap_or_default());
        now.trunc_subsecs(6)
    }

    /// Stops it at an instant, or lets it show the real time again.
    pub fn set(&mut self, instant: Option<DateTime<Utc>>) {
        *self = Self { stopped_at: instant, ahead: TimeDelta::zero() };
    }

    /// Moves it forward.
    pub fn advance(&mut self, by: Duration) {
        match &mut self.stopped_at {
            Some(at) => *at = later(*at, by),
            None => self.ahead = TimeDelta::from_std(by).map_or(self.ahead, |by| self.ahead + by),
        }
    }
}

/// An instant this long after another; the end of time if it would be later.
pub fn later(instant: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let sum = TimeDelta::from_std(by).ok().and_then(|by| instant.checked_add_signed(by));
    sum.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_only_when_it_is_moved() {
        let mut clock = Clock::default();
        clock.set(Some(DateTime::UNIX_EPOCH));
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), DateTime::from_timestamp(5, 0).unwrap());
        assert_eq!(clock.now(), clock.now());
    }

    #[test]
    fn the_real_clock_runs_on_from_where_it_was_moved() {
        let mut clock = Clock::default();
        clock.advance(Duration::from_secs(3600));
        let ahead = clock.now() - Utc::now();
        assert!(ahead > TimeDelta::minutes(59) && ahead <= TimeDelta::hours(1));
        clock.set(None);
        assert!(clock.now() <= Utc::now());
    }

    #[test]
    fn no_span_is_too_long() {
        assert_eq!(later(Utc::now(), Duration::MAX), DateTime::<Utc>::MAX_UTC);
        let mut clock = Clock::default();
        clock.advance(Duration::MAX);
        clock.now();
    }
}
