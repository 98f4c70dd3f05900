//! What operators look at beside messages, as much as Postgres would tell.

use super::notes::Judged;
use super::state::State;
use super::store::MemoryStore;
use crate::counts::rollup::minute_of;
use crate::counts::window::Window;
use crate::error::Result;
use crate::store::insights::{
    DepthPoint, ErrorGroup, GroupFilter, GroupState, Insights, Judgement, MOST, RefusedKey, Release, WorkerRow,
};
use crate::transport::Depth;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Minutes of which it is noted how full the queues were: a week.
const KEPT: usize = 7 * 24 * 60;
/// Points that a question is answered with, at most.
const POINTS: i64 = 300;

impl State {
    /// Notes how full the queues are, once a minute.
    pub fn note_depths(&mut self) {
        let minute = minute_of(self.clock.now());
        if self.notes.depths.contains_key(&minute) {
            return;
        }
        let depth = self.depth();
        self.notes.depths.insert(minute, depth);
        while self.notes.depths.len() > KEPT {
            self.notes.depths.pop_first();
        }
    }

    fn depths(&self, window: &Window, queue: Option<&str>) -> Vec<DepthPoint> {
        let now = self.clock.now();
        let back = TimeDelta::milliseconds((window.minutes() * 60_000.0) as i64);
        let start = minute_of(window.start_time.or_else(|| now.checked_sub_signed(back)).unwrap_or_default());
        let end = window.end_time.unwrap_or(now);
        let step = ((end - start).num_seconds() as f64 / 60.0 / POINTS as f64).ceil().max(1.0) as i64;
        let mut seen = None;
        let noted = self.notes.depths.range(start..end).filter(|(minute, depths)| {
            let place = (**minute - start).num_minutes() / step;
            let is_there = queue.is_none_or(|queue| depths.iter().any(|it| it.queue == queue));
            is_there && seen.replace(place) != Some(place)
        });
        noted
            .map(|(minute, depths)| point(*minute, depths.iter().filter(|it| queue.is_none_or(|q| q == it.queue))))
            .collect()
    }

    fn error_groups(&self, filter: &GroupFilter) -> Vec<ErrorGroup> {
        let mut groups: BTreeMap<(&str, &str), (DateTime<Utc>, f64, u64)> = BTreeMap::new();
        for (minute, message_type, tally) in self.counts.rows() {
            for (class, errors) in &tally.errors {
                let group = groups.entry((message_type, class)).or_insert((minute, errors.last, 0));
                *group = (group.0.min(minute), group.1.max(errors.last), group.2 + errors.count);
            }
        }
        let group = |((message_type, class), (first, last, occurrences)): ((&str, &str), (DateTime<Utc>, f64, u64))| {
            let last_at = DateTime::from_timestamp_millis(last as i64);
            let judged = self.notes.judgements.get(&(message_type.to_owned(), class.to_owned())).cloned();
            let is_back = |it: &Judged| it.0 == GroupState::Resolved && last_at > Some(it.1);
            let state = judged.as_ref().filter(|it| !is_back(it)).map_or(GroupState::Open, |it| it.0);
            ErrorGroup {
                r#type: message_type.to_owned(),
                class: class.to_owned(),
                first_at: Some(first),
                last_at,
                occurrences,
                state,
                state_at: judged.as_ref().map(|it| it.1),
                note: judged.and_then(|it| it.2),
            }
        };
        let fits = |it: &ErrorGroup| {
            filter.r#type.as_ref().is_none_or(|wanted| *wanted == it.r#type)
                && filter.state.is_none_or(|wanted| wanted == it.state)
        };
        let mut all: Vec<_> = groups.into_iter().map(group).filter(fits).collect();
        all.sort_by_key(|it| Reverse(it.last_at));
        all.truncate(if filter.limit == 0 { MOST } else { filter.limit.min(MOST) } as usize);
        all
    }
}

fn point<'a>(minute: DateTime<Utc>, depths: impl Iterator<Item = &'a Depth>) -> DepthPoint {
    let none =
        DepthPoint { minute: Some(minute), pending: 0, delayed: 0, processing: 0, oldest_age: None, capped: false };
    depths.fold(none, |sum, it| DepthPoint {
        pending: sum.pending + it.pending,
        delayed: sum.delayed + it.delayed,
        processing: sum.processing + it.processing,
        oldest_age: sum.oldest_age.into_iter().chain(it.oldest_age_ms).reduce(f64::max),
        ..sum
    })
}

#[async_trait]
impl Insights for MemoryStore {
    async fn workers(&self) -> Result<Vec<WorkerRow>> {
        Ok(self.state().workers())
    }

    async fn depths(&self, window: &Window, transport: &str, queue: &str) -> Result<Vec<DepthPoint>> {
        let state = self.state();
        if !transport.is_empty() && transport != &*state.name {
            return Ok(Vec::new());
        }
        Ok(state.depths(window, Some(queue).filter(|_| !transport.is_empty())))
    }

    async fn error_groups(&self, filter: &GroupFilter) -> Result<Vec<ErrorGroup>> {
        Ok(self.state().error_groups(filter))
    }

    async fn judge(&self, Judgement { r#type, class, state, note, because }: &Judgement) -> Result<bool> {
        let mut it = self.state();
        let of_type = GroupFilter { r#type: Some(r#type.clone()), ..GroupFilter::default() };
        let is_known = it.error_groups(&of_type).iter().any(|group| group.class == *class);
        if is_known {
            let now = it.clock.now();
            it.notes.judgements.insert((r#type.clone(), class.clone()), (*state, now, note.clone()));
            let target = json!({ "type": r#type, "class": class, "state": state.name() });
            it.note("judgeErrors", &target, because, now);
        }
        Ok(is_known)
    }

    async fn refused_keys(&self, before: Option<DateTime<Utc>>, limit: u32) -> Result<Vec<RefusedKey>> {
        Ok(self.state().refused_keys(before, limit.min(MOST) as usize))
    }

    async fn releases(&self) -> Result<Vec<Release>> {
        Ok(Vec::new())
    }
}
