//! What holds for every expression, zone and instant.

use super::matcher::{expression, fits, is_fixed, zone};
use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, TimeZone};
use proptest::prelude::*;
use proptest::test_runner::Config;
use symphony::scheduler::cron::Cron;
use symphony::scheduler::zone::Zone;

/// 2009 to 2040: with the day that Samoa left out, and years beyond the tables of zones.
const FROM: i64 = 1_230_768_000;
const TO: i64 = 2_208_988_800;

/// Whether a run is right: its local time fits; or it is the end of a gap in which a fixed time lies.
fn is_right(expression: &str, zone: &TimeZone, run: Timestamp) -> Result<(), TestCaseError> {
    let local = zone.to_offset(run).to_datetime(run);
    let change = zone.preceding(run + jiff::SignedDuration::from_secs(1)).next().map(|it| it.timestamp());
    let before = zone.to_offset(run - jiff::SignedDuration::from_secs(1));
    let jumped = before.to_datetime(run);
    if is_fixed(expression) && change == Some(run) && jumped < local {
        let skipped = std::iter::successors(Some(jumped), |it| it.checked_add(jiff::Span::new().seconds(1)).ok());
        let any = skipped.take_while(|it| *it <= local).any(|it| fits(expression, it));
        prop_assert!(any, "nothing fits in the gap that ends at {run}");
        return Ok(());
    }
    prop_assert!(fits(expression, local), "{run} is {local}, which does not fit");
    if is_fixed(expression)
        && let AmbiguousOffset::Fold { before, .. } = zone.to_ambiguous_timestamp(local).offset()
    {
        prop_assert_eq!(before.to_timestamp(local).unwrap(), run, "a fixed time ran the second time");
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 10_000, max_global_rejects: 100_000, ..Config::default() })]

    #[test]
    fn runs_increase_and_fit_their_expression(
        expression in expression(), zone in zone(), after in FROM..TO,
    ) {
        let cron = Cron::parse(&expression, None);
        // What never runs is refused, such as the 31st of April.
        prop_assume!(cron.is_ok());
        let (cron, tz) = (cron.unwrap(), TimeZone::get(zone).unwrap());
        let zone = Zone::named(zone).unwrap();
        let mut at = Timestamp::from_second(after).unwrap();
        for _ in 0..5 {
            let Some(next) = cron.next_after(&zone, at) else { break };
            prop_assert!(next > at, "{next} is not after {at}");
            is_right(&expression, &tz, next)?;
            at = next;
        }
    }

    /// Nothing is left out: asked from just before a run, and from the instant half way to it, the same run comes.
    #[test]
    fn no_run_lies_between_two_runs(expression in expression(), zone in zone(), after in FROM..TO, at in 0.0..1.0_f64) {
        let cron = Cron::parse(&expression, None);
        prop_assume!(cron.is_ok());
        let (cron, tz) = (cron.unwrap(), TimeZone::get(zone).unwrap());
        let zone = Zone::named(zone).unwrap();
        let after = Timestamp::from_second(after).unwrap();
        let Some(next) = cron.next_after(&zone, after) else { return Ok(()) };
        let span = next.as_second() - after.as_second();
        let between = Timestamp::from_second(after.as_second() + (span as f64 * at) as i64).unwrap();
        if between < next {
            prop_assert_eq!(cron.next_after(&zone, between), Some(next));
            let local = tz.to_offset(between).to_datetime(between);
            let repeated = matches!(tz.to_ambiguous_timestamp(local).offset(), AmbiguousOffset::Fold { .. });
            prop_assert!(between == after || repeated || !fits(&expression, local), "{between} fits and was left out");
        }
    }
}
