//! An instance of the queue, as far as its log lines are concerned.

use super::filter::Filter;
use super::sink::Sink;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tracing::callsite::rebuild_interest_cache;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Span, error_span};

/// The target of the spans of instances, which are no lines.
const TARGET: &str = "symphony::instance";
/// The field of such a span.
pub const ID: &str = "id";

/// The sinks of all instances of the process.
static SINKS: RwLock<BTreeMap<u64, Arc<Sink>>> = RwLock::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(1);

/// An instance of the queue: its span is around what is done for it, and its sink takes the lines of that.
pub struct Instance {
    id: u64,
    span: Span,
    sink: Arc<Sink>,
}

impl Instance {
    /// One that wants no lines yet.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let (id, sink) = (NEXT.fetch_add(1, Ordering::Relaxed), Arc::new(Sink::new()));
        change(|sinks| drop(sinks.insert(id, sink.clone())));
        // As severe as can be, so that it exists whatever the level is: that may change while it is open.
        Self { id, span: error_span!(target: TARGET, parent: None, "instance", id), sink }
    }

    /// What has to be around everything that is done for it.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// Sets who takes the lines. It is called when the first one waits, must not block, and then calls `take`.
    pub fn listen(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.sink.listen(wake);
    }

    /// Takes the lines that wait, JSON text of an array, as long as the instance lives.
    pub fn taking(&self) -> impl Fn() -> String + Send + Sync + use<> {
        let sink = Arc::downgrade(&self.sink);
        move || sink.upgrade().map_or_else(|| "[]".to_owned(), |it| it.take())
    }

    /// Changes which lines it wants. Holds at once, also for what is under way.
    pub fn set_filter(&self, filter: Filter) {
        if self.sink.set_filter(filter) {
            rebuild_interest_cache();
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        change(|sinks| drop(sinks.remove(&self.id)));
        if self.sink.filter() != Filter::OFF {
            rebuild_interest_cache();
        }
    }
}

/// Whether a span is that of an instance.
pub fn is_instance(span: &Metadata<'_>) -> bool {
    span.target() == TARGET
}

/// The sink of an instance.
pub fn sink_of(id: u64) -> Option<Arc<Sink>> {
    SINKS.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
}

/// Whether a kind of line is wanted by all instances, by none, or by some.
pub fn interest_in(line: &Metadata<'_>) -> Interest {
    let sinks = SINKS.read().unwrap_or_else(PoisonError::into_inner);
    let wanting = sinks.values().filter(|it| it.wants(line)).count();
    match wanting {
        0 => Interest::never(),
        all if all == sinks.len() => Interest::always(),
        _ => Interest::sometimes(),
    }
}

/// The least severe line that any instance may want.
pub fn most_verbose() -> LevelFilter {
    let sinks = SINKS.read().unwrap_or_else(PoisonError::into_inner);
    sinks.values().map(|it| it.filter().most_verbose()).fold(LevelFilter::OFF, LevelFilter::max)
}

fn change(change: impl FnOnce(&mut BTreeMap<u64, Arc<Sink>>)) {
    change(&mut SINKS.write().unwrap_or_else(PoisonError::into_inner));
}
