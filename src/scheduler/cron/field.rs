//! One field of an expression: lists, ranges, steps, names, `L`, `W`, `#`, `H`.

use super::days::{MonthDays, Weekdays};
use super::hashed::Hash;

/// What a field may hold.
#[derive(Debug)]
pub struct Field {
    /// For people.
    pub name: &'static str,
    /// The smallest number.
    pub min: u8,
    /// The largest.
    pub max: u8,
    /// The largest that `H` draws.
    hash_max: u8,
    names: &'static [&'static str],
    /// What is allowed besides numbers, for people.
    more: &'static str,
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const fn plain(name: &'static str, min: u8, max: u8) -> Field {
    Field { name, min, max, hash_max: max, names: &[], more: "" }
}

pub const SECOND: Field = plain("second", 0, 59);
pub const MINUTE: Field = plain("minute", 0, 59);
pub const HOUR: Field = plain("hour", 0, 23);
/// Hashed days stop at 28: every month has those.
pub const MONTH_DAY: Field = Field { hash_max: 28, more: ", L, L-3, 15W, LW", ..plain("day of month", 1, 31) };
pub const MONTH: Field = Field { names: MONTHS, more: ", JAN to DEC", ..plain("month", 1, 12) };
pub const WEEKDAY: Field = Field {
    hash_max: 6,
    names: WEEKDAYS,
    more: " (0 and 7 are Sunday), SUN to SAT, 5L, 5#2",
    ..plain("weekday", 0, 7)
};

/// What is wrong with an item, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// The item.
    pub item: String,
    /// Where it begins, counted in characters from the beginning of the field.
    pub at: usize,
    /// What would be right.
    pub wants: String,
}

/// What a field says.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Its numbers, as bits.
    pub bits: u64,
    /// What only days have.
    pub month_days: MonthDays,
    /// What only weekdays have.
    pub weekdays: Weekdays,
    /// As it was given, in capitals and with hashed numbers filled in.
    pub text: String,
    /// Whether it begins with `*` or `?`.
    pub open: bool,
    /// Whether it has a `*` or a step anywhere.
    pub repeats: bool,
}

impl Field {
    /// Reads a field.
    pub fn parse(&self, text: &str, hash: &mut Option<Hash>) -> Result<Parsed, Problem> {
        let text = text.to_uppercase();
        let mut parsed = Parsed { open: text.starts_with(['*', '?']), ..Parsed::default() };
        let mut items = Vec::new();
        let mut at = 0;
        for item in text.split(',') {
            let problem = |wants| Problem { item: item.to_owned(), at, wants };
            let resolved = self.resolve(item, hash).map_err(problem)?;
            self.read(&resolved, &mut parsed).map_err(problem)?;
            items.push(resolved);
            at += item.chars().count() + 1;
        }
        parsed.text = items.join(",");
        parsed.repeats = parsed.text.contains(['*', '/']);
        parsed.month_days.open = parsed.open;
        parsed.month_days.days = parsed.bits as u32;
        parsed.weekdays.open = parsed.open;
        parsed.weekdays.every = parsed.bits as u8;
        Ok(parsed)
    }

    /// Fills in hashed numbers: `H`, `H(1-15)`, `H/10`, and the same with `#`, as Symfony writes it.
    fn resolve(&self, item: &str, hash: &mut Option<Hash>) -> Result<String, String> {
        let Some(rest) = item.strip_prefix(['H', '#']) else { return Ok(item.to_owned()) };
        let hash = hash.as_mut().ok_or("a hashed field needs a seed; give `seed`")?;
        let (range, rest) = match rest.strip_prefix('(').and_then(|it| it.split_once(')')) {
            Some((range, rest)) => (Some(range), rest),
            None => (None, rest),
        };
        let (low, high) = range.map_or(Ok((self.min, self.hash_max)), |it| self.range(it))?;
        let Some(step) = rest.strip_prefix('/') else {
            return if rest.is_empty() { Ok(hash.draw(low, high).to_string()) } else { Err(self.allowed()) };
        };
        let high = if range.is_none() { self.top() } else { high };
        let step = self.step(step)?;
        let start = hash.draw(low, high.min(low.saturating_add(step - 1)));
        Ok(format!("{start}-{high}/{step}"))
    }

    fn read(&self, item: &str, parsed: &mut Parsed) -> Result<(), String> {
        if self.name == MONTH_DAY.name && self.read_day(item, &mut parsed.month_days)? {
            return Ok(());
        }
        if self.name == WEEKDAY.name && self.read_weekday(item, &mut parsed.weekdays)? {
            return Ok(());
        }
        parsed.bits |= self.numbers(item)?;
        Ok(())
    }

    /// `L`, `L-3`, `LW`, `15W`; whether it was one of them.
    fn read_day(&self, item: &str, days: &mut MonthDays) -> Result<bool, String> {
        if item == "L" {
            days.before_last |= 1;
        } else if item == "LW" || item == "WL" {
            days.last_weekday = true;
        } else if let Some(before) = item.strip_prefix("L-") {
            let fits = number(before).filter(|it| (1..=30).contains(it));
            days.before_last |= 1 << fits.ok_or("L-1 to L-30: this many days before the last one")?;
        } else if let Some(day) = item.strip_suffix('W') {
            days.nearest |= 1 << self.value(day).map_err(|_| "1W to 31W, or LW")?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `5L`, `5#2`; whether it was one of them.
    fn read_weekday(&self, item: &str, weekdays: &mut Weekdays) -> Result<bool, String> {
        if let Some((day, nth)) = item.split_once('#') {
            let day = self.value(day)? % 7;
            let nth = number(nth).filter(|it| (1..=5).contains(it));
            let nth = nth.ok_or("a weekday and its number in the month, 5#1 to 5#5")?;
            weekdays.nth[usize::from(nth - 1)] |= 1 << day;
        } else if let Some(day) = item.strip_suffix('L') {
            let day = self.value(day).map_err(|_| "a weekday before the L, such as 5L for the last Friday")?;
            weekdays.last |= 1 << (day % 7);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `*`, `?`, `5`, `1-5`, and each of them with a step.
    fn numbers(&self, item: &str) -> Result<u64, String> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(step)?)),
            None => (item, None),
        };
        let (low, high) = match range {
            "*" => (self.min, self.top()),
            "?" if step.is_none() && matches!(self.name, "day of month" | "weekday") => (self.min, self.top()),
            // Vixie cron knows no `5/15`; which means the rest of the range.
            single if step.is_some() && !single.contains('-') => (self.value(single)?, self.top()),
            range if range.contains('-') => self.range(range)?,
            single => (self.value(single)?, self.value(single)?),
        };
        let steps = (low..=high).step_by(step.unwrap_or(1).into());
        Ok(steps.fold(0, |bits, it| bits | 1 << self.folded(it)))
    }

    fn range(&self, text: &str) -> Result<(u8, u8), String> {
        let (low, high) = text.split_once('-').ok_or_else(|| self.allowed())?;
        let (low, mut high) = (self.value(low)?, self.value(high)?);
        if self.name == WEEKDAY.name && high == 0 && low > 0 {
            high = 7;
        }
        // 7-3 is Sunday to Wednesday.
        let low = if self.name == WEEKDAY.name && low == 7 && high < 7 { 0 } else { low };
        if low > high {
            let (min, top) = (self.min, self.top());
            return Err(format!("a range that runs forwards; write {low}-{top},{min}-{high}"));
        }
        Ok((low, high))
    }

    fn step(&self, text: &str) -> Result<u8, String> {
        let fits = number(text).filter(|it| (1..=self.max).contains(it));
        fits.ok_or_else(|| format!("a step from 1 to {}", self.max))
    }

    fn value(&self, text: &str) -> Result<u8, String> {
        if let Some(index) = self.names.iter().position(|name| *name == text) {
            return Ok(self.min + index as u8);
        }
        number(text).filter(|it| (self.min..=self.max).contains(it)).ok_or_else(|| self.allowed())
    }

    fn allowed(&self) -> String {
        format!("{} to {}{}", self.min, self.max, self.more)
    }

    /// The largest number that is not another name of a smaller one.
    fn top(&self) -> u8 {
        if self.name == WEEKDAY.name { 6 } else { self.max }
    }

    fn folded(&self, value: u8) -> u8 {
        if self.name == WEEKDAY.name { value % 7 } else { value }
    }
}

/// Digits only: no sign, no blank.
fn number(text: &str) -> Option<u8> {
    let digits = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
