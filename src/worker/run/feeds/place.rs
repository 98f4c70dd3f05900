//! Transports that are asked together.

use super::feed::Feed;
use crate::base::targets::WORKER;
use crate::error::Result;
use crate::transport::{Claimable, Drain, Look, Portion, RescueStep, Rescued};
use crate::worker::run::steps::Steps;
use std::sync::Arc;
use tracing::info;
use uuid::Uuid;

/// How many messages the first step of a rescue takes, and how many a step takes at most.
const FIRST_STEP: usize = 100;
const LONGEST_STEP: usize = 1_000;

/// Feeds that are surveyed together: one statement for all of them, on one connection.
pub(super) struct Place {
    transport: Arc<dyn Drain>,
    feeds: Vec<usize>,
    names: Vec<Arc<str>>,
    /// Those of its rescues.
    steps: Steps,
}

impl Place {
    /// The places behind the feeds that are on, with their places.
    pub(super) fn behind(feeds: &[Feed]) -> Vec<Self> {
        let mut places: Vec<Self> = Vec::new();
        for (index, feed) in feeds.iter().enumerate().filter(|(_, feed)| feed.is_on()) {
            let transport = feed.transport();
            let name = transport.name().clone();
            match places.iter_mut().find(|it| it.transport.place() == transport.place()) {
                Some(place) => {
                    place.feeds.push(index);
                    place.names.push(name);
                }
                None => places.push(Self {
                    transport: transport.clone(),
                    feeds: vec![index],
                    names: vec![name],
                    steps: Steps::new(FIRST_STEP, LONGEST_STEP),
                }),
            }
        }
        places
    }

    /// Surveys its transports; first takes the messages that no worker holds, if somebody is named who does.
    pub(super) async fn look(&self, claimable: Claimable<'_>, rescues: Option<Uuid>) -> Result<Look> {
        let portion = Portion { limit: self.steps.limit(), skip: self.steps.skip() };
        let step = rescues.map(|by| RescueStep { by, portion });
        self.transport.survey(&self.names, claimable, step).await
    }

    /// The places of its feeds among all, in the order of its surveys.
    pub(super) fn feeds(&self) -> &[usize] {
        &self.feeds
    }

    /// Learns how a rescue went. Says whether it may have left some.
    pub(super) fn learn(&mut self, rescued: &Result<Rescued>) -> bool {
        match rescued {
            Ok(rescued) => {
                tell_of_rescued(&*self.transport, rescued);
                self.steps.taken(rescued.count())
            }
            Err(_) => {
                self.steps.failed();
                false
            }
        }
    }
}

/// Tells what a rescue found.
fn tell_of_rescued(place: &dyn Drain, rescued: &Rescued) {
    let Rescued { workers, returned, buried } = rescued;
    let (place, buried) = (place.place(), buried.len());
    if rescued.count() > 0 {
        info!(target: WORKER, place, workers, returned, buried, "put back what dead workers held");
    }
}
