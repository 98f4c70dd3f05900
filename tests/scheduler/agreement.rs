//! Agreement with the crate croner, but where clocks are changed: there its rules are others.

use super::matcher::{expression, zone};
use croner::Cron as Croner;
use croner::parser::{CronParser, Seconds};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::Config;
use symphony::scheduler::cron::Cron;
use symphony::scheduler::zone::Zone;

fn second_opinion(expression: &str) -> Option<Croner> {
    let fields: Vec<&str> = expression.split(' ').collect();
    let [day, _, weekday] = fields[fields.len() - 3..] else { return None };
    let both = day.starts_with('*') || weekday.starts_with('*');
    CronParser::builder().seconds(Seconds::Optional).dom_and_dow(both).build().parse(expression).ok()
}

/// Whether clocks are changed within a day and a half of an instant: croner decides by local dates.
fn is_near_a_change(zone: &TimeZone, at: Timestamp) -> bool {
    let from = at - SignedDuration::from_hours(36);
    zone.following(from).next().is_some_and(|it| it.timestamp() <= at + SignedDuration::from_hours(36))
}

proptest! {
    #![proptest_config(Config { cases: 10_000, max_global_rejects: 200_000, ..Config::default() })]

    #[test]
    fn croner_finds_the_same_runs(expression in expression(), zone in zone(), after in 1_577_836_800_i64..2_208_988_800) {
        // Its nearest weekday of a 30th or 31st that a month lacks is another day; ours is none.
        prop_assume!(!expression.contains("30W") && !expression.contains("31W"));
        let (ours, theirs) = (Cron::parse(&expression, None), second_opinion(&expression));
        prop_assume!(ours.is_ok() && theirs.is_some());
        let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
        let tz = TimeZone::get(zone).unwrap();
        let zone = Zone::named(zone).unwrap();
        let mut at = Timestamp::from_second(after).unwrap();
        for _ in 0..3 {
            let next = ours.next_after(&zone, at);
            let Ok(other) = theirs.find_next_occurrence(&at.to_zoned(tz.clone()), false) else { break };
            let other = other.timestamp();
            let Some(next) = next else { break };
            if is_near_a_change(&tz, at) || is_near_a_change(&tz, next) || is_near_a_change(&tz, other) {
                break;
            }
            prop_assert_eq!(next, other, "after {}", at);
            at = next;
        }
    }
}
