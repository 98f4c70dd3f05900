//! When a schedule runs: once, by a cron expression, or at an interval. Pure; the clock is passed in.

use super::cron::Cron;
use super::zone::Zone;
use chrono::{DateTime, Utc};
use jiff::Timestamp;

/// When a schedule runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timing {
    /// At one instant.
    Once(DateTime<Utc>),
    /// As a cron expression says, by the clocks of a zone.
    Cron(Cron, Zone),
    /// At the anchor and every so many milliseconds after it, whenever it is asked: it does not drift.
    Every {
        /// Milliseconds from one run to the next.
        millis: i64,
        /// A run to count from, in both directions: where it begins, [`Plan::from`] says.
        anchor: DateTime<Utc>,
    },
}

/// When a schedule runs, and between which instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The rule.
    pub timing: Timing,
    /// No run before this instant.
    pub from: Option<DateTime<Utc>>,
    /// No run at this instant or after it.
    pub until: Option<DateTime<Utc>>,
}

impl Plan {
    /// The first run after an instant.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let earliest = self.from.map(|from| from - chrono::TimeDelta::milliseconds(1));
        let after = earliest.map_or(after, |earliest| earliest.max(after));
        self.timing.next_after(after).filter(|&next| self.until.is_none_or(|until| next < until))
    }
}

impl Timing {
    /// The first run after an instant.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Once(at) => Some(*at).filter(|&at| at > after),
            Self::Cron(cron, zone) => cron.next_after(zone, to_jiff(after)?).and_then(from_jiff),
            Self::Every { millis, anchor } => {
                // Milliseconds from the anchor to a run lie on the grid; the remainder below one does not matter.
                let passed = after.timestamp_millis() - anchor.timestamp_millis();
                let runs = passed.div_euclid(*millis) + 1;
                let next = anchor.timestamp_millis().checked_add(runs.checked_mul(*millis)?)?;
                DateTime::from_timestamp_millis(next).filter(|it| it.timestamp() <= LAST_SECOND)
            }
        }
    }
}

/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

fn to_jiff(at: DateTime<Utc>) -> Option<Timestamp> {
    Timestamp::new(at.timestamp(), at.timestamp_subsec_nanos().try_into().ok()?).ok()
}

fn from_jiff(at: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.as_second(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn every(minutes: i64, anchor: &str, until: Option<&str>) -> Plan {
        let timing = Timing::Every { millis: minutes * 60_000, anchor: at(anchor) };
        Plan { timing, from: Some(at(anchor)), until: until.map(at) }
    }

    #[test]
    fn an_interval_stays_on_its_grid() {
        let plan = every(10, "2020-02-20T02:00:00+02:00", Some("2020-02-20T03:00:00+02:00"));
        let next = |after: &str| plan.next_after(at(&format!("2020-02-20T{after}+02:00")));
        let expect = |time: &str| Some(at(&format!("2020-02-20T{time}:00+02:00")));
        assert_eq!(plan.next_after(DateTime::UNIX_EPOCH), expect("02:00"));
        assert_eq!(next("01:40:00"), expect("02:00"));
        assert_eq!(next("01:59:59.999"), expect("02:00"));
        assert_eq!(next("02:00:00"), expect("02:10"));
        assert_eq!(next("02:05:00"), expect("02:10"));
        assert_eq!(next("02:49:59.999999"), expect("02:50"));
        // The end is not part of it.
        assert_eq!(next("02:50:00"), None);
        assert_eq!(next("03:00:00"), None);
    }

    #[test]
    fn an_interval_is_found_at_once_however_long_ago_it_began() {
        let plan = every(24 * 60, "2022-02-22T12:34:00Z", None);
        assert_eq!(plan.next_after(at("2922-02-22T12:34:00Z")), Some(at("2922-02-23T12:34:00Z")));
        assert_eq!(plan.next_after(at("9999-12-31T23:00:00Z")), None);
    }

    #[test]
    fn one_time_is_one_time() {
        let plan = Plan { timing: Timing::Once(at("2026-05-01T10:00:00Z")), from: None, until: None };
        assert_eq!(plan.next_after(at("2026-05-01T09:59:59.999Z")), Some(at("2026-05-01T10:00:00Z")));
        assert_eq!(plan.next_after(at("2026-05-01T10:00:00Z")), None);
    }

    #[test]
    fn a_cron_expression_keeps_to_its_bounds() {
        let timing = Timing::Cron(Cron::parse("0 * * * *", None).unwrap(), Zone::UTC);
        let plan = Plan { timing, from: Some(at("2026-05-01T10:00:00Z")), until: Some(at("2026-05-01T12:00:00Z")) };
        assert_eq!(plan.next_after(DateTime::UNIX_EPOCH), Some(at("2026-05-01T10:00:00Z")));
        assert_eq!(plan.next_after(at("2026-05-01T10:00:00Z")), Some(at("2026-05-01T11:00:00Z")));
        assert_eq!(plan.next_after(at("2026-05-01T11:00:00Z")), None);
    }

    proptest! {
        #[test]
        fn run_n_is_at_the_anchor_plus_n_intervals(
            millis in 1000_i64..10_000_000_000, anchor in 0_i64..4_000_000_000_000, after in 0_i64..8_000_000_000_000,
        ) {
            let start = DateTime::from_timestamp_millis(anchor).unwrap();
            let plan = Plan { timing: Timing::Every { millis, anchor: start }, from: Some(start), until: None };
            let next = plan.next_after(DateTime::from_timestamp_millis(after).unwrap()).unwrap().timestamp_millis();
            prop_assert!(next > after || after < anchor);
            prop_assert!(next >= anchor && (next - anchor) % millis == 0);
            prop_assert!(next == anchor || next - millis <= after);
        }
    }
}
