//! How two crates for cron expressions fare with the table of next runs that the scheduler is tested with.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::str::FromStr;

const TABLE: &str = include_str!("../../../../tests/scheduler/golden.txt");

struct Row {
    zone: Tz,
    expression: String,
    after: DateTime<Utc>,
    runs: Vec<DateTime<Utc>>,
}

#[derive(Default)]
struct Tally {
    right: usize,
    wrong: usize,
    refused: usize,
    example: Option<String>,
}

fn main() {
    let rows: Vec<Row> = TABLE.lines().filter(|line| !line.starts_with('#')).map(read).collect();
    println!("{} rows of tests/scheduler/golden.txt\n", rows.len());
    println!("{:<14}{:>7}{:>7}{:>9}", "crate", "right", "wrong", "refused");
    report("cron 0.17", &rows, with_cron);
    report("croner 4", &rows, with_croner);
}

fn report(name: &str, rows: &[Row], runs: impl Fn(&Row) -> Option<Vec<DateTime<Utc>>>) {
    let mut tally = Tally::default();
    for row in rows {
        match runs(row) {
            None => tally.refused += 1,
            Some(found) if found == row.runs => tally.right += 1,
            Some(found) => {
                tally.wrong += 1;
                let first = found.iter().zip(&row.runs).find(|(found, wanted)| found != wanted);
                tally.example.get_or_insert_with(|| format!("{} in {}: {first:?}", row.expression, row.zone));
            }
        }
    }
    println!("{name:<14}{:>7}{:>7}{:>9}", tally.right, tally.wrong, tally.refused);
    if let Some(example) = tally.example {
        println!("  the first that is wrong (found, wanted): {example}");
    }
}

/// It wants seconds, and a number for Sunday from 1.
fn with_cron(row: &Row) -> Option<Vec<DateTime<Utc>>> {
    let seconds = if row.expression.split(' ').count() == 5 { "0 " } else { "" };
    let schedule = cron::Schedule::from_str(&format!("{seconds}{}", row.expression)).ok()?;
    let after = row.after.with_timezone(&row.zone);
    Some(schedule.after(&after).take(row.runs.len()).map(|it| it.to_utc()).collect())
}

fn with_croner(row: &Row) -> Option<Vec<DateTime<Utc>>> {
    let parser = croner::parser::CronParser::builder().seconds(croner::parser::Seconds::Optional).build();
    let schedule = parser.parse(&row.expression).ok()?;
    let after = row.after.with_timezone(&row.zone);
    Some(schedule.iter_after(after).take(row.runs.len()).map(|it| it.to_utc()).collect())
}

fn read(line: &str) -> Row {
    let parts: Vec<&str> = line.split(" | ").collect();
    let [zone, expression, after, runs, ..] = parts[..] else { panic!("not a row of the table: {line}") };
    Row {
        zone: zone.parse().expect("a time zone"),
        expression: expression.to_owned(),
        after: instant(after),
        runs: runs.split_whitespace().map(instant).collect(),
    }
}

/// `2026-03-08T03:00-04:00`, with or without seconds.
fn instant(text: &str) -> DateTime<Utc> {
    let (clock, offset) = text.split_at(text.len() - 6);
    let seconds = if clock.matches(':').count() == 1 { ":00" } else { "" };
    DateTime::parse_from_rfc3339(&format!("{clock}{seconds}{offset}")).expect("an instant").to_utc()
}
