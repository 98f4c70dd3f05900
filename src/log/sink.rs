//! Lines on their way to one logger: a bounded queue, and a call that asks for it to be emptied.

use super::filter::Filter;
use crate::base::lock::lock;
use crate::base::targets;
use serde_json::json;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};
use tracing::Metadata;

/// How many lines may wait. While JavaScript is busy, the latest ones are dropped, and counted.
const ROOM: usize = 1_000;

/// Asks for the queue to be emptied; must not block.
type Wake = Box<dyn Fn() + Send + Sync>;

/// Lines on their way to one logger.
pub struct Sink {
    filter: RwLock<Filter>,
    queue: Mutex<Queue>,
    wake: OnceLock<Wake>,
}

#[derive(Default)]
struct Queue {
    /// JSON texts.
    lines: Vec<String>,
    /// Since the last time.
    dropped: u64,
    /// Whether somebody was asked to empty it and has not done so yet.
    is_asked: bool,
}

impl Sink {
    /// Empty. It wants nothing yet.
    pub fn new() -> Self {
        Self { filter: RwLock::new(Filter::OFF), queue: Mutex::default(), wake: OnceLock::new() }
    }

    /// Sets who empties the queue, once.
    pub fn listen(&self, wake: Wake) {
        let _ = self.wake.set(wake);
    }

    /// Which lines it wants.
    pub fn filter(&self) -> Filter {
        self.filter.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes which lines it wants; whether that is a change.
    pub fn set_filter(&self, filter: Filter) -> bool {
        let mut current = self.filter.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = *current != filter;
        *current = filter;
        is_new
    }

    /// Whether it wants this line.
    pub fn wants(&self, line: &Metadata<'_>) -> bool {
        self.filter.read().unwrap_or_else(PoisonError::into_inner).wants(line)
    }

    /// Takes a line, JSON text.
    pub fn push(&self, line: String) {
        let must_ask = {
            let mut queue = lock(&self.queue);
            if queue.lines.len() >= ROOM {
                queue.dropped += 1;
                return;
            }
            queue.lines.push(line);
            !std::mem::replace(&mut queue.is_asked, true)
        };
        if let Some(wake) = self.wake.get().filter(|_| must_ask) {
            wake();
        }
    }

    /// The lines that wait: JSON text of an array.
    pub fn take(&self) -> String {
        let Queue { mut lines, dropped, .. } = std::mem::take(&mut *lock(&self.queue));
        if dropped > 0 {
            lines.push(told_of_dropped(dropped));
        }
        format!("[{}]", lines.join(","))
    }
}

fn told_of_dropped(lines: u64) -> String {
    let message = "lines of the core were dropped: the event loop was busy, and no more of them may wait";
    json!({ "level": "warn", "message": message, "fields": { "lines": lines, "target": targets::LOG } }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn lines(sink: &Sink) -> Vec<Value> {
        serde_json::from_str(&sink.take()).unwrap()
    }

    #[test]
    fn one_call_asks_for_all_lines_until_they_are_taken() {
        let (sink, calls) = (Sink::new(), Arc::new(AtomicUsize::new(0)));
        let counted = calls.clone();
        sink.listen(Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        }));
        (0..10).for_each(|n| sink.push(n.to_string()));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(lines(&sink), (0..10).map(Value::from).collect::<Vec<_>>());
        assert_eq!(lines(&sink), Vec::<Value>::new());
        sink.push("10".to_owned());
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn what_nobody_takes_is_bounded_and_what_is_dropped_is_told() {
        let sink = Sink::new();
        (0..ROOM + 7).for_each(|n| sink.push(n.to_string()));
        let taken = lines(&sink);
        assert_eq!(taken.len(), ROOM + 1);
        let told = &taken[ROOM];
        assert_eq!((&told["level"], &told["fields"]["lines"]), (&json!("warn"), &json!(7)));
        sink.push("1".to_owned());
        assert_eq!(lines(&sink), [json!(1)]);
    }
}
