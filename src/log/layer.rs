//! From events and spans to the sink of their instance.

use super::fields::Fields;
use super::instance::{ID, interest_in, is_instance, most_verbose, sink_of};
use super::sink::Sink;
use serde_json::Value;
use std::sync::{Arc, Once};
use std::time::Instant;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry, SpanRef};

/// Makes the layer the process's subscriber, the first time. The statics of `tracing` are the addon's own: another
/// addon of the process has others, and all threads that load this one share it.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A test in Rust may have set another one.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(Lines));
    });
}

/// Makes lines of events, and of spans when they end.
struct Lines;

/// What is kept of an open span.
struct Open {
    /// That of the instance whose span it is in.
    sink: Option<Arc<Sink>>,
    fields: Fields,
    began: Instant,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_instance(metadata) { Interest::always() } else { interest_in(metadata) }
    }

    /// Asked where some instances want a line and others do not.
    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        let wants = |it: SpanRef<'_, S>| sink_around(&it).is_some_and(|sink| sink.wants(metadata));
        is_instance(metadata) || context.lookup_current().is_some_and(wants)
    }

    /// Spans of instances are always open.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(most_verbose().max(LevelFilter::ERROR))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let (sink, fields) = if is_instance(span.metadata()) {
            (fields.number(ID).and_then(sink_of), Fields::default())
        } else {
            (span.parent().and_then(|it| sink_around(&it)), fields)
        };
        span.extensions_mut().insert(Open { sink, fields, began: Instant::now() });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(&mut open.fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let mut fields = Fields::default();
        event.record(&mut fields);
        write(&span, fields, event.metadata());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let ended = span.extensions_mut().get_mut::<Open>().map(|it| (std::mem::take(&mut it.fields), it.began));
        let Some((fields, began)) = ended.filter(|_| !is_instance(span.metadata())) else { return };
        let millis = (began.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        write(&span, fields.with("durationMs", Value::from(millis)), span.metadata());
    }
}

/// Writes a line in a span, with the fields of the spans around it.
fn write<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>, fields: Fields, about: &Metadata<'_>) {
    let Some(sink) = sink_around(span).filter(|it| it.wants(about)) else { return };
    let fields = span.scope().fold(fields, |fields, outer| match outer.extensions().get::<Open>() {
        Some(open) => fields.or(&open.fields),
        None => fields,
    });
    sink.push(fields.line(about));
}

fn sink_around<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Arc<Sink>> {
    span.extensions().get::<Open>()?.sink.clone()
}

#[cfg(test)]
mod tests {
    use super::super::{Filter, Instance};
    use super::*;
    use crate::base::targets::{POSTGRES, WORKER};
    use crate::config::{LogLevel, LoggingConfig};
    use serde_json::json;
    use tracing::{debug, debug_span, info, info_span, warn};

    fn at(level: LogLevel) -> Instance {
        let instance = Instance::new();
        instance.set_filter(Filter::new(level, &LoggingConfig::default()));
        instance
    }

    fn taken(instance: &Instance) -> Vec<Value> {
        let mut lines: Vec<Value> = serde_json::from_str(&instance.taking()()).unwrap();
        for line in &mut lines {
            let duration = line["fields"].as_object_mut().unwrap().remove("durationMs");
            assert!(duration.is_none_or(|it| it.as_f64().unwrap() >= 0.0));
        }
        lines
    }

    fn recorded(work: impl FnOnce()) {
        tracing::subscriber::with_default(Registry::default().with(Lines), work);
    }

    #[test]
    fn a_line_goes_to_the_instance_around_it_at_its_level_and_not_below() {
        recorded(|| {
            let (talkative, quiet) = (at(LogLevel::Debug), at(LogLevel::Warn));
            for instance in [&talkative, &quiet] {
                let _entered = instance.span().entered();
                debug!(target: WORKER, in_hand = 3, "claimed");
                warn!(target: WORKER, transport = "supabase", "late");
            }
            warn!(target: WORKER, "of nobody");
            let claimed = json!({ "level": "debug", "message": "claimed",
                "fields": { "inHand": 3, "target": "symphony::worker" } });
            let late = json!({ "level": "warn", "message": "late",
                "fields": { "transport": "supabase", "target": "symphony::worker" } });
            assert_eq!(taken(&talkative), [claimed, late.clone()]);
            assert_eq!(taken(&quiet), [late]);
        });
    }

    #[test]
    fn a_span_is_a_line_when_it_ends_with_what_was_recorded_and_what_is_around_it() {
        recorded(|| {
            let instance = at(LogLevel::Debug);
            let _instance = instance.span().entered();
            let drain = info_span!(target: WORKER, "drain", worker = 7, claimed = tracing::field::Empty).entered();
            debug_span!(target: POSTGRES, "statement", rows = 2).in_scope(|| {});
            drain.record("claimed", 2);
            drop(drain);
            assert_eq!(
                taken(&instance),
                [
                    json!({ "level": "debug", "message": "statement",
                        "fields": { "rows": 2, "worker": 7, "target": "symphony::postgres" } }),
                    json!({ "level": "info", "message": "drain",
                        "fields": { "worker": 7, "claimed": 2, "target": "symphony::worker" } }),
                ]
            );
        });
    }

    #[test]
    fn a_level_holds_at_once_for_what_is_under_way() {
        recorded(|| {
            let instance = at(LogLevel::Silent);
            let _entered = instance.span().entered();
            info!(target: WORKER, "before");
            instance.set_filter(Filter::new(LogLevel::Info, &LoggingConfig::default()));
            info!(target: WORKER, "after");
            instance.set_filter(Filter::OFF);
            info!(target: WORKER, "over");
            assert_eq!(taken(&instance).iter().map(|it| it["message"].clone()).collect::<Vec<_>>(), [json!("after")]);
        });
    }

    #[test]
    fn a_password_in_a_text_is_masked() {
        recorded(|| {
            let instance = at(LogLevel::Warn);
            let _entered = instance.span().entered();
            let url = "postgres://ada:hunter2@db/app?sslpassword=hunter3";
            warn!(target: POSTGRES, url, password = "hunter4", "no way to {url}");
            let text = json!(taken(&instance)).to_string();
            assert!(text.contains("ada:***@db/app") && !text.contains("hunter"), "{text}");
        });
    }
}
