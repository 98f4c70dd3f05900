//! When to claim, how much, and what an answer says about what is left.

mod answer;
mod due_again;
mod idle;
mod look;
mod rest;
mod scene;
mod solitude;
mod suspects;

use super::circuits::{Allowed, Circuits};
use super::failures::Failures;
use super::feeds::switches::Switches;
use super::feeds::{Feeds, Wanted};
use super::settlements::Returned;
use super::side_task::SideTask;
use super::sources::Sources;
use crate::error::Error;
use crate::transport::{Drain, WorkerId};
use crate::worker::Mode;
use crate::worker::context::Context;
use answer::Errand;
pub(super) use answer::{Answer, Learned};
use look::{Look, Looks};
use rest::{Found, Rest};
pub(super) use scene::Scene;
use solitude::Turn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use suspects::Suspects;
use uuid::Uuid;

/// The claims of a run, one at a time.
pub(super) struct Claims {
    context: Arc<Context>,
    /// Present while no claim is under way.
    feeds: Option<Feeds>,
    claiming: SideTask<Answer>,
    /// Older than the token of any claim under way.
    since: Uuid,
    rest: Rest,
    looks: Looks,
    suspects: Suspects,
    failures: Failures,
    /// Whether a claim has ever failed, and may have taken messages that this worker does not know of.
    has_failed: bool,
    /// Whether nothing is left to claim in a bounded drain, as of this turn.
    exhausted: bool,
}

impl Claims {
    pub(super) fn new(
        context: Arc<Context>,
        transports: Vec<Arc<dyn Drain>>,
        worker: WorkerId,
        start: Instant,
    ) -> Self {
        let options = &context.options;
        let names = transports.iter().map(|it| it.name().to_string()).collect();
        let takes_up = options.mode == Mode::Run && options.transports.is_none();
        let following = Switches::new(context.engine.clone(), names, takes_up);
        let feeds = Feeds::new(transports, worker, options.queues.clone(), Some(following));
        // If the first claim may be the last, each kind comes first from time to time.
        let suspect_first = options.message_limit.is_some() && fastrand::bool();
        let suspects = Suspects::new(start, options.time_limit, suspect_first);
        Self {
            context,
            feeds: Some(feeds),
            claiming: SideTask::none(),
            since: Uuid::nil(),
            rest: Rest::default(),
            looks: Looks::default(),
            suspects,
            failures: Failures::default(),
            has_failed: false,
            exhausted: false,
        }
    }

    /// How many messages the next claim may ask for.
    pub(super) fn wanted(&self) -> usize {
        let options = &self.context.options;
        let claimed = self.context.mailbox.stats().claimed;
        let left = options.message_limit.map_or(u64::MAX, |limit| limit.saturating_sub(claimed));
        options.batch_size.min(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// Claims as soon as nothing waits for a slot: the next batch travels while this one runs, and no message is held
    /// here that another worker could already run. Suspects have their own turns, see `solitude.rs`.
    pub(super) fn start_claiming(&mut self, scene: &Scene<'_>) {
        let (limit, slots) = (self.wanted(), self.context.options.max_concurrency);
        self.suspects.forget_turn();
        if limit == 0 || !self.may_claim(scene) {
            return;
        }
        let Some(known) = self.feeds.as_ref().map(Feeds::suspects) else { return };
        match self.suspects.next(scene.now, known, scene.in_hand(slots)) {
            Turn::Suspect => self.claim(limit, true, scene),
            Turn::Fresh if self.may_claim_fresh(scene) => {
                self.claim(self.suspects.limit(limit, slots, scene.longest_handler), false, scene);
            }
            Turn::Fresh | Turn::Wait(_) => {}
        }
    }

    fn may_claim(&self, scene: &Scene<'_>) -> bool {
        scene.more && !self.exhausted && scene.circuits.are_known() && !self.failures.pauses(scene.now)
    }

    fn may_claim_fresh(&self, scene: &Scene<'_>) -> bool {
        let options = &self.context.options;
        let last_look = options.mode == Mode::Drain && scene.is_clear();
        scene.hand.len() <= options.max_concurrency
            && (last_look || self.context.mailbox.sent.load(Ordering::Relaxed) || self.rest.is_over(scene.now))
    }

    fn claim(&mut self, limit: usize, suspect: bool, scene: &Scene<'_>) {
        let Some(feeds) = self.feeds.take() else { return };
        let Allowed { types, suspect_types, probe } = scene.circuits.allowed();
        let probe = probe && !suspect;
        let listening = scene.sources.is_listening();
        let look = Look { began: scene.now, clear: scene.is_clear(), sent: self.context.engine.sent() };
        let errand = Errand { look, suspect, probe, listening: listening && !suspect };
        let wanted = Wanted {
            types,
            suspect_types,
            limit: if probe { 1 } else { limit },
            exhaustive: self.context.options.mode == Mode::Drain,
            suspect,
            listening,
            woken: !suspect && self.take_wake_up(),
            waiting: self.rest.is_known(),
            in_hand: scene.hand.len(),
        };
        self.rest.end(scene.now);
        self.failures.end_pause();
        self.since = Uuid::now_v7();
        self.claiming.start(async move {
            let (feeds, caught, error) = feeds.claim(wanted).await;
            Answer { errand, feeds, caught, error }
        });
    }

    /// Whether something was sent since the last claim.
    fn take_wake_up(&self) -> bool {
        let sent = &self.context.mailbox.sent;
        let woken = sent.load(Ordering::Relaxed);
        if woken {
            sent.store(false, Ordering::Relaxed);
        }
        woken
    }

    /// What the claim under way brings; without one, never.
    pub(super) async fn answer(&mut self) -> Answer {
        self.claiming.done().await
    }

    /// Learns what is left. `has_suspect`: whether one was in hand before this came.
    pub(super) fn learn(
        &mut self,
        answer: Answer,
        has_suspect: bool,
        circuits: &mut Circuits,
        sources: &mut Sources,
    ) -> Learned {
        let Answer { errand, mut feeds, caught, error } = answer;
        let suspects = feeds.suspects();
        let rescued = feeds.take_rescued();
        sources.follow(feeds.transports());
        let now = Instant::now();
        let (owed, is_new, in_part) = (feeds.owed_at(now), feeds.take_new(), feeds.failed_in_part());
        self.feeds = Some(feeds);
        let count: usize = caught.iter().map(|it| it.messages.len()).sum();
        // The message to try may be a suspect, whose turn is next then.
        let suspect_next = suspects && !has_suspect;
        if errand.probe && (count > 0 || !suspect_next) {
            circuits.probed(&caught);
        }
        if errand.suspect {
            circuits.caught_suspect(&caught);
        }
        let answered = error.is_none() || in_part;
        let found_nothing = count == 0 && answered;
        self.suspects.learn(errand.suspect, count > 0, !answered, now);
        // A claim for a suspect, or for one message to try, has not looked at anything else.
        let nothing = found_nothing && !errand.suspect && !errand.probe;
        self.looks.note((nothing && !suspects && error.is_none()).then_some(errand.look));
        self.context.mailbox.count(|stats| stats.claimed += count as u64);
        if answered {
            self.failures.end();
        }
        self.has_failed |= error.is_some();
        // Whether the worker is marked where no answer came, or where it has not claimed before, nobody knows.
        if count > 0 || error.is_some() || is_new {
            self.rest.forget();
        }
        if is_new {
            self.rest.end_now(now);
        }
        let poll = self.context.options.poll_interval;
        let found = Found { began: errand.look.began, said_so: errand.listening && !is_new, owed };
        let rests = nothing && !suspect_next && self.rest.begin(now, found, poll);
        Learned { caught, rescued, error, in_part, rests }
    }

    /// The answer was lost. Says whether a bounded drain gives up.
    pub(super) fn learn_failure(&mut self, error: &Error, now: Instant) -> bool {
        self.failures.add(now);
        self.failures.end_claiming(error)
    }

    /// Messages of this consumer's own are back, or will be: no need to wait for a poll to find them.
    pub(super) fn expect(&mut self, returned: &Returned, now: Instant) {
        if returned.any {
            self.looks.note_return(now);
        }
        returned.due_in.iter().for_each(|it| self.rest.end_after(now, *it));
    }

    /// Others have put back what this consumer held.
    pub(super) fn note_return(&mut self, now: Instant) {
        self.looks.note_return(now);
    }

    /// What this consumer held without knowing is there to be claimed.
    pub(super) fn find_again(&mut self, now: Instant) {
        self.looks.note(None);
        self.looks.note_return(now);
        self.stop_waiting(now);
    }

    /// Nobody knows any more that this worker waits, so nobody may have woken it.
    pub(super) fn stop_waiting(&mut self, now: Instant) {
        self.rest.forget();
        self.rest.end_now(now);
    }

    /// Claims may take something that they have left alone until now.
    pub(super) fn look_again(&mut self, now: Instant) {
        self.rest.end_now(now);
    }

    /// Whether those who dispatch should see that this worker waits.
    pub(super) fn are_waiting(&self) -> bool {
        self.rest.is_known()
    }

    /// Notices when a bounded drain has found all there is. `clear`: nothing that is in hand, here or without this
    /// worker's knowing, may come back.
    pub(super) fn notice_the_end(&mut self, now: Instant, clear: bool) {
        let drains = self.context.options.mode == Mode::Drain;
        self.exhausted = drains && clear && self.looks.was_the_last(now, self.context.engine.sent());
    }

    pub(super) fn are_exhausted(&self) -> bool {
        self.exhausted
    }

    pub(super) fn are_under_way(&self) -> bool {
        self.claiming.is_busy()
    }

    /// The token of any claim whose answer is still to come is younger.
    pub(super) fn since(&self) -> Uuid {
        if self.claiming.is_busy() { self.since } else { Uuid::now_v7() }
    }

    /// Whether every answer has come.
    pub(super) fn are_certain(&self) -> bool {
        !self.has_failed
    }

    /// Whether the last look has shown that nothing waits in any transport, due or not.
    pub(super) fn nothing_waits(&self) -> bool {
        self.exhausted && self.feeds.as_ref().is_some_and(Feeds::are_empty)
    }

    /// Whether any place may know the worker.
    pub(super) fn may_be_registered(&self) -> bool {
        self.feeds.as_ref().is_none_or(Feeds::may_be_registered)
    }

    /// Whether the last one has failed, or failed in a place that is left alone since.
    pub(super) fn are_failing(&self) -> bool {
        self.failures.any() || self.feeds.as_ref().is_some_and(Feeds::are_failing)
    }

    /// When there may be something to claim.
    pub(super) fn next(&self) -> [Option<Instant>; 3] {
        [self.rest.until(), self.failures.until(), self.suspects.turn()]
    }
}
