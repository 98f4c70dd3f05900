//! Cron expressions: five fields, or six with seconds first.
//!
//! Two rules where clocks are changed. An expression with a `*` or a step among its seconds, minutes and hours follows
//! real time: it runs at every instant at which the clock on the wall fits. Any other names fixed times: one that is
//! skipped runs at the end of the gap, one that comes twice runs the first time.

mod days;
mod field;
mod hashed;

use super::zone::Zone;
use crate::error::{CronProblem, Error, Result};
use days::{Days, Month, ones};
use field::{Field, HOUR, MINUTE, MONTH, MONTH_DAY, Parsed, Problem, SECOND, WEEKDAY};
use hashed::Hash;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan};

/// The longest expression, in characters.
const MAX_CHARS: usize = 255;

/// Words that stand for an expression. `#` in the place of `@` is Symfony's spelling of hashed ones.
const WORDS: &[(&str, &str)] = &[
    ("@YEARLY", "0 0 1 1 *"),
    ("@ANNUALLY", "0 0 1 1 *"),
    ("@MONTHLY", "0 0 1 * *"),
    ("@WEEKLY", "0 0 * * 0"),
    ("@DAILY", "0 0 * * *"),
    ("@MIDNIGHT", "0 0 * * *"),
    ("@HOURLY", "0 * * * *"),
    ("#YEARLY", "H H H H *"),
    ("#YEARLY@MIDNIGHT", "H H(0-2) H H *"),
    ("#ANNUALLY", "H H H H *"),
    ("#ANNUALLY@MIDNIGHT", "H H(0-2) H H *"),
    ("#MONTHLY", "H H H * *"),
    ("#MONTHLY@MIDNIGHT", "H H(0-2) H * *"),
    ("#WEEKLY", "H H * * H"),
    ("#WEEKLY@MIDNIGHT", "H H(0-2) * * H"),
    ("#DAILY", "H H * * *"),
    ("#MIDNIGHT", "H H(0-2) * * *"),
    ("#HOURLY", "H * * * *"),
];

/// An expression that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// In capitals, with one blank between fields, words and hashed numbers filled in.
    pub text: String,
    seconds: u64,
    minutes: u64,
    hours: u64,
    months: u64,
    days: Days,
    /// Whether it follows real time where clocks are changed.
    elapsed: bool,
}

impl Cron {
    /// Reads an expression; hashed fields are drawn from the seed.
    ///
    /// # Errors
    /// [`Error::InvalidCron`], which names the field, its place and what is allowed, also where it would never run.
    pub fn parse(expression: &str, seed: Option<&str>) -> Result<Self> {
        let source = Source::of(expression)?;
        let mut hash = seed.map(Hash::of);
        let mut read = |field: &'static Field, place: usize| source.read(field, place, &mut hash);
        let (second, rest) = match source.words.len() {
            6 => (read(&SECOND, 0)?, 1),
            _ => (Parsed { bits: 1, ..Parsed::default() }, 0),
        };
        let (minute, hour) = (read(&MINUTE, rest)?, read(&HOUR, rest + 1)?);
        let (day, month, weekday) = (read(&MONTH_DAY, rest + 2)?, read(&MONTH, rest + 3)?, read(&WEEKDAY, rest + 4)?);
        if day.text == "?" && weekday.text == "?" {
            return Err(source.refuse(
                &WEEKDAY,
                rest + 4,
                "?",
                0,
                "* in one of the two, because ? leaves the choice to the other",
            ));
        }
        let texts = [&second, &minute, &hour, &day, &month, &weekday].map(|it| it.text.as_str());
        let cron = Self {
            text: texts.join(" ").trim_start().to_owned(),
            seconds: second.bits,
            minutes: minute.bits,
            hours: hour.bits,
            months: month.bits,
            elapsed: second.repeats || minute.repeats || hour.repeats,
            days: Days { of_month: day.month_days, of_week: weekday.weekdays },
        };
        if !cron.ever_runs() {
            let wants = format!("a day that exists in months {}; as it is, it never runs", cron.month_names());
            return Err(source.refuse(&MONTH_DAY, rest + 2, &day.text, 0, wants));
        }
        Ok(cron)
    }

    /// An expression in capitals, with one blank between fields and words filled in. Hashed fields stay as they are.
    pub fn written(expression: &str) -> String {
        in_full(expression).split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase()
    }

    /// The first run after an instant; `None` past the year 9999.
    pub fn next_after(&self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        let second = Timestamp::from_second(after.as_nanosecond().div_euclid(1_000_000_000) as i64).ok()?;
        if self.elapsed { self.next_elapsed(zone, second) } else { self.next_fixed(zone, second) }
    }

    fn next_fixed(&self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        let mut local = zone.local(after);
        loop {
            // Not the same once more: a local time of the second pass through a repeated hour ran in the first.
            local = self.next_local(local.checked_add(1.second()).ok()?)?;
            let found = zone.instant(local)?;
            if found > after {
                return Some(found);
            }
        }
    }

    fn next_elapsed(&self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        let mut from = after.checked_add(1.second()).ok()?;
        loop {
            let offset = zone.at(from);
            let found = offset.to_timestamp(self.next_local(offset.to_datetime(from))?).ok()?;
            match zone.next_change(from) {
                Some(change) if change <= found => from = change,
                _ => return Some(found),
            }
        }
    }

    /// The first local time that fits, this one included.
    fn next_local(&self, from: DateTime) -> Option<DateTime> {
        let mut month = Month::of(from.date());
        let today = u32::from(from.date().day().unsigned_abs());
        let mut days = self.days_of(month) & (u32::MAX << today);
        if days >> today & 1 == 1 {
            match self.time_from(from.time()) {
                Some(time) => return Some(from.date().to_datetime(time)),
                None => days &= days - 1,
            }
        }
        while days == 0 {
            month = month.following()?;
            days = self.days_of(month);
        }
        let date = Date::new(month.year, month.month, days.trailing_zeros() as i8).ok()?;
        Some(date.to_datetime(self.time_from(Time::midnight())?))
    }

    fn days_of(&self, month: Month) -> u32 {
        if self.months >> month.month & 1 == 1 { self.days.within(month) } else { 0 }
    }

    /// The first time of a day that fits, this one included.
    fn time_from(&self, from: Time) -> Option<Time> {
        let (hour, minute, second) = (from.hour(), from.minute(), from.second());
        let first = |bits: u64| bits.trailing_zeros() as i8;
        if self.hours >> hour & 1 == 1 {
            if let Some(second) = (self.minutes >> minute & 1 == 1).then(|| at_least(self.seconds, second)).flatten() {
                return Time::new(hour, minute, second, 0).ok();
            }
            if let Some(minute) = at_least(self.minutes, minute + 1) {
                return Time::new(hour, minute, first(self.seconds), 0).ok();
            }
        }
        Time::new(at_least(self.hours, hour + 1)?, first(self.minutes), first(self.seconds), 0).ok()
    }

    /// The calendar repeats itself every 400 years, so that many are enough to know.
    fn ever_runs(&self) -> bool {
        (2000..2400).any(|year| (1..=12).any(|month| self.days_of(Month { year, month }) != 0))
    }

    fn month_names(&self) -> String {
        ones(self.months as u32).map(|it| it.to_string()).collect::<Vec<_>>().join(",")
    }
}

/// What a word such as `@daily` stands for.
fn in_full(expression: &str) -> &str {
    let upper = expression.trim().to_uppercase();
    WORDS.iter().find(|(word, _)| *word == upper).map_or(expression, |(_, full)| full)
}

/// The lowest bit from `from` on.
fn at_least(bits: u64, from: i8) -> Option<i8> {
    let rest = bits & u64::MAX.checked_shl(from.unsigned_abs().into())?;
    (rest != 0).then(|| rest.trailing_zeros() as i8)
}

/// An expression as it was given, cut at its blanks.
struct Source<'a> {
    expression: &'a str,
    /// What a word such as `@daily` stands for.
    full: &'a str,
    words: Vec<&'a str>,
}

impl<'a> Source<'a> {
    fn of(expression: &'a str) -> Result<Self> {
        let given = expression.trim();
        let full = in_full(expression);
        let source = Self { expression, full, words: full.split_whitespace().collect() };
        let count = source.words.len();
        let problem = |wants: &str| {
            Err(Error::InvalidCron(Box::new(CronProblem {
                expression: shortened(expression),
                field: "expression",
                found: format!("with {count} field{}", if count == 1 { "" } else { "s" }),
                wants: wants.to_owned(),
                place: 0,
                character: 0,
            })))
        };
        if given.starts_with('@') && full == expression {
            return problem("@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, or five fields");
        }
        if given.chars().count() > MAX_CHARS {
            return problem("at most 255 characters");
        }
        match count {
            5 | 6 => Ok(source),
            _ => problem("minute, hour, day of month, month, weekday; or six, with seconds first"),
        }
    }

    fn read(&self, field: &'static Field, place: usize, hash: &mut Option<Hash>) -> Result<Parsed> {
        let text = self.words.get(place).copied().unwrap_or_default();
        field.parse(text, hash).map_err(|Problem { item, at, wants }| self.refuse(field, place, &item, at, wants))
    }

    fn refuse(&self, field: &Field, place: usize, item: &str, at: usize, wants: impl Into<String>) -> Error {
        Error::InvalidCron(Box::new(CronProblem {
            expression: shortened(self.expression),
            field: field.name,
            found: item.to_owned(),
            wants: wants.into(),
            place: place + 1,
            character: self.begin_of(place) + at + 1,
        }))
    }

    /// How many characters stand before a field.
    fn begin_of(&self, place: usize) -> usize {
        let Some(word) = self.words.get(place) else { return 0 };
        let bytes = word.as_ptr().addr() - self.full.as_ptr().addr();
        self.full.get(..bytes).map_or(0, |before| before.chars().count())
    }
}

/// What is shown of an expression that may be anything.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(expression: &str) -> String {
        let error = Cron::parse(expression, Some("seed")).expect_err(expression);
        assert_eq!(error.code(), "SYMPHONY_INVALID_CRON");
        error.to_string()
    }

    #[test]
    fn an_error_names_the_field_the_place_and_what_is_allowed() {
        let cases = [
            ("61 * * * *", "minute 61: 0 to 59 (field 1, character 1 of \"61 * * * *\")"),
            ("0 24 * * *", "hour 24: 0 to 23 (field 2, character 3 of"),
            ("0 0 1,32 * *", "day of month 32: 1 to 31, L, L-3, 15W, LW (field 3, character 7 of"),
            ("0 0 * 13 *", "month 13: 1 to 12, JAN to DEC (field 4, character 7 of"),
            ("0 0 * FOO *", "month FOO: 1 to 12, JAN to DEC"),
            ("0 0 * * 8", "weekday 8: 0 to 7 (0 and 7 are Sunday), SUN to SAT, 5L, 5#2 (field 5, character 9 of"),
            ("60 * * * * *", "second 60: 0 to 59 (field 1, character 1 of"),
            ("*/0 * * * *", "minute */0: a step from 1 to 59"),
            ("*/60 * * * *", "minute */60: a step from 1 to 59"),
            ("0 22-2 * * *", "hour 22-2: a range that runs forwards; write 22-23,0-2"),
            ("0 0 * * 5-1", "weekday 5-1: a range that runs forwards; write 5-6,0-1"),
            ("0 0 L-31 * *", "day of month L-31: L-1 to L-30"),
            ("0 0 32W * *", "day of month 32W: 1W to 31W, or LW"),
            ("0 0 * * 5#6", "weekday 5#6: a weekday and its number in the month, 5#1 to 5#5"),
            ("0 0 * * L", "weekday L: a weekday before the L, such as 5L for the last Friday"),
            ("0 0 ? * ?", "weekday ?: * in one of the two"),
            ("? * * * *", "minute ?: 0 to 59"),
            (
                "0 0 30 2 *",
                "day of month 30: a day that exists in months 2; as it is, it never runs (field 3, character 5 of",
            ),
            ("0 0 31 4,6,9,11 *", "day of month 31: a day that exists in months 4,6,9,11"),
            ("1, * * * *", "minute : 0 to 59 (field 1, character 3 of"),
            ("+1 * * * *", "minute +1: 0 to 59"),
            ("-1 * * * *", "minute -1: 0 to 59"),
            ("1--2 * * * *", "minute 1--2: 0 to 59"),
            ("5.5 * * * *", "minute 5.5: 0 to 59"),
            ("999999999999 * * * *", "minute 999999999999: 0 to 59"),
            ("H(5 * * * *", "minute H(5: 0 to 59"),
            ("H(9-61) * * * *", "minute H(9-61): 0 to 59"),
            ("* * * 1", "expression with 4 fields: minute, hour, day of month, month, weekday; or six"),
            ("* * * * * * 2026", "expression with 7 fields: minute"),
            ("", "expression with 0 fields: minute"),
            ("@reboot", "expression with 1 field: @yearly, @annually"),
        ];
        for (expression, expected) in cases {
            let said = refusal(expression);
            assert!(said.starts_with(expected), "{expression}: {said}");
        }
        assert!(refusal(&"1,".repeat(200)).len() < 400);
    }

    #[test]
    fn a_hashed_field_needs_a_seed() {
        let said = Cron::parse("H * * * *", None).unwrap_err().to_string();
        assert!(said.contains("a hashed field needs a seed"), "{said}");
    }

    #[test]
    fn blanks_case_and_words_do_not_matter() {
        for (expression, expected) in [
            ("\t*/5   0 \t * jan   mon-FRI ", "*/5 0 * JAN MON-FRI"),
            ("@Weekly", "0 0 * * 0"),
            (" @hourly ", "0 * * * *"),
            ("0 0 0 1 1 ?", "0 0 0 1 1 ?"),
        ] {
            assert_eq!(Cron::parse(expression, None).unwrap().text, expected);
        }
    }

    #[test]
    fn rare_days_are_found_and_the_end_of_time_is_the_end() {
        let next = |expression: &str, after: &str| {
            let cron = Cron::parse(expression, None).unwrap();
            cron.next_after(&Zone::UTC, after.parse().unwrap()).map(|it| it.to_string())
        };
        assert_eq!(next("0 0 29 2 *", "2097-01-01T00:00:00Z").unwrap(), "2104-02-29T00:00:00Z");
        assert_eq!(next("0 0 29 2 */7", "2026-01-01T00:00:00Z").unwrap(), "2032-02-29T00:00:00Z");
        assert_eq!(next("0 0 29 2 */7", "2088-03-01T00:00:00Z").unwrap(), "2128-02-29T00:00:00Z");
        assert_eq!(next("0 0 1 1 *", "9998-12-31T23:59:59Z").unwrap(), "9999-01-01T00:00:00Z");
        assert_eq!(next("0 0 1 1 *", "9999-01-01T00:00:00Z"), None);
        assert_eq!(next("* * * * *", "1969-12-31T23:59:59.5Z").unwrap(), "1970-01-01T00:00:00Z");
    }
}
