//! Which transports are known to be switched on.
//!
//! A statement that asks costs the server 7 us more, however many messages it has: nothing beside a batch of hundreds,
//! but 9 % of storing one message, 6 % of storing ten and 3 % of claiming ten (CPU time of the backend; without the
//! question, all three are as before within 1 %). So those that have few messages exist once more without it, for who
//! has read `messenger_transports` a moment ago: for less than the second within which all processes follow a switch.
//! Everybody else asks, and follows at once.

use crate::base::lock::lock;
use std::collections::HashSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// For how long what was read is true enough.
pub const FRESH: Duration = Duration::from_millis(750);
/// After so many statements that had to ask, reading the table is cheaper for those to come.
const OFTEN: u32 = 16;

/// What one process knows of the switches in one schema.
#[derive(Debug, Default)]
pub struct Switches(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    read_at: Option<Instant>,
    off: HashSet<String>,
    asked: u32,
}

impl Switches {
    /// The table was read, by a statement that began then.
    pub fn learn(&self, began: Instant, off: HashSet<String>) {
        let mut known = lock(&self.0);
        if known.read_at.is_none_or(|at| at < began) {
            *known = Known { read_at: Some(began), off, asked: 0 };
        }
    }

    /// Whether none of these transports has to be asked for.
    pub fn are_known_on<'a>(&self, mut names: impl Iterator<Item = &'a str>, now: Instant) -> bool {
        let known = lock(&self.0);
        let is_fresh = known.read_at.is_some_and(|at| now < at + FRESH);
        is_fresh && (known.off.is_empty() || names.all(|name| !known.off.contains(name)))
    }

    /// A statement had to ask. Says whether somebody is to read the table now.
    pub fn note_asked(&self) -> bool {
        let mut known = lock(&self.0);
        known.asked = known.asked.saturating_add(1);
        known.asked.is_multiple_of(OFTEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off(names: &[&str]) -> HashSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_on_is_known_for_less_than_a_second_and_what_is_off_is_always_asked_for() {
        let (switches, now) = (Switches::default(), Instant::now());
        let known = |name, at| switches.are_known_on([name].into_iter(), at);
        assert!(!known("mail", now), "nobody has read the table");
        switches.learn(now, off(&["off"]));
        assert!(known("mail", now) && !known("off", now));
        assert!(!switches.are_known_on(["mail", "off"].into_iter(), now));
        assert!(known("mail", now + FRESH / 2) && !known("mail", now + FRESH));
    }

    #[test]
    fn what_was_read_earlier_does_not_count_because_it_was_answered_later() {
        let (switches, now) = (Switches::default(), Instant::now());
        switches.learn(now + FRESH / 2, off(&["mail"]));
        switches.learn(now, off(&[]));
        assert!(!switches.are_known_on(["mail"].into_iter(), now + FRESH / 2));
    }

    #[test]
    fn who_has_asked_often_reads_the_table_once() {
        let switches = Switches::default();
        let reads = (0..3 * OFTEN).filter(|_| switches.note_asked()).count();
        assert_eq!(reads, 3);
    }
}
