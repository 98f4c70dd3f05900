//! The search language: what every store finds, and that all of them find the same.

use crate::support::kit::{
    ByHand, HOUR, Worker, buried, bury, delayed, failure, keyed, message, put, put_one, settlement,
};
use crate::support::subject::{Kind, Memory, Pooled, Postgres, Subject};
use crate::support::{attempt, pass_on, run};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use symphony::message::envelope::{Available, Envelope};
use symphony::message::outcome::Outcome;
use symphony::search::{List, parse};
use symphony::store::controls::Because;
use symphony::store::dead_letters::FailedFilter;
use symphony::store::messages::{MessageFilter, SCAN};
use symphony::transport::Drain;
use uuid::Uuid;

for_drains! {
    a_query_narrows_dead_letters;

    // What no broker does.
    a_query_narrows_messages
    the_states_of_a_query_are_not_searched_for_in_vain
    an_id_is_found_however_old_it_is
}

async fn messages(transport: &Arc<dyn Drain>, query: &str) -> Vec<Uuid> {
    let filter = MessageFilter { query: Some(query.to_owned()), limit: 1000, ..MessageFilter::default() };
    let page = transport.inspects().unwrap().list_messages(&filter).await;
    page.unwrap_or_else(|error| panic!("{query}: {error}")).messages.into_iter().map(|it| it.id).collect()
}

/// The messages that the dead letters were, and how many letters were counted.
async fn letters(transport: &Arc<dyn Drain>, query: &str) -> (Vec<Uuid>, u64) {
    let filter = FailedFilter { query: Some(query.to_owned()), limit: 1000, ..FailedFilter::default() };
    let page = transport.kept().list_failed(&filter).await.unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut ids: Vec<_> = page.messages.into_iter().map(|it| it.message_id).collect();
    ids.sort();
    (ids, transport.kept().count_failed(&filter).await.unwrap().0)
}

fn with(body: &str) -> Envelope {
    Envelope { body: body.into(), headers: Some(r#"{"tenant":"acme"}"#.into()), ..message("Email") }
}

async fn a_query_narrows_messages<S: Subject>(it: S) {
    let transport = it.transport();
    let big = put_one(&transport, with(r#"{"user":{"id":9007199254740993},"tags":["vip"]}"#)).await;
    let near = put_one(&transport, with(r#"{"user":{"id":9007199254740992},"note":"100% off"}"#)).await;
    let sms = put_one(&transport, Envelope { priority: 9, queue: "bulk".into(), ..message("Sms") }).await;
    let later = put_one(&transport, delayed(HOUR)).await;
    for (query, expected) in [
        ("", vec![later, sms, near, big]),
        ("payload.user.id:9007199254740993", vec![big]),
        ("payload.user.id:>9007199254740992", vec![big]),
        ("payload.tags:vip,none", vec![big]),
        ("-payload.user.id:9007199254740993 type:Email", vec![later, near]),
        ("header.tenant:ac*", vec![near, big]),
        ("type:Sms,Fax priority:>=7 -queue:default", vec![sms]),
        ("\"100% OFF\"", vec![near]),
        ("\"1%off\"", vec![]),
        ("status:processing", vec![]),
        ("created:>-1h waited:<1h", vec![sms, near, big]),
        ("-waited:<1h", vec![later]),
        ("created:<-1h", vec![]),
    ] {
        assert_eq!(messages(&transport, query).await, expected, "{query}");
    }
    it.advance(HOUR + HOUR).await;
    assert_eq!(messages(&transport, "created:<-1h created:>-3h waited:>90m").await, [sms, near, big]);
}

async fn a_query_narrows_dead_letters<S: Subject>(it: S) {
    let transport = it.transport();
    let one = buried(&transport, with(r#"{"to":"a@b.c"}"#)).await;
    let two = buried(&transport, Envelope { priority: 1, ..message("Sms") }).await;
    for (query, expected) in [
        ("type:Sms", vec![two.message_id]),
        ("error:REFUSED class:Smtp* priority:1", vec![two.message_id]),
        ("-error:refused", vec![]),
        ("header.tenant:acme", vec![one.message_id]),
        ("status:failed finished:>-1h attempts:0", vec![one.message_id, two.message_id]),
        (&format!("id:{}", one.id), vec![one.message_id]),
        (&format!("id:{}", two.message_id), vec![two.message_id]),
    ] {
        assert_eq!(letters(&transport, query).await, (expected.clone(), expected.len() as u64), "{query}");
    }
    let places = FailedFilter { query: Some("type:Sms".to_owned()), ..FailedFilter::default() };
    let places = transport.kept().failed_places(&places).await.unwrap();
    assert_eq!(places.places.into_iter().map(|it| it.id).collect::<Vec<_>>(), [two.id]);
    let wrong = FailedFilter { query: Some("typ:Sms".to_owned()), ..FailedFilter::default() };
    assert_eq!(transport.kept().list_failed(&wrong).await.unwrap_err().code(), "SYMPHONY_INVALID_QUERY");
}

async fn the_states_of_a_query_are_not_searched_for_in_vain<S: Subject>(it: S) {
    let transport = it.transport();
    let waiting = put_one(&transport, delayed(HOUR)).await;
    let worker = Worker::of(&transport);
    for _ in 0..2 {
        put(&transport, (0..SCAN / 2).map(|_| message("Email")).collect()).await;
        let claimed = worker.claim(usize::try_from(SCAN).unwrap()).await;
        let all: Vec<_> = claimed.iter().map(|it| settlement(it, Outcome::Completed)).collect();
        assert!(worker.settle_all(&all).await.unwrap().is_empty());
    }
    assert_eq!(messages(&transport, "status:pending").await, [waiting]);
    assert_eq!(messages(&transport, "-status:completed,discarded,cancelled").await, [waiting]);
}

async fn an_id_is_found_however_old_it_is<S: Subject>(it: S) {
    let transport = it.transport();
    let old = put_one(&transport, message("Email")).await;
    for _ in 0..2 {
        put(&transport, (0..SCAN / 2).map(|_| message("Email")).collect()).await;
    }
    assert_eq!(messages(&transport, &format!("id:{old}")).await, [old]);
    assert_eq!(messages(&transport, &format!("id:{old},{}", Uuid::nil())).await, [old]);
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Waits,
    IsLater,
    Runs,
    IsDone,
    IsDiscarded,
    IsCancelled,
    HasFailed(&'static str),
    IsDead(&'static str),
}

#[derive(Debug, Clone)]
struct Story {
    envelope: Envelope,
    fate: Fate,
}

const ERRORS: [&str; 4] = ["connection REFUSED by mx", "100% of \"quota\"", "time\nout (a.b)", "é refused"];

/// Numbers and texts that are nearly the same, and letters that mean something elsewhere.
const LEAVES: [&str; 34] = [
    "0",
    "-0.0",
    "-1",
    "7",
    "7.0",
    "70e-1",
    "100",
    "1e2",
    "9007199254740993",
    "9007199254740992",
    "9007199254740992.5",
    "-9007199254740993",
    "1e400",
    "0.1",
    "0.10000000000000001",
    "true",
    "false",
    "null",
    "\"\"",
    "\"a\"",
    "\"ab\"",
    "\"A\"",
    "\"7\"",
    "\"true\"",
    "\"null\"",
    "\"100%\"",
    "\"a_b\"",
    "\"\\\"q\\\"\"",
    "\"b\\\\s\"",
    "\"\\u00e9\"",
    "\"l\\nf\"",
    "\"a.b (c)* [d]|^$\"",
    "\"2026-05-01\"",
    "\"🦀\"",
];

fn json_value() -> impl Strategy<Value = String> {
    let leaf = select(&LEAVES[..]).prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|it| format!("[{}]", it.join(","))),
            object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::vec((select(vec!["a", "b", "a.b", "c d", "é", "0"]), value), 0..4).prop_map(|members| {
        let members: Vec<_> = members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
        format!("{{{}}}", members.join(","))
    })
}

fn story() -> impl Strategy<Value = Story> {
    let fates = prop_oneof![
        Just(Fate::Waits),
        Just(Fate::IsLater),
        Just(Fate::Runs),
        Just(Fate::IsDone),
        Just(Fate::IsDiscarded),
        Just(Fate::IsCancelled),
        select(&ERRORS[..]).prop_map(Fate::HasFailed),
        select(&ERRORS[..]).prop_map(Fate::IsDead),
    ];
    let documents =
        (object(json_value()), prop::option::of(object(json_value())), prop::option::of(object(json_value())));
    let columns = (select(vec!["Email", "Sms", "é*"]), select(vec!["default", "bulk", "a,b"]), 1..=10_u8);
    let key = prop::option::of(select(vec!["welcome/", "Welcome\"", "bye_"]));
    (fates, documents, columns, key).prop_map(|(fate, (body, headers, metadata), (name, queue, priority), key)| {
        let id = Uuid::now_v7();
        let key = key.and_then(|it| keyed(&format!("{it}{id}")).key);
        let available = if fate == Fate::IsLater { Available::After(HOUR * 5) } else { Available::Now };
        let [body, headers, metadata] = [Some(body), headers, metadata].map(|it| it.map(Arc::<str>::from));
        let envelope = Envelope {
            id,
            queue: queue.into(),
            priority,
            body: body.unwrap_or_else(|| "{}".into()),
            headers,
            metadata,
            available,
            key,
            ..message(name)
        };
        Story { envelope, fate }
    })
}

const ERROR_VALUES: [&str; 9] =
    ["refused", "REFUSED", "\"100%\"", "conn*by", "\"\\\"QUOTA\"", "\"(a.b)\"", "é", "*", "stale"];
const TEXTS: [&str; 11] =
    ["a", "refused", "9007199254740993", "\"a.b (c)\"", "\"\\\": \"", "100", "🦀", "b\\\\s", "\"l\\n\"", "é", "[*]"];
const INSTANTS: [&str; 6] =
    ["created:>-1h", "created:<-1h", "created:>2020-01-01", "created:2020-01-01", "finished:>-30d", "finished:<-1h"];

/// A term that finds some of the stories, if it is one.
fn term(ids: Vec<Uuid>) -> impl Strategy<Value = String> {
    let any =
        |list: &'static [&'static str]| prop::collection::vec(select(list), 1..3).prop_map(|it| it.join(",")).boxed();
    let named =
        |name: &'static str, values: BoxedStrategy<String>| values.prop_map(move |it| format!("{name}:{it}")).boxed();
    let sign = select(vec!["", "", ">", ">=", "<", "<="]);
    let leaf = select(&LEAVES[..]).prop_map(|it| match serde_json::from_str::<String>(it) {
        Ok(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Err(_) => it.to_owned(),
    });
    let bare =
        select(vec!["*", "a*", "*b", "*b*", "a", "7*", "\"\"*", "*%*", "*.*", "*\"*\"*", "2026*", "*é*", "7", "true"]);
    let value = prop_oneof![(sign, leaf).prop_map(|(sign, it)| format!("{sign}{it}")), bare.prop_map(str::to_owned)];
    let path = prop::collection::vec(select(vec!["a", "b", "\"a.b\"", "\"c d\"", "é", "0"]), 1..4);
    let root = select(vec!["payload", "header", "metadata"]);
    let json = (root, path, prop::collection::vec(value, 1..3))
        .prop_map(|(root, path, values)| format!("{root}.{}:{}", path.join("."), values.join(",")));
    let number = (select(vec!["priority", "attempts", "crashes"]), select(vec!["", ">", ">=", "<", "<="]), 0..10)
        .prop_map(|(name, sign, number)| format!("{name}:{sign}{number}"));
    let id = prop::collection::vec(select(ids), 1..4)
        .prop_map(|ids| format!("id:{}", ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",")));
    let one = prop_oneof![
        6 => json,
        2 => number,
        1 => id,
        1 => named("type", any(&["Email", "Sms", "S*", "*a*", "é\"*\"", "é*", "email", "*"])),
        1 => named("queue", any(&["bulk", "default", "\"a,b\"", "*\",\"*"])),
        1 => named("transport", any(&["main", "other", "m*"])),
        1 => named("status", any(&["pending", "processing", "completed", "discarded", "cancelled", "failed"])),
        1 => named("key", any(&["welcome/*", "Welcome\\*", "*\\\"*", "*", "*_*", "x"])),
        1 => named("class", any(&["SmtpError", "Smtp*", "*", "smtperror"])),
        2 => named("error", any(&ERROR_VALUES)),
        2 => any(&TEXTS),
        1 => any(&INSTANTS),
        1 => any(&["waited:>1h", "waited:<1h"]),
    ];
    (prop::bool::ANY, one).prop_map(|(negated, it)| format!("{}{it}", if negated { "-" } else { "" }))
}

/// What somebody types who wants to break out.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "payload[.](a|\"(\\PC|[\"\\\\$.*@])\"):",
        "(type|error|key|class|queue|text):",
        "[\"'\\\\;$@?*()|&!<>=,{}\\[\\]-]",
        "\\$1|'; DROP TABLE x; --|/[*]|\\\\u0000|\\\\x|\\\\|\"\\\\|[.]type\\(\\)|like_regex|flag|\\^|\\*\\*\\*:",
        "\\PC",
        "[a-z0-9 ]{1,3}",
        any::<char>().prop_map(|it| it.to_string()),
    ];
    let quoted = prop::collection::vec("\\PC|[\"'\\\\;$@?*()|&!<>{}\\[\\]^+.\n\t\u{1}\u{7f}]", 0..12)
        .prop_map(|it| it.concat().replace('\\', "\\\\").replace('"', "\\\""))
        .prop_map(|it| format!("\"{it}\""));
    let keyed = (
        select(vec!["payload.a", "header.b", "error", "type", "key", "text"]),
        "(|>|<=|[*]|x[*])",
        quoted.clone(),
        "[*]?",
    )
        .prop_map(|(name, before, text, after)| format!("{name}:{before}{text}{after}"));
    let path = (quoted, "[a-z7]{1,2}").prop_map(|(name, value)| format!("payload.{name}.{name}:{value}"));
    prop_oneof![
        prop::collection::vec(piece, 0..12).prop_map(|it| it.concat()),
        prop::collection::vec(keyed, 1..4).prop_map(|it| it.join(" ")),
        path,
        (1..600_usize).prop_map(|length| format!("error:{}", "(é*".repeat(9) + &"[".repeat(length))),
        (1..20_usize).prop_map(|length| format!("payload{}:1", ".a".repeat(length))),
    ]
}

/// Lets all stories come to pass in one store.
async fn tell(subject: &dyn Subject, stories: &[Story]) {
    let transport = subject.transport();
    let (first, second): (Vec<_>, Vec<_>) =
        stories.iter().cloned().partition(|it| !matches!(it.fate, Fate::Waits | Fate::IsLater | Fate::IsCancelled));
    put(&transport, first.iter().map(|it| it.envelope.clone()).collect()).await;
    let worker = Worker::of(&transport);
    for claimed in worker.claim(1000).await {
        let fate = first.iter().find(|it| it.envelope.id == claimed.id).unwrap().fate;
        let outcome = match fate {
            Fate::Waits | Fate::IsLater | Fate::IsCancelled | Fate::Runs => continue,
            Fate::IsDone => Outcome::Completed,
            Fate::IsDiscarded => Outcome::Discarded { reason: "stale".to_owned() },
            Fate::IsDead(error) => bury(error),
            Fate::HasFailed(error) => {
                Outcome::Retry { delay: Duration::from_secs(600), failure: failure(error), handled: Vec::new() }
            }
        };
        worker.settle(&claimed, outcome).await;
    }
    subject.advance(HOUR + HOUR).await;
    put(&transport, second.iter().map(|it| it.envelope.clone()).collect()).await;
    for it in second.iter().filter(|it| it.fate == Fate::IsCancelled) {
        transport.inspects().unwrap().cancel(it.envelope.id, &Because::default()).await.unwrap();
    }
}

/// Asks every store; all have to answer the same. Says how many were found.
async fn ask(subjects: &[Arc<dyn Subject>], query: &str, stories: &[Story]) -> usize {
    let shown =
        |ids: &[Uuid]| -> Vec<_> { stories.iter().filter(|it| ids.contains(&it.envelope.id)).cloned().collect() };
    let mut found = 0;
    if parse(query, List::Messages).is_ok() {
        let [memory, others @ ..] = subjects else { panic!("no store") };
        let expected = messages(&memory.transport(), query).await;
        for other in others {
            let ids = messages(&other.transport(), query).await;
            assert!(ids == expected, "{query}\nmemory: {:#?}\nPostgres: {:#?}", shown(&expected), shown(&ids));
        }
        found += expected.len();
    }
    if parse(query, List::DeadLetters).is_ok() {
        let [memory, others @ ..] = subjects else { panic!("no store") };
        let expected = letters(&memory.transport(), query).await;
        for other in others {
            let it = letters(&other.transport(), query).await;
            assert!(it == expected, "{query}\nmemory: {:#?}\nPostgres: {:#?}", shown(&expected.0), shown(&it.0));
        }
        found += expected.0.len();
    }
    found
}

fn sample<T: std::fmt::Debug>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

/// Asks three stores in which the same has come to pass. Says how many queries found something.
fn ask_all(queries: impl FnOnce(&[Story]) -> Vec<String>) -> usize {
    let stories = sample(&mut TestRunner::default(), &prop::collection::vec(story(), 60));
    let queries = queries(&stories);
    let finding = Arc::new(AtomicUsize::new(0));
    run(async {
        let memory = Arc::new(Memory::fresh(json!({})).await);
        let postgres = Arc::new(Postgres::fresh(json!({})).await);
        let pooled = Arc::new(Pooled::fresh(json!({})).await);
        let subjects: Vec<Arc<dyn Subject>> = vec![memory, postgres, pooled];
        let (all, finding) = (subjects.clone(), finding.clone());
        let outcome = attempt(async move {
            for subject in &all {
                tell(&**subject, &stories).await;
            }
            for query in queries {
                let found = ask(&all, &query, &stories).await > 0;
                finding.fetch_add(usize::from(found), Ordering::Relaxed);
            }
        });
        let outcome = outcome.await;
        for subject in subjects {
            subject.tear_down().await;
        }
        pass_on(outcome);
    });
    finding.load(Ordering::Relaxed)
}

#[test]
fn any_query_finds_the_same_in_every_store() {
    let finding = ask_all(|stories| {
        let ids = stories.iter().map(|it| it.envelope.id).chain([Uuid::nil()]).collect();
        let terms = prop::collection::vec(term(ids), 1..4);
        let mut runner = TestRunner::default();
        (0..150).map(|_| sample(&mut runner, &terms).join(" ")).collect()
    });
    assert!(finding > 20, "{finding}: a test whose queries find nothing says nothing");
}

#[test]
fn no_query_is_an_error_of_sql() {
    let mut runner = TestRunner::default();
    let hostile = hostile().prop_filter("a query", |it| parse(it, List::Messages).is_ok());
    ask_all(|_| (0..150).map(|_| sample(&mut runner, &hostile)).collect());
}
