//! Which days of a month an expression means: day of month, weekday, and how the two go together.

use jiff::civil::Date;

/// A month, as far as its days need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    pub year: i16,
    pub month: i8,
}

impl Month {
    /// The month of a date.
    pub fn of(date: Date) -> Self {
        Self { year: date.year(), month: date.month() }
    }

    /// The month after; `None` past the year 9999.
    pub fn following(self) -> Option<Self> {
        match self {
            Self { year: 9999, month: 12 } => None,
            Self { year, month: 12 } => Some(Self { year: year + 1, month: 1 }),
            Self { year, month } => Some(Self { year, month: month + 1 }),
        }
    }

    /// Its last day, and the weekday of its first; Sunday is 0.
    fn shape(self) -> (u32, u32) {
        let first = Date::constant(self.year, self.month, 1);
        (first.days_in_month().unsigned_abs().into(), first.weekday().to_sunday_zero_offset().unsigned_abs().into())
    }
}

/// The field for days of the month. Bit 1 is the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MonthDays {
    /// Whether it begins with `*` or `?`.
    pub open: bool,
    /// Plain days.
    pub days: u32,
    /// `L` is bit 0, `L-3` bit 3.
    pub before_last: u32,
    /// `15W`: the weekday nearest to it, in the same month.
    pub nearest: u32,
    /// `LW`: the last weekday.
    pub last_weekday: bool,
}

/// The field for weekdays. Bit 0 is Sunday.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weekdays {
    /// Whether it begins with `*` or `?`.
    pub open: bool,
    /// Every one of them.
    pub every: u8,
    /// `5#2`: the second Friday.
    pub nth: [u8; 5],
    /// `5L`: the last Friday.
    pub last: u8,
}

/// Both fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Days {
    pub of_month: MonthDays,
    pub of_week: Weekdays,
}

impl Days {
    /// The days of a month on which it runs, as bits. As in Vixie cron: where both fields are given, either will do;
    /// a field that begins with `*` takes part in an AND.
    pub fn within(&self, month: Month) -> u32 {
        let (last, first_weekday) = month.shape();
        let (of_month, of_week) = (self.of_month.within(last, first_weekday), self.of_week.within(last, first_weekday));
        if self.of_month.open || self.of_week.open { of_month & of_week } else { of_month | of_week }
    }
}

impl MonthDays {
    fn within(&self, last: u32, first_weekday: u32) -> u32 {
        let every_day = u32::MAX >> (31 - last) & !1;
        let mut days = self.days & every_day;
        for before in ones(self.before_last).filter(|&it| it < last) {
            days |= 1 << (last - before);
        }
        for day in ones(self.nearest).filter(|&it| it <= last) {
            days |= 1 << nearest_weekday(day, last, first_weekday);
        }
        if self.last_weekday {
            days |= 1 << nearest_weekday(last, last, first_weekday);
        }
        days
    }
}

impl Weekdays {
    fn within(&self, last: u32, first_weekday: u32) -> u32 {
        let runs = |day: u32| {
            let weekday = weekday(day, first_weekday);
            let nth = self.nth.get(((day - 1) / 7) as usize).copied().unwrap_or_default();
            let end = if day + 7 > last { self.last } else { 0 };
            (self.every | nth | end) >> weekday & 1 == 1
        };
        (1..=last).filter(|&day| runs(day)).fold(0, |days, day| days | 1 << day)
    }
}

fn weekday(day: u32, first_weekday: u32) -> u32 {
    (first_weekday + day - 1) % 7
}

/// Monday to Friday nearest to a day, without leaving the month.
fn nearest_weekday(day: u32, last: u32, first_weekday: u32) -> u32 {
    match weekday(day, first_weekday) {
        6 if day > 1 => day - 1,
        6 => day + 2,
        0 if day < last => day + 1,
        0 => day - 2,
        _ => day,
    }
}

/// The places of the bits that are set.
pub fn ones(bits: u32) -> impl Iterator<Item = u32> {
    (0..u32::BITS).filter(move |bit| bits >> bit & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(of_month: MonthDays, year: i16, month: i8) -> Vec<u32> {
        let of_week = Weekdays { open: true, every: 127, ..Weekdays::default() };
        ones(Days { of_month, of_week }.within(Month { year, month })).collect()
    }

    fn weekdays(of_week: Weekdays, year: i16, month: i8) -> Vec<u32> {
        let of_month = MonthDays { open: true, days: u32::MAX, ..MonthDays::default() };
        ones(Days { of_month, of_week }.within(Month { year, month })).collect()
    }

    #[test]
    fn the_end_of_a_month_is_where_it_is() {
        let last = || MonthDays { before_last: 0b1001, ..MonthDays::default() };
        assert_eq!(days(last(), 2024, 2), [26, 29]);
        assert_eq!(days(last(), 2026, 2), [25, 28]);
        assert!(days(MonthDays { days: 1 << 31, ..MonthDays::default() }, 2026, 4).is_empty());
    }

    #[test]
    fn the_nearest_weekday_stays_in_its_month() {
        let nearest = |day: u32| MonthDays { nearest: 1 << day, ..MonthDays::default() };
        // 2026-08-01 is a Saturday, 2026-05-31 a Sunday, 2026-11-15 a Sunday, 2026-11-14 a Saturday.
        assert_eq!(days(nearest(1), 2026, 8), [3]);
        assert_eq!(days(nearest(31), 2026, 5), [29]);
        assert_eq!(days(nearest(15), 2026, 11), [16]);
        assert_eq!(days(nearest(14), 2026, 11), [13]);
        assert!(days(nearest(31), 2026, 6).is_empty());
        assert_eq!(days(MonthDays { last_weekday: true, ..MonthDays::default() }, 2026, 5), [29]);
    }

    #[test]
    fn weekdays_are_counted_from_either_end() {
        let mut second_friday = Weekdays::default();
        second_friday.nth[1] = 1 << 5;
        assert_eq!(weekdays(second_friday, 2026, 11), [13]);
        assert_eq!(weekdays(Weekdays { last: 1 << 5, ..Weekdays::default() }, 2026, 11), [27]);
        let mut fifth_sunday = Weekdays::default();
        fifth_sunday.nth[4] = 1;
        assert_eq!(weekdays(fifth_sunday.clone(), 2026, 11), [29]);
        assert!(weekdays(fifth_sunday, 2026, 10).is_empty());
    }

    #[test]
    fn the_year_9999_is_the_last() {
        assert_eq!(Month { year: 9999, month: 12 }.following(), None);
        assert_eq!(Month { year: 2026, month: 12 }.following(), Some(Month { year: 2027, month: 1 }));
    }
}
