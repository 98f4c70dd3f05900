//! Every rule of the configuration, key by key.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::keys::Keys;
use super::model::read;
use super::*;
use crate::error::Error;

fn config(settings: Value) -> Config {
    read(&settings).unwrap()
}

/// Key and text of the error.
fn error(settings: Value) -> (String, String) {
    match read(&settings).unwrap_err() {
        Error::InvalidConfiguration { key, got, wants } => (key, format!("got {got}, wants {wants}")),
        other => panic!("{other:?}"),
    }
}

/// Each `value` of `key` (a JSON pointer) is refused at the dotted key with a text that contains `wants`.
fn refuses(key: &str, wants: &str, values: &[Value]) {
    for value in values {
        let settings =
            key.rsplit('/').filter(|part| !part.is_empty()).fold(value.clone(), |inner, part| json!({ part: inner }));
        let (dotted, problem) = error(settings);
        assert_eq!(dotted, key[1..].replace('/', "."), "{value}");
        assert!(problem.contains(wants), "{key} = {value}: {problem}");
    }
}

#[test]
fn nothing_is_the_default() {
    let bare = Config { transports: BTreeMap::new(), ..Config::default() };
    assert_eq!(config(json!({})), bare);
    assert_eq!(config(json!({ "worker": null, "retry": { "default": null } })), bare);
}

#[test]
fn unknown_keys_are_refused_at_every_level() {
    for (settings, key, meant) in [
        (json!({ "defaulttransport": "a" }), "defaulttransport", "defaultTransport"),
        (json!({ "transport": {} }), "transport", "transports"),
        (json!({ "transports": { "a": { "type": "sync", "queu": 1 } } }), "transports.a.queu", "queue"),
        (json!({ "priorityRouting": [{ "transport": "a", "type": "b" }] }), "priorityRouting[0].type", "types"),
        (json!({ "retry": { "default": { "max_retries": 1 } } }), "retry.default.max_retries", "maxRetries"),
        (json!({ "retry": { "Email*": { "delays": 1 } } }), "retry.Email*.delays", "delay"),
        (json!({ "worker": { "batchsize": 1 } }), "worker.batchsize", "batchSize"),
        (json!({ "deduplication": { "windows": 1 } }), "deduplication.windows", "window"),
        (json!({ "retention": { "complete": 1 } }), "retention.complete", "completed"),
        (json!({ "payload": { "maxByte": 1 } }), "payload.maxByte", "maxBytes"),
        (json!({ "database": { "URL": "a" } }), "database.URL", "url"),
        (json!({ "health": { "degraded": {} } }), "health.degraded", "warning"),
        (json!({ "health": { "unhealthy": {} } }), "health.unhealthy", "error"),
        (json!({ "health": { "errors": {} } }), "health.errors", "error"),
    ] {
        let (found, problem) = error(settings);
        assert_eq!(found, key);
        assert!(problem.starts_with("got an unknown key, wants one of "), "{problem}");
        assert!(problem.ends_with(&format!("did you mean \"{meant}\"?")), "{problem}");
    }
    let (_, problem) = error(json!({ "zzz": 1 }));
    assert_eq!(
        problem,
        format!("got an unknown key, wants one of {}", [Config::names(), vec!["environments"]].concat().join(", "))
    );
}

#[test]
fn sections_are_objects() {
    for key in
        ["/transports", "/transports/a", "/routing", "/retry", "/retry/default", "/retry/A", "/worker", "/database"]
    {
        refuses(key, "wants an object", &[json!("text"), json!(5), json!([]), json!(true)]);
    }
}

#[test]
fn names_are_names() {
    refuses("/defaultTransport", "wants a name of 1 to 190", &[json!(""), json!("x".repeat(191)), json!(5), json!({})]);
    refuses("/defaultQueue", "wants a name of 1 to 190", &[json!(""), json!("a\0b"), json!(" a")]);
    refuses("/defaultPriority", "wants a whole number from 1 to 10", &[json!(0), json!(11), json!(5.5), json!("5")]);
    assert_eq!(config(json!({ "defaultPriority": 10 })).default_priority, 10);
}

#[test]
fn transports_have_a_known_type() {
    let transports = config(json!({ "transports": {
        "email": { "type": "supabase", "queue": "email", "priority": 7, "enabled": false },
        "cache": { "type": "redis", "options": { "a": 1 } },
        "default": { "type": "memory" },
    }}))
    .transports;
    assert_eq!(transports["email"].kind, TransportKind::Supabase);
    assert_eq!(transports["email"].queue.as_deref(), Some("email"));
    assert_eq!(transports["email"].priority, Some(7));
    assert!(!transports["email"].enabled && transports["cache"].enabled);
    assert_eq!(transports["cache"].options, json!({ "a": 1 }));
    assert_eq!(transports["default"].kind, TransportKind::Memory, "an object named `default` is a transport");

    let kinds = "wants one of postgres, supabase, sync, memory, redis, rabbitmq, sqs";
    refuses("/transports/a/type", kinds, &[json!("kafka"), json!("Postgres"), json!(1)]);
    let (key, problem) = error(json!({ "transports": { "a": {} } }));
    assert_eq!((key.as_str(), problem.as_str()), ("transports.a.type", &*format!("got nothing, {kinds}")));
    let (key, problem) = error(json!({ "transports": { "": { "type": "sync" } } }));
    assert!(key == "transports" && problem.starts_with("got \"\", wants a name"), "{key} {problem}");
    let of = |field: &str, value: Value| error(json!({ "transports": { "a": { "type": "sync", field: value } } }));
    assert_eq!(of("queue", json!("")).0, "transports.a.queue");
    assert_eq!(of("priority", json!(0)).0, "transports.a.priority");
    assert_eq!(of("enabled", json!("yes")).0, "transports.a.enabled");
    assert_eq!(of("options", json!([])).0, "transports.a.options");
    assert_eq!(of("options", json!({ "lease": 5 })).0, "transports.a.options.lease");
}

#[test]
fn routes_go_to_one_or_more_transports() {
    let routing = config(json!({ "routing": { "A": "x", "B*": ["x", "not-yet-there"], "*": "z" } })).routing;
    assert_eq!(routing["A"], ["x"]);
    assert_eq!(routing["B*"], ["x", "not-yet-there"]);
    refuses("/routing/A", "wants a name", &[json!(""), json!(5), json!([""]), json!(["a", {}])]);
    refuses("/routing/A", "got an empty array, wants at least one", &[json!([])]);
    refuses("/routing", "wants an object", &[json!([["A", "x"]])]);
    for bad in ["", "Em*il", "*x", " A"] {
        let (key, problem) = error(json!({ "routing": { bad: "x" } }));
        assert!(key == "routing" && problem.contains("wants a message type"), "{key} {problem}");
    }
}

#[test]
fn priority_routes_have_a_range() {
    let rules = config(json!({ "priorityRouting": [
        { "min": 8, "transport": "fast", "types": ["Email*", "Sms"] },
        { "max": 2, "transport": ["slow", "log"], "types": "A" },
        { "min": 5, "max": 5, "transport": "mid" },
    ]}))
    .priority_routing;
    assert_eq!((rules[0].min, rules[0].max, rules[0].types.len()), (8, 10, 2));
    assert_eq!((rules[1].min, rules[1].max, rules[1].transports.len()), (1, 2, 2));
    assert_eq!((rules[2].min, rules[2].max), (5, 5));

    refuses("/priorityRouting", "wants an array of", &[json!({}), json!("fast")]);
    let of = |rule: Value| error(json!({ "priorityRouting": [{ "transport": "a" }, rule] }));
    for (rule, key, problem) in [
        (json!("fast"), "priorityRouting[1]", "wants an object"),
        (json!({}), "priorityRouting[1].transport", "got nothing, wants a name"),
        (json!({ "transport": [] }), "priorityRouting[1].transport", "at least one"),
        (json!({ "transport": "a", "min": 0 }), "priorityRouting[1].min", "from 1 to 10"),
        (json!({ "transport": "a", "max": 11 }), "priorityRouting[1].max", "from 1 to 10"),
        (
            json!({ "transport": "a", "min": 7, "max": 6 }),
            "priorityRouting[1].max",
            "got 6, wants a whole number from 7 to 10",
        ),
        (json!({ "transport": "a", "types": ["a*b"] }), "priorityRouting[1].types", "wants a message type"),
        (json!({ "transport": "a", "types": [] }), "priorityRouting[1].types", "at least one"),
    ] {
        let (found, text) = of(rule);
        assert!(found == key && text.contains(problem), "{found}: {text}");
    }
}

#[test]
fn retry_entries_are_partial_over_the_default() {
    let config = config(json!({ "retry": {
        "default": { "maxRetries": 9, "jitter": 0 },
        "EmailMessage": { "delay": "2s" },
        "Sms*": { "multiplier": 1, "maxDelay": 0 },
    }}));
    let default = RetryStrategy { max_retries: 9, jitter: 0.0, ..RetryStrategy::BUILT_IN };
    assert_eq!(config.retry_for("Other"), &default);
    assert_eq!(config.retry_for("EmailMessage"), &RetryStrategy { delay: 2_000.0, ..default.clone() });
    assert_eq!(config.retry_for("SmsDrip"), &RetryStrategy { multiplier: 1.0, max_delay: 0.0, ..default });
}

#[test]
fn retry_values_have_bounds() {
    refuses(
        "/retry/default/maxRetries",
        "wants a whole number from 0 to",
        &[json!(-1), json!(1.5), json!(3_000_000_000_u32)],
    );
    refuses("/retry/A/delay", "wants a duration from 0ms to 36525d", &[json!(-1), json!("x"), json!("36526d")]);
    refuses("/retry/A/multiplier", "wants a number of 1 or more", &[json!(0.9), json!("2")]);
    refuses("/retry/A/maxDelay", "wants a duration", &[json!(-1), json!(true)]);
    refuses("/retry/A/jitter", "wants a number from 0 to 1", &[json!(-0.1), json!(1.1)]);
    let (key, _) = error(json!({ "retry": { "A*B": {} } }));
    assert_eq!(key, "retry");
}

#[test]
fn a_strategy_alone_is_partial_over_the_built_in_one() {
    let expected = RetryStrategy { delay: 250.5, ..RetryStrategy::BUILT_IN };
    assert_eq!(retry_strategy_from_json(&json!({ "delay": 250.5 })).unwrap(), expected);
    assert_eq!(retry_strategy_from_json(&json!(null)).unwrap(), RetryStrategy::BUILT_IN);
    let error = retry_strategy_from_json(&json!({ "jitter": 2 })).unwrap_err().to_string();
    assert_eq!(error, "strategy.jitter: got 2, wants a number from 0 to 1");
}

#[test]
fn worker_values_have_bounds() {
    let worker = config(json!({ "worker": {
        "batchSize": 10_000, "maxConcurrency": 1, "pollInterval": "1ms", "lease": "1s", "maxCrashes": 2,
        "handlerTimeout": "5m", "shutdownTimeout": 0,
    }}))
    .worker;
    assert_eq!(
        worker,
        WorkerConfig {
            batch_size: 10_000,
            max_concurrency: 1,
            poll_interval: Duration::from_millis(1),
            lease: Duration::from_secs(1),
            max_crashes: 2,
            handler_timeout: Some(Duration::from_mins(5)),
            shutdown_timeout: Duration::ZERO,
        }
    );
    assert_eq!(config(json!({ "worker": { "handlerTimeout": 0 } })).worker.handler_timeout, None);

    refuses("/worker/batchSize", "wants a whole number from 1 to 10000", &[json!(0), json!(10_001), json!("10")]);
    refuses("/worker/maxConcurrency", "wants a whole number from 1 to 10000", &[json!(0), json!(10_001)]);
    refuses("/worker/pollInterval", "wants a duration from 1ms", &[json!(0), json!("30")]);
    refuses("/worker/lease", "wants a duration from 1s", &[json!(999), json!("25d")]);
    refuses("/worker/maxCrashes", "wants a whole number from 2 to 1000", &[json!(1), json!(1_001), json!("3")]);
    refuses("/worker/handlerTimeout", "wants a duration from 0ms", &[json!(-1), json!(false)]);
    refuses("/worker/shutdownTimeout", "wants a duration from 0ms", &[json!("forever"), json!("30d")]);
}

#[test]
fn deduplication_retention_and_payload_have_bounds() {
    let window = |window: &str| config(json!({ "deduplication": { "window": window } })).deduplication.window;
    assert_eq!([window("7d"), window("forever")], [Retention::For(Duration::from_hours(168)), Retention::Forever]);
    refuses("/deduplication/window", "wants a duration from 1ms to 36525d", &[json!(0), json!("none")]);

    let kept = |completed: Value| config(json!({ "retention": { "completed": completed } })).retention.completed;
    assert_eq!(kept(json!("none")), Retention::None);
    assert_eq!(kept(json!("forever")), Retention::Forever);
    assert_eq!(kept(json!("1h")), Retention::For(Duration::from_hours(1)));
    refuses("/retention/completed", ", or \"forever\", or \"none\"", &[json!(0), json!("never"), json!(false)]);
    refuses("/retention/failed", "30d, or \"forever\"", &[json!("none"), json!(0)]);

    refuses("/retention/metrics", "30d, or \"forever\"", &[json!("none"), json!(0)]);
    assert_eq!(config(json!({ "payload": { "maxBytes": 268_435_455 } })).payload.max_bytes, 268_435_455);
    for key in ["/payload/maxBytes", "/payload/maxHeadersBytes", "/payload/maxMetadataBytes"] {
        let refused = [json!(0), json!(268_435_456), json!("1MB")];
        refuses(key, "wants a whole number from 1 to 268435455", &refused);
    }
}

#[test]
fn the_database_is_postgres() {
    let database = config(json!({ "database": {
        "url": "postgres://u:p@h:6543/d", "directUrl": "postgresql://u:p@h:5432/d",
        "schema": "_Queue9", "poolSize": 1000,
        "pooled": false, "statementTimeout": "1m", "connectTimeout": 1, "idleTimeout": "1m",
    }}))
    .database;
    assert_eq!(
        database,
        DatabaseConfig {
            url: Some("postgres://u:p@h:6543/d".to_owned()),
            direct_url: Some("postgresql://u:p@h:5432/d".to_owned()),
            schema: "_Queue9".to_owned(),
            pool_size: 1000,
            pooled: Some(false),
            statement_timeout: Duration::from_mins(1),
            connect_timeout: Duration::from_millis(1),
            idle_timeout: Duration::from_mins(1),
        }
    );
    let urls = [json!("mysql://h/d"), json!("postgres:/h"), json!(""), json!(5), json!({ "host": "h" })];
    refuses("/database/url", "wants a URL that starts with postgres:// or postgresql://", &urls);
    refuses("/database/directUrl", "wants a URL that starts with postgres:// or postgresql://", &urls);
    refuses("/database/poolSize", "wants a whole number from 1 to 1000", &[json!(0), json!(1001)]);
    refuses("/database/pooled", "wants true or false", &[json!("true"), json!(1)]);
    refuses("/database/statementTimeout", "wants a duration from 1ms to 2147483647ms", &[json!(0), json!("25d")]);
    refuses("/database/connectTimeout", "wants a duration from 1ms", &[json!(0)]);
    refuses("/database/idleTimeout", "wants a duration from 1ms", &[json!(0)]);
}

#[test]
fn the_schema_is_an_identifier() {
    for schema in ["symphony", "public", "a", "_x1", &"x".repeat(63), "p", "pgx"] {
        assert_eq!(config(json!({ "database": { "schema": schema } })).database.schema, schema);
    }
    let bad = ["", "a-b", "a b", "a.b", "a\"b", "1a", "pg_x", "PG_x", "pg_", "zażółć", &"x".repeat(64)];
    refuses("/database/schema", "wants a schema name", &bad.map(|schema| json!(schema)));
}

#[test]
fn errors_never_show_a_password() {
    for settings in [
        json!({ "database": { "url": "mysql://u:hunter2@h" } }),
        json!({ "database": { "url": "hunter2" } }),
        json!({ "database": { "password": "hunter2" } }),
        json!({ "database": { "url": { "password": "hunter2" } } }),
        json!({ "database": "postgres://u:hunter2@h" }),
        json!({ "transports": { "cache": "redis://:hunter2@h" } }),
        json!({ "transports": { "cache": { "type": "redis://:hunter2@h" } } }),
    ] {
        let (key, problem) = error(settings);
        assert!(!problem.contains("hunter2"), "{key}: {problem}");
    }
}
