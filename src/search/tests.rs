//! The language as a whole: what is read, what is refused and where, what is written again.

use super::*;
use crate::error::{Error, QueryProblem};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

fn query(text: &str) -> Query {
    parse(text, List::Messages).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str, list: List) -> QueryProblem {
    match parse(text, list) {
        Err(Error::InvalidQuery(problem)) => *problem,
        other => panic!("{text}: {other:?}"),
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}

fn facts() -> Facts<'static> {
    Facts {
        id: Uuid::from_u128(7),
        letter: None,
        message_type: "EmailMessage",
        transport: "main",
        queue: "bulk",
        status: "pending",
        priority: 7,
        attempts: 3,
        crashes: 0,
        key: Some("welcome/7"),
        class: Some("SmtpError"),
        error: Some("Connection refused by \"mx\""),
        created: now() - TimeDelta::minutes(90),
        finished: None,
        due_since: Some(now() - TimeDelta::seconds(30)),
        payload: r#"{"user":{"id":123,"plan":"pro"},"big":9007199254740993,"tags":["vip","new"],"at":"2026-05-01",
            "items":[{"sku":"a-1","n":2},{"sku":"b-2","n":5}],"none":null,"ok":true,"digits":"123","a.b":1}"#,
        headers: r#"{"tenant":"acme"}"#,
        metadata: "{}",
        now: now(),
    }
}

#[test]
fn what_matches() {
    for text in [
        "",
        "   ",
        "type:EmailMessage",
        "type:Sms,Email*",
        "-type:Sms type:*Mess*",
        "status:pending,failed",
        "-status:completed",
        "priority:7 priority:>=7 priority:<8 priority:1,7 -priority:>7",
        "attempts:>=3 crashes:0",
        "queue:\"bulk\" transport:m*n",
        "key:welcome/* key:*",
        "class:SmtpError class:Smtp*",
        "error:\"connection REFUSED\" error:conn*\"by \\\"mx\\\"\"",
        "refused",
        "pro",
        "\"user\\\": {\\\"id\\\": 123\"",
        "nothing,refused",
        "-nothing",
        "created:>-2h created:<-1h created:>=2020-01-01 created:<2100-01-01T00:00:00Z",
        "created:2026-05-28",
        "waited:>10s waited:<=30s waited:<1m",
        "id:00000000-0000-0000-0000-000000000007",
        "payload.user.id:123 payload.user.id:123.0 payload.user.id:1.23e2 payload.user.id:>122.5",
        "payload.digits:123 payload.digits:\"123\" payload.digits:12*",
        "payload.big:9007199254740993 -payload.big:9007199254740992 payload.big:>9007199254740992",
        "payload.tags:vip -payload.tags:VIP payload.tags:v*",
        "payload.items.sku:b-2 payload.items.n:>4",
        "payload.none:null payload.none:* payload.ok:true payload.\"a.b\":1",
        "payload.at:>=2026-04 payload.at:<2026-06-01",
        "header.tenant:acme -metadata.tenant:*",
        "-payload.user.name:x -payload.user.id:\"123\"",
        "payload.user:* -payload.user:x",
    ] {
        assert!(query(text).matches(&facts()), "{text}");
    }
}

#[test]
fn what_does_not() {
    for text in [
        "type:email*",
        "type:EmailMessage -queue:bulk",
        "-type:Sms,Email*",
        "status:completed",
        "-status:pending,failed",
        "priority:<7",
        "key:welcome",
        "finished:>2000-01-01",
        "created:>-1h",
        "created:2026-05-29",
        "waited:>30s",
        "error:\"conn*refused\"",
        "nothing",
        "payload.user.id:\"123\"",
        "payload.user.id:12*",
        "payload.user.id:>=123.0000001",
        "payload.digits:>1",
        "payload.user.id:<zzz",
        "payload.tags:vi",
        "payload.user:pro",
        "payload.ok:\"true\"",
        "payload.big:9007199254740992",
        "payload.a.b:1",
        "header.Tenant:acme",
    ] {
        assert!(!query(text).matches(&facts()), "{text}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, character, length, found, wants) in [
        ("prioritty:7", 1, 9, "prioritty", "did you mean \"priority\"?; put text in quotes"),
        ("type:A stauts:failed", 8, 6, "stauts", "did you mean \"status\"?"),
        ("http://x", 1, 4, "http", "put text in quotes"),
        ("status:faild", 8, 5, "faild", "did you mean \"failed\"?"),
        ("status:pending,done", 16, 4, "done", "one of pending, processing"),
        ("status:c*", 8, 2, "c*", "one of pending"),
        ("🦀 priority:high", 13, 4, "high", "a whole number, as priority:7 or priority:>=7"),
        ("priority:-1", 10, 2, "-1", "a whole number"),
        ("priority:", 10, 0, "", "a value"),
        ("type:A,", 8, 0, "", "a value"),
        ("type:A,,B", 8, 0, "", "a value"),
        ("type:>A", 6, 2, ">A", "no >: type is not compared"),
        ("error:\"connection refused", 7, 19, "\"connection refused", "a second quote"),
        ("- type:A", 2, 0, "", "a value"),
        ("(type:A)", 1, 1, "(", "no parentheses"),
        ("type:A OR type:B", 8, 2, "OR", "commas separate alternatives"),
        ("created:-1h", 9, 3, "-1h", "a comparison, as created:>-1h"),
        ("created:>yesterday", 9, 10, ">yesterday", "a span before now, a day or an instant"),
        ("created:>-1week", 9, 7, ">-1week", "a span before now"),
        ("finished:>2026-02-30", 10, 11, ">2026-02-30", "a day"),
        ("waited:10s", 8, 3, "10s", "a comparison with a duration"),
        ("waited:>10", 8, 3, ">10", "units are ms, s, m, h and d"),
        ("id:7", 4, 1, "7", "a UUID"),
        ("payload:x", 1, 7, "payload", "a path, as payload.user.id"),
        ("type.x:y", 1, 6, "type.x", "type alone"),
        ("payload.a:>x*", 11, 3, ">x*", "without star"),
        ("a\0b", 2, 1, "\0", "without NUL"),
        ("status:failed", 1, 13, "status:failed", "listFailed()"),
    ] {
        let problem = refused(text, List::Messages);
        let place = (problem.character, problem.length, &*problem.found);
        assert_eq!(place, (character, length, found), "{text}: {problem}");
        assert!(problem.wants.contains(wants), "{text}: {problem}");
    }
    assert!(refused("status:pending", List::DeadLetters).wants.contains("listMessages()"));
    assert!(refused("waited:>1s", List::DeadLetters).wants.contains("no dead letter waits"));
    parse("status:failed,pending -status:pending", List::DeadLetters).unwrap();
}

#[test]
fn a_query_is_bounded() {
    let wants = |text: &str| refused(text, List::Messages).wants;
    assert_eq!(wants(&"x".repeat(MAX_LENGTH + 1)), "at most 2000 characters");
    assert_eq!(wants(&"x ".repeat(MAX_VALUES + 1)), "at most 50 values");
    assert_eq!(wants(&"ab*".repeat(MAX_STARS + 1)), "at most 10 stars");
    assert_eq!(wants(&format!("payload{}:1", ".a".repeat(MAX_DEPTH + 1))), "at most 20 names in a path");
    query(&"x".repeat(MAX_LENGTH));
    query(&"x ".repeat(MAX_VALUES));
    query(&"ab*".repeat(MAX_STARS));
    query(&format!("payload{}:1", ".a".repeat(MAX_DEPTH)));
}

#[test]
fn an_error_says_what_to_do() {
    let error = parse("type:A prioritty:7", List::Messages).unwrap_err();
    assert_eq!((error.code(), error.class()), ("SYMPHONY_INVALID_QUERY", "ConfigurationError"));
    assert_eq!(
        error.to_string(),
        "query: got \"prioritty\" at character 8, wants one of type, status, queue, transport, priority, error, class, \
         attempts, crashes, created, finished, waited, key, id, text, payload, header, metadata; did you mean \
         \"priority\"?; put text in quotes"
    );
    assert_eq!((&error.details()["character"], &error.details()["length"]), (&8.into(), &9.into()));
    assert!(parse("priority:", List::Messages).unwrap_err().to_string().contains("got nothing at character 10"));
}

#[test]
fn states_and_ids_are_known_beforehand() {
    let allowed = |text: &str| -> Vec<_> {
        let query = query(text);
        List::Messages.statuses().iter().filter(|it| query.allows(it)).copied().collect()
    };
    assert_eq!(allowed("status:pending,completed -status:completed"), ["pending"]);
    assert_eq!(allowed("-status:failed,pending"), ["processing", "completed", "discarded", "cancelled"]);
    assert_eq!(allowed("status:pending status:completed"), [""; 0]);
    let id = Uuid::from_u128;
    assert_eq!(query(&format!("id:{},{}", id(9), id(3))).ids(), Some((id(3), id(9))));
    assert_eq!(query(&format!("-id:{}", id(9))).ids(), None);
}

#[test]
fn transports_without_a_star_can_be_renamed() {
    let mut query = query("transport:postgres,a* -transport:b type:postgres");
    query.transports().for_each(|it| *it = Pattern::exactly("supabase"));
    assert_eq!(query.to_string(), "transport:supabase,a* -transport:supabase type:postgres");
}

/// Texts in which most terms are nearly right.
fn nearly() -> impl Strategy<Value = String> {
    let name = "(-|--)?(type|status|queue|transport|priority|error|class|attempts|crashes|created|finished|waited\
        |key|id|text|payload|header|metadata|statis)?([.]([a-c]|\"[.:\\\\]{0,3}\"?))?:?";
    let value = "(>|>=|<|<=|=)?(pending|failed|[a-z*]{0,3}|-?[0-9]{1,3}(ms|s|h|d)?|true|null\
        |-?[0-9]{1,3}([.][0-9])?(e[0-9]{1,3})?|2026-0[1-3]-[0-3][0-9]|2026-11-30T10:00:00(Z|[+]02:00|[.]5Z)|\"(\\PC|\\\\\"|[<>*, ]){0,4}\"?|\\PC{0,2})";
    vec((name, vec(value, 0..3)).prop_map(|(name, values)| name + &values.join(",")), 0..4).prop_map(|it| it.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_query_or_has_a_place_where_it_is_wrong(
        text in prop_oneof![nearly(), "\\PC*".boxed(), any::<String>()],
    ) {
        for list in [List::Messages, List::DeadLetters] {
            match parse(&text, list) {
                Ok(query) => { query.matches(&facts()); }
                Err(Error::InvalidQuery(problem)) => {
                    let units: Vec<u16> = text.encode_utf16().collect();
                    let from = problem.character - 1;
                    prop_assert!(from + problem.length <= units.len(), "{problem}");
                    prop_assert_eq!(String::from_utf16(&units[from..from + problem.length]).unwrap(), problem.found);
                }
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }

    #[test]
    fn a_query_that_is_written_again_is_the_same(text in nearly()) {
        if let Ok(query) = parse(&text, List::Messages) {
            let written = query.to_string();
            let again = parse(&written, List::Messages);
            prop_assert_eq!(again.map_err(|error| format!("{written}: {error}")), Ok(query));
        }
    }
}
