//! What the answer to one concern means for the others.

use super::Loop;
use super::claims;
use super::deliveries::{Batch, Sorted, sort};
use super::feeds::Caught;
use super::lease_check;
use super::settlements;
use crate::error::{Error, Result};
use crate::store::circuits::CircuitState;
use crate::transport::{Fence, Rescued};
use crate::worker::Mode;
use crate::worker::protocol::delivery;
use serde_json::json;
use std::collections::HashSet;
use std::time::Instant;

impl Loop {
    pub(super) fn on_claimed(&mut self, answer: claims::Answer) {
        let has_suspect = self.hand.has_suspect();
        let learned = self.claims.learn(answer, has_suspect, &mut self.circuits, &mut self.sources);
        let claims::Learned { caught, rescued, error, in_part, rests } = learned;
        let is_well = error.is_none() && rescued.iter().all(Result::is_ok);
        rescued.into_iter().for_each(|it| self.tell_of_rescued(it));
        let count: usize = caught.iter().map(|it| it.messages.len()).sum();
        caught.into_iter().for_each(|it| self.take(it));
        if let Some(error) = error {
            self.on_claim_error(error, in_part);
        }
        if count > 0 {
            self.events.tell(|| json!({ "event": "claimed", "count": count }));
        } else if rests && self.hand.is_empty() && self.context.options.mode == Mode::Run {
            self.events.tell(|| json!({ "event": "idle" }));
        }
        if is_well && self.is_well() {
            self.events.tell_of_recovery();
        }
    }

    /// Whether nothing that was tried last has failed.
    fn is_well(&self) -> bool {
        let failing = [
            self.claims.are_failing(),
            self.settlements.are_failing(),
            self.lease_check.is_failing(),
            self.circuits.are_failing(),
        ];
        !failing.contains(&true)
    }

    fn tell_of_rescued(&mut self, rescued: Result<Rescued>) {
        match rescued {
            Ok(Rescued { buried, .. }) if buried.is_empty() => {}
            Ok(Rescued { buried, .. }) => {
                self.context.handlers.command(delivery::buried(&buried));
                self.events.tell_of_buried(&buried);
            }
            Err(error) => self.events.tell_of_trouble(&error),
        }
    }

    /// Takes into the hand what was claimed, but for what must not run now, or cannot.
    fn take(&mut self, caught: Caught) {
        if !caught.stands {
            self.circuits.note_returned(&caught.messages);
        }
        let (feed, now) = (caught.feed, Instant::now());
        let Sorted { started, others } = sort(caught, |it| self.circuits.put_off(it, now));
        others.into_iter().for_each(|(held, outcome)| self.settlements.add(held, outcome, 0.0));
        if let Some(first) = started.first() {
            self.settlements.set_clock(first.claimed_at);
        }
        for messages in delivery::portions(started) {
            let number = self.hand.take(feed, &messages);
            self.deliveries.add(Batch { number, feed, messages });
        }
    }

    fn on_claim_error(&mut self, error: Error, in_part: bool) {
        let now = Instant::now();
        self.lease_check.doubt_claims();
        self.events.tell_of_trouble(&error);
        if !in_part && self.claims.learn_failure(&error, now) {
            self.shutdown.fail(error, now);
        }
    }

    pub(super) fn on_settled(&mut self, answer: settlements::Settled) {
        let patience = self.shutdown.patience();
        let learned = self.settlements.learn(answer, patience, &self.sources, &mut self.events);
        self.claims.expect(&learned.returned, Instant::now());
        if let Some((place, error)) = learned.hopeless {
            self.shutdown.abandon(error);
            // What is in hand of other places can still be written.
            self.hand.give_those(|it| self.sources.place(it.feed) == Some(place));
        }
    }

    pub(super) fn on_circuits(&mut self, answer: Result<Vec<CircuitState>>) {
        if self.circuits.learn(answer, &mut self.events) {
            self.claims.look_again(Instant::now());
        }
    }

    pub(super) fn on_checked(&mut self, answers: lease_check::Checked) {
        let lease_check::Learned { lost, put_back, error } = self.lease_check.learn(answers, Instant::now());
        self.lose(&lost);
        if put_back {
            self.claims.find_again(Instant::now());
        }
        if let Some(error) = error {
            self.events.tell_of_trouble(&error);
        }
    }

    /// What has been reported in the meantime is left to the fence.
    fn lose(&mut self, claims: &HashSet<Fence>) {
        let lost = self.hand.lose(claims);
        if lost.is_empty() {
            return;
        }
        // The one that took them has put them back.
        self.claims.note_return(Instant::now());
        self.context.mailbox.count(|stats| stats.lost += lost.len() as u64);
        let sources = &self.sources;
        self.events.tell_of_messages(|| lost.iter().map(|(_, it)| it.described("lost", sources.name(it.feed))));
        self.events.tell_of_lost(lost.len());
        let places: Vec<_> = lost.into_iter().map(|(place, _)| place).collect();
        self.context.handlers.command(delivery::abort_some("leaseLost", &places));
    }
}
