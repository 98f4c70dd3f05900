//! When to claim, how much, and what to do with the answer.

pub(super) mod idle;
pub(super) mod look;
pub(super) mod solitude;

use self::look::Look;
use self::solitude::{InHand, Turn, handful};
use super::feeds::{Caught, Feeds, Wanted};
use super::in_flight::Held;
use super::settlements::portion::SETTLE_AT_ONCE;
use super::side_task::SideTask;
use super::{Loop, PATIENCE, Phase, SLOW_PATIENCE};
use crate::error::Error;
use crate::message::claimed::Claimed;
use crate::message::outcome::{Failure, Outcome};
use crate::worker::Mode;
use crate::worker::protocol::delivery;
use crate::worker::protocol::report::Said;
use crate::worker::stats::StoppedBy;
use crate::worker::trouble::{backoff, trouble};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The error class of a message that cannot be read.
const UNREADABLE: &str = "UnreadableMessage";

impl Loop {
    /// How many messages the next claim may ask for.
    pub(super) fn wanted(&self) -> usize {
        let options = &self.context.options;
        let claimed = self.context.mailbox.stats().claimed;
        let left = options.message_limit.map_or(u64::MAX, |limit| limit.saturating_sub(claimed));
        options.batch_size.min(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// Claims as soon as nothing waits for a slot: the next batch travels while this one runs, and no message is held
    /// here that another worker could already run. Suspects have their own turns, see `solitude.rs`.
    pub(super) fn start_claiming(&mut self) {
        let limit = self.wanted();
        self.turn_at = None;
        if limit == 0 || !self.breaker.is_ready() || !self.may_claim() {
            return;
        }
        let Some(known) = self.feeds.as_ref().map(Feeds::suspects) else { return };
        let suspects = known || std::mem::take(&mut self.suspect_first);
        match self.solitude.next(self.now, suspects, self.in_hand()) {
            Turn::Suspect => self.claim(limit, true),
            Turn::Wait(until) => self.turn_at = until,
            Turn::Fresh => {
                self.turn_at = suspects.then(|| self.solitude.turn());
                if self.may_claim_fresh() {
                    let handful = |limit| handful(limit, self.context.options.max_concurrency, self.budget.longest());
                    self.claim(if suspects { handful(limit) } else { limit }, false);
                }
            }
        }
    }

    fn claim(&mut self, limit: usize, suspect: bool) {
        let Some(feeds) = self.feeds.take() else { return };
        self.look = Look { began: self.now, clear: self.is_clear(), sent: self.context.engine.sent() };
        let types = self.context.mailbox.types();
        let suspect_types = self.breaker.narrow_suspects(types.clone());
        let (types, probe) = self.breaker.narrow(types);
        (self.sought_suspect, self.sought_probe) = (suspect, probe && !suspect);
        let limit = if self.sought_probe { 1 } else { limit };
        (self.rest_until, self.claim_after) = (None, None);
        self.due_again = self.due_again.filter(|at| *at > self.now);
        let listening = self.is_listening();
        self.began_listening = listening && !suspect;
        let exhaustive = self.context.options.mode == Mode::Drain;
        let woken = self.context.mailbox.sent.load(Ordering::Relaxed) && !suspect;
        if woken {
            self.context.mailbox.sent.store(false, Ordering::Relaxed);
        }
        let waiting = self.idle.is_known();
        let in_hand = self.hand.len();
        let wanted = Wanted { types, suspect_types, limit, exhaustive, suspect, listening, woken, waiting, in_hand };
        self.claiming_since = Uuid::now_v7();
        self.claiming = Some(SideTask::start(feeds.claim(wanted)));
    }

    fn in_hand(&self) -> InHand {
        InHand {
            clear: self.is_clear(),
            slot_free: self.hand.len() < self.context.options.max_concurrency,
            suspect: self.hand.has_suspect(),
            youngest: self.hand.youngest(),
        }
    }

    fn may_claim(&self) -> bool {
        self.phase == Phase::Working
            && !self.exhausted
            && self.unsettled.len() < 10 * SETTLE_AT_ONCE
            && self.claim_after.is_none_or(|at| self.now >= at)
    }

    fn may_claim_fresh(&self) -> bool {
        let last_look = self.context.options.mode == Mode::Drain && self.is_clear();
        let rested = self.rest_until.is_none_or(|at| self.now >= at);
        self.hand.len() <= self.context.options.max_concurrency
            && (last_look || self.context.mailbox.sent.load(Ordering::Relaxed) || rested)
    }

    /// Whether a transport would wake this consumer right now.
    fn is_listening(&self) -> bool {
        self.listening.iter().any(|it| it.is_connected())
    }

    /// Whether a bounded drain has found all there is; what is in hand may still come back.
    pub(super) fn is_exhausted(&self) -> bool {
        let is_last = |look: &Look| look.is_last(self.now, self.context.engine.sent(), self.put_back);
        let is_sure = !self.unsure && self.checking.is_none();
        let found_nothing = self.found_nothing.as_ref().is_some_and(is_last);
        self.context.options.mode == Mode::Drain && is_sure && self.is_clear() && found_nothing
    }

    pub(super) fn on_claimed(&mut self, mut feeds: Feeds, caught: Vec<Caught>, error: Option<Error>) {
        let suspects = feeds.suspects();
        for rescued in feeds.take_rescued() {
            match rescued {
                Ok(rescued) => self.tell_of_buried(&rescued.buried),
                Err(failed) => self.event(|| trouble(&failed)),
            }
        }
        let new: Vec<_> = feeds.transports().skip(self.transports.len()).cloned().collect();
        self.listening.extend(self.context.listen(&new));
        self.transports.extend(new);
        self.feeds = Some(feeds);
        let count: usize = caught.iter().map(|it| it.messages.len()).sum();
        // The message to try may be a suspect, whose turn is next then.
        let suspect_next = suspects && !self.hand.has_suspect();
        if self.sought_probe && (count > 0 || !suspect_next) {
            self.breaker.probing(caught.iter().flat_map(|it| &it.messages).map(|it| it.id).next());
        }
        // A claim for a suspect, or for one message to try, has not looked at anything else.
        let nothing = count == 0 && error.is_none() && !self.sought_suspect && !self.sought_probe;
        self.found_nothing = (nothing && !suspects).then_some(self.look);
        if self.sought_suspect {
            self.solitude.claimed(Instant::now(), count > 0);
        } else if count == 0 && error.is_none() {
            self.solitude.nothing_fresh(Instant::now());
        }
        for it in caught.iter().filter(|_| self.sought_suspect).flat_map(|it| &it.messages) {
            self.breaker.claimed_suspect(it.id, &it.message_type);
        }
        self.context.mailbox.count(|stats| stats.claimed += count as u64);
        for batch in caught {
            self.take(batch);
        }
        match error {
            Some(error) => self.on_claim_error(error),
            None => self.claim_failures = 0,
        }
        if count > 0 {
            self.idle.end();
            self.event(|| json!({ "event": "claimed", "count": count }));
        } else if nothing && !suspect_next {
            self.rest();
        }
    }

    /// Nothing to do: look again after the interval, or soon if nobody could know until now that this worker waits.
    pub(super) fn rest(&mut self) {
        // Only a claim that began as a listening one has said so; a connection that came up since has not.
        if !self.idle.is_known() && self.began_listening {
            self.idle.begin();
            return;
        }
        if self.hand.is_empty() && self.context.options.mode == Mode::Run {
            self.event(|| json!({ "event": "idle" }));
        }
        let poll = Instant::now() + self.idle.rest(self.context.options.poll_interval);
        let owed = self.feeds.as_ref().and_then(Feeds::owed_at);
        self.rest_until = [Some(poll), self.due_again, owed].into_iter().flatten().min();
    }

    /// A message of this consumer's own will be due again: no need to wait for a poll to find it.
    pub(super) fn expect_back(&mut self, delay: Duration) {
        self.put_back = Some(Instant::now());
        let at = Instant::now() + delay;
        self.due_again = Some(self.due_again.map_or(at, |it| it.min(at)));
        self.rest_until = self.rest_until.map(|it| it.min(at));
    }

    pub(super) fn on_claim_error(&mut self, error: Error) {
        self.claim_failures += 1;
        // It may have been done all the same.
        (self.has_failed_to_claim, self.unsure) = (true, true);
        self.event(|| trouble(&error));
        self.claim_after = Some(Instant::now() + backoff(self.claim_failures));
        // What has taken a statement's whole time limit says more than what failed at once.
        let patience = if matches!(error, Error::Timeout { .. }) { SLOW_PATIENCE } else { PATIENCE };
        let hopeless = !error.is_transient() || self.claim_failures >= patience;
        if self.context.options.mode == Mode::Drain && hopeless && self.error.is_none() {
            self.error = Some(error);
            self.drain(StoppedBy::Stopped, Instant::now() + self.context.options.shutdown_timeout);
        }
    }

    fn take(&mut self, caught: Caught) {
        if !caught.stands {
            return self.give_back(&caught);
        }
        let readable = self.bury_unreadable(caught);
        let caught = self.put_off_paused(readable);
        if caught.messages.is_empty() {
            return;
        }
        if let Some(first) = caught.messages.first() {
            self.counter.set_clock(first.claimed_at, Instant::now());
        }
        for messages in delivery::portions(caught.messages) {
            let number = self.hand.take(caught.feed, &messages);
            self.caught.push((number, Caught { messages, ..caught }));
        }
    }

    /// Others may have it by now: the fence decides, and none of it starts here.
    fn give_back(&mut self, caught: &Caught) {
        let config = self.context.engine.config();
        let said = Said::Released { delay: None, handled: Vec::new() };
        for message in &caught.messages {
            self.breaker.note(message.id, &message.message_type, &said, &config.circuit_breaker);
            self.conclude(Held::of(caught.feed, message), Outcome::UNTOUCHED, 0.0);
        }
    }

    /// Removes from a batch what cannot be handed to a handler: it becomes a dead letter, where people can see it.
    fn bury_unreadable(&mut self, mut caught: Caught) -> Caught {
        let unreadable: Vec<_> = caught.messages.extract_if(.., |it| it.unreadable.is_some()).collect();
        for message in unreadable {
            let failure = Failure {
                class: UNREADABLE.to_owned(),
                message: message.unreadable.as_deref().unwrap_or_default().to_owned(),
            };
            let held = Held::of(caught.feed, &message);
            self.conclude(held, Outcome::Bury { failure, handled: Vec::new() }, 0.0);
        }
        caught
    }

    /// Hands over what was claimed.
    pub(super) fn deliver(&mut self) {
        for (number, caught) in std::mem::take(&mut self.caught) {
            if self.phase > Phase::Working {
                // The claim was under way when the end came.
                let unstarted = self.hand.give_batch(number);
                unstarted.into_iter().for_each(|held| self.conclude(held, Outcome::UNTOUCHED, 0.0));
            } else {
                self.deliver_batch(number, &caught);
            }
        }
    }

    fn deliver_batch(&mut self, number: u32, caught: &Caught) {
        let Some(transport) = self.transports.get(caught.feed) else { return };
        let config = self.context.engine.config();
        let retries = |it: &Claimed| config.retry_for(&it.message_type).max_retries;
        let command = delivery::deliver(number, transport.name(), &caught.messages, retries);
        if !self.context.handlers.command(command) {
            // Nothing is there to handle them: the environment has ended.
            self.drain(StoppedBy::Stopped, Instant::now());
            self.release_all();
        }
    }
}
