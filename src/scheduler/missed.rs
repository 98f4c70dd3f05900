//! What becomes of a schedule that is due: which runs are dispatched, which are left out, and when it is due again.
//! Pure; the clock is passed in.

use super::timing::{Plan, Timing};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// What becomes of runs that nobody was there for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// The last of them is made up for.
    #[default]
    Once,
    /// All are, up to a bound, the last ones.
    All,
    /// None is.
    Skip,
}

/// Whether a run may begin before the message of the last one is finished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// It may.
    #[default]
    Allow,
    /// It is left out.
    Skip,
}

/// How far missed runs are counted one by one. A schedule of every second reaches this in a quarter of an hour.
const COUNTED: usize = 1_000;

/// A schedule that is due.
#[derive(Debug)]
pub struct Due<'a> {
    /// When it runs.
    pub plan: &'a Plan,
    /// The oldest run that nobody has decided about.
    pub nominal: DateTime<Utc>,
    /// The time.
    pub now: DateTime<Utc>,
    /// What becomes of missed runs.
    pub missed: Missed,
    /// How many [`Missed::All`] makes up for.
    pub max_missed: usize,
    /// How late the oldest run may be before [`Missed::Skip`] takes it for missed.
    pub missed_after: TimeDelta,
    /// Runs that are left to it; `None`: as many as there are.
    pub runs_left: Option<usize>,
    /// Whether it has to be left out, for the last run is not finished.
    pub blocked: bool,
}

/// What to do with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Decision {
    /// The planned times of the runs to dispatch, oldest first.
    pub runs: Vec<DateTime<Utc>>,
    /// Runs left out, counted up to a bound.
    pub skipped: usize,
    /// The planned time of its next run; `None`: it has none.
    pub next: Option<DateTime<Utc>>,
}

impl Due<'_> {
    /// Decides.
    pub fn decide(&self) -> Decision {
        let due = self.due_runs();
        let mut runs = match self.missed {
            _ if self.blocked => Vec::new(),
            Missed::Skip if self.now - self.nominal > self.missed_after => Vec::new(),
            Missed::All if due.len() >= COUNTED => self.last_runs(self.max_missed),
            Missed::All => due[due.len().saturating_sub(self.max_missed)..].to_vec(),
            _ if due.len() >= COUNTED => self.last_runs(1),
            _ => due.last().copied().into_iter().collect(),
        };
        runs.truncate(self.runs_left.unwrap_or(usize::MAX));
        let exhausted = self.runs_left.is_some_and(|left| left <= runs.len());
        let skipped = due.len().max(runs.len()) - runs.len();
        let next = self.plan.next_after(self.now).filter(|_| !exhausted && !self.is_one_time());
        Decision { runs, skipped, next }
    }

    fn is_one_time(&self) -> bool {
        matches!(self.plan.timing, Timing::Once(_))
    }

    /// The first [`COUNTED`] runs that are due.
    fn due_runs(&self) -> Vec<DateTime<Utc>> {
        self.runs_from(self.nominal).take(COUNTED).collect()
    }

    fn runs_from(&self, first: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        std::iter::successors(Some(first), |&run| self.plan.next_after(run)).take_while(|&run| run <= self.now)
    }

    /// The last runs that are due, oldest first. Looks back further and further, so that it costs as much as there are
    /// to find and not as long as the gap was.
    fn last_runs(&self, count: usize) -> Vec<DateTime<Utc>> {
        let mut window = TimeDelta::seconds(64);
        loop {
            let begin = self.now - window;
            if begin <= self.nominal {
                return last(self.runs_from(self.nominal).collect(), count);
            }
            let found = self.plan.next_after(begin).map_or_else(Vec::new, |first| self.runs_from(first).collect());
            if found.len() >= count {
                return last(found, count);
            }
            window = window * 8;
        }
    }
}

fn last(mut runs: Vec<DateTime<Utc>>, count: usize) -> Vec<DateTime<Utc>> {
    runs.split_off(runs.len().saturating_sub(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::cron::Cron;
    use crate::scheduler::zone::Zone;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-05-01T{text}Z").parse().unwrap()
    }

    fn cron(expression: &str) -> Plan {
        Plan { timing: Timing::Cron(Cron::parse(expression, None).unwrap(), Zone::UTC), from: None, until: None }
    }

    fn due<'a>(plan: &'a Plan, nominal: &str, now: &str, missed: Missed) -> Due<'a> {
        let missed_after = TimeDelta::minutes(5);
        let (nominal, now) = (at(nominal), at(now));
        Due { plan, nominal, now, missed, max_missed: 100, missed_after, runs_left: None, blocked: false }
    }

    #[test]
    fn a_gap_of_two_hours() {
        let plan = cron("*/15 * * * *");
        let decide = |missed| due(&plan, "10:00:00", "12:07:00", missed).decide();
        let next = Some(at("12:15:00"));
        assert_eq!(decide(Missed::Once), Decision { runs: vec![at("12:00:00")], skipped: 8, next });
        assert_eq!(decide(Missed::Skip), Decision { runs: vec![], skipped: 9, next });
        let all = decide(Missed::All);
        assert_eq!((all.runs.len(), all.skipped, all.next), (9, 0, next));
        assert_eq!((all.runs[0], all.runs[8]), (at("10:00:00"), at("12:00:00")));
        let some = Due { max_missed: 3, ..due(&plan, "10:00:00", "12:07:00", Missed::All) }.decide();
        assert_eq!(some.runs, [at("11:30:00"), at("11:45:00"), at("12:00:00")]);
        assert_eq!(some.skipped, 6);
    }

    #[test]
    fn a_run_that_is_only_a_little_late_is_not_missed() {
        let plan = cron("*/10 * * * * *");
        for missed in [Missed::Once, Missed::Skip] {
            let decided = due(&plan, "10:00:00", "10:00:59", missed).decide();
            assert_eq!(decided, Decision { runs: vec![at("10:00:50")], skipped: 5, next: Some(at("10:01:00")) });
        }
    }

    #[test]
    fn runs_end_when_they_are_used_up() {
        let plan = cron("*/15 * * * *");
        let left = |runs_left, missed| Due { runs_left, ..due(&plan, "10:00:00", "12:07:00", missed) }.decide();
        assert_eq!(left(Some(1), Missed::Once).next, None);
        assert_eq!(left(Some(2), Missed::Once).next, Some(at("12:15:00")));
        let all = left(Some(2), Missed::All);
        assert_eq!((all.runs, all.skipped, all.next), (vec![at("10:00:00"), at("10:15:00")], 7, None));
        assert_eq!(left(Some(1), Missed::Skip).next, Some(at("12:15:00")));
    }

    #[test]
    fn a_blocked_run_is_left_out_and_the_schedule_goes_on() {
        let plan = cron("0 * * * *");
        let decided = Due { blocked: true, ..due(&plan, "10:00:00", "10:00:05", Missed::Once) }.decide();
        assert_eq!(decided, Decision { runs: vec![], skipped: 1, next: Some(at("11:00:00")) });
    }

    #[test]
    fn one_time_is_over_after_it() {
        let plan = Plan { timing: Timing::Once(at("10:00:00")), from: None, until: None };
        let decided = due(&plan, "10:00:00", "11:00:00", Missed::Once).decide();
        assert_eq!(decided, Decision { runs: vec![at("10:00:00")], skipped: 0, next: None });
        let skipped = due(&plan, "10:00:00", "11:00:00", Missed::Skip).decide();
        assert_eq!(skipped, Decision { runs: vec![], skipped: 1, next: None });
    }

    #[test]
    fn a_gap_of_a_year_of_seconds_costs_no_more_than_what_is_made_up() {
        let plan = cron("* * * * * *");
        let year = |missed| Due {
            nominal: "2025-05-01T00:00:00Z".parse().unwrap(),
            ..due(&plan, "00:00:00", "12:00:00.5", missed)
        };
        let all = year(Missed::All).decide();
        assert_eq!((all.runs.len(), all.runs[99], all.skipped), (100, at("12:00:00"), 900));
        assert_eq!(year(Missed::Once).decide().runs, [at("12:00:00")]);
        let sparse = cron("0 0 29 2 *");
        let long = Due {
            nominal: "0004-02-29T00:00:00Z".parse().unwrap(),
            ..due(&sparse, "00:00:00", "12:00:00", Missed::Once)
        };
        assert_eq!(long.decide().runs, ["2024-02-29T00:00:00Z".parse::<DateTime<Utc>>().unwrap()]);
    }

    proptest! {
        #[test]
        fn every_due_run_is_either_dispatched_or_left_out(
            seconds in 1_i64..5_000, gap in 0_i64..2_000_000, max_missed in 1_usize..2_000, policy in 0_usize..3,
        ) {
            let anchor = at("00:00:00");
            let plan = Plan { timing: Timing::Every { millis: seconds * 1000, anchor }, from: None, until: None };
            let now = anchor + TimeDelta::seconds(gap);
            let missed = [Missed::Once, Missed::All, Missed::Skip][policy];
            let decided = Due { nominal: anchor, now, max_missed, ..due(&plan, "00:00:00", "00:00:00", missed) }.decide();
            let total = (gap / seconds + 1) as usize;
            prop_assert!(decided.runs.iter().all(|&run| run <= now) && decided.runs.is_sorted());
            prop_assert_eq!(decided.next, Some(anchor + TimeDelta::seconds((gap / seconds + 1) * seconds)));
            match missed {
                Missed::Once => prop_assert_eq!(decided.runs.len(), 1),
                Missed::All => prop_assert_eq!(decided.runs.len(), total.min(max_missed)),
                Missed::Skip => prop_assert_eq!(decided.runs.len(), usize::from(gap <= 300)),
            }
            if let Some(&last) = decided.runs.last() {
                prop_assert_eq!(last, anchor + TimeDelta::seconds(gap / seconds * seconds));
            }
            if total < COUNTED {
                prop_assert_eq!(decided.runs.len() + decided.skipped, total);
            }
        }
    }
}
