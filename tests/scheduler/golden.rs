//! A table of next runs that was made by another implementation, see the head of `golden.txt`.

use chrono::DateTime;
use std::collections::BTreeSet;
use symphony::scheduler::{Question, next_runs};

const TABLE: &str = include_str!("golden.txt");

#[test]
fn every_run_of_the_table_is_found() {
    let mut zones = BTreeSet::new();
    let mut wrong = Vec::new();
    let rows: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
    for row in &rows {
        let mut parts = row.split(" | ");
        let (zone, expression) = (parts.next().unwrap(), parts.next().unwrap());
        let (after, runs) = (parts.next().unwrap(), parts.next().unwrap());
        zones.insert(zone);
        let after = millis(after);
        let expected: Vec<i64> = runs.split_whitespace().map(millis).collect();
        let question = Question {
            timezone: Some(zone.to_owned()),
            from: after as f64,
            count: Some(expected.len() as f64),
            ..Question::default()
        };
        let found: Vec<_> = next_runs(expression, &question).unwrap();
        if found.iter().map(DateTime::timestamp_millis).ne(expected) {
            wrong.push(format!("{row}\n    found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert!(rows.len() >= 120 && zones.len() >= 8, "{} rows, {} zones", rows.len(), zones.len());
}

/// `2026-03-08T03:00-04:00`, with or without seconds.
fn millis(text: &str) -> i64 {
    let (clock, offset) = text.split_at(text.len() - 6);
    let seconds = if clock.matches(':').count() == 1 { ":00" } else { "" };
    DateTime::parse_from_rfc3339(&format!("{clock}{seconds}{offset}")).unwrap().timestamp_millis()
}
