//! Whether a local time fits an expression, read as naively as can be: for judging what the scheduler finds. Shares
//! nothing with it, and knows no next run. Also the strategies for expressions.

use jiff::civil::DateTime;
use proptest::prelude::*;
use proptest::sample::select;

/// Whether a local time fits.
pub fn fits(expression: &str, local: DateTime) -> bool {
    let fields: Vec<&str> = expression.split(' ').collect();
    let (second, rest) = if fields.len() == 6 { (fields[0], &fields[1..]) } else { ("0", &fields[..]) };
    let [minute, hour, day, month, weekday] = rest else { panic!("{expression}") };
    let plain = |field: &str, value: i8, min, max| field.split(',').any(|item| item_fits(item, value, min, max));
    let day_fits = day.split(',').any(|item| month_day_fits(item, local));
    let weekday_fits = weekday.split(',').any(|item| weekday_item_fits(item, local));
    let either = !day.starts_with('*') && !weekday.starts_with('*');
    plain(second, local.second(), 0, 59)
        && plain(minute, local.minute(), 0, 59)
        && plain(hour, local.hour(), 0, 23)
        && plain(month, local.month(), 1, 12)
        && if either { day_fits || weekday_fits } else { day_fits && weekday_fits }
}

/// Whether it names fixed times, which skipped and repeated hours do not touch.
pub fn is_fixed(expression: &str) -> bool {
    let fields: Vec<&str> = expression.split(' ').collect();
    !fields[..fields.len() - 3].iter().any(|field| field.contains(['*', '/']))
}

fn item_fits(item: &str, value: i8, min: i8, max: i8) -> bool {
    let (range, step) = item.split_once('/').unwrap_or((item, "1"));
    let number = |text: &str| text.parse::<i8>().unwrap();
    let (low, high) = match range.split_once('-') {
        _ if range == "*" => (min, max),
        Some((low, high)) => (number(low), number(high)),
        None if item.contains('/') => (number(range), max),
        None => (number(range), number(range)),
    };
    low <= value && value <= high && (value - low) % number(step) == 0
}

fn month_day_fits(item: &str, local: DateTime) -> bool {
    let (day, last) = (local.day(), local.date().days_in_month());
    if item == "L" {
        return day == last;
    }
    if let Some(before) = item.strip_prefix("L-") {
        return day == last - before.parse::<i8>().unwrap();
    }
    if let Some(wanted) = item.strip_suffix('W') {
        let wanted = if wanted == "L" { last } else { wanted.parse().unwrap() };
        // The nearest working day is the one with no other at a smaller distance.
        let working = |it: &i8| !is_weekend(local, *it);
        let nearest = (1..=last).filter(working).min_by_key(|it| (it - wanted).abs()).unwrap();
        return wanted <= last && day == nearest;
    }
    item_fits(item, day, 1, 31)
}

fn is_weekend(local: DateTime, day: i8) -> bool {
    let date = local.date().with().day(day).build().unwrap();
    date.weekday().to_monday_one_offset() > 5
}

fn weekday_item_fits(item: &str, local: DateTime) -> bool {
    let (day, last) = (local.day(), local.date().days_in_month());
    let weekday = local.weekday().to_sunday_zero_offset();
    if let Some((wanted, nth)) = item.split_once('#') {
        return weekday == wanted.parse::<i8>().unwrap() % 7 && (day + 6) / 7 == nth.parse::<i8>().unwrap();
    }
    if let Some(wanted) = item.strip_suffix('L') {
        return weekday == wanted.parse::<i8>().unwrap() % 7 && day > last - 7;
    }
    item_fits(item, weekday, 0, 6) || (weekday == 0 && !item.starts_with('*') && item_fits(item, 7, 0, 7))
}

fn field(min: i8, max: i8, open: u32) -> impl Strategy<Value = String> {
    let value = min..=max;
    let item = prop_oneof![
        4 => value.clone().prop_map(|it| it.to_string()),
        2 => (value.clone(), value.clone()).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        1 => (value.clone(), value.clone(), 1..=max).prop_map(|(a, b, step)| format!("{}-{}/{step}", a.min(b), a.max(b))),
    ];
    prop_oneof![
        open => Just("*".to_owned()),
        1 => (1..=max).prop_map(|step| format!("*/{step}")),
        5 => proptest::collection::vec(item, 1..4).prop_map(|items| items.join(",")),
    ]
}

/// Expressions of all forms.
pub fn expression() -> impl Strategy<Value = String> {
    let special_day = select(vec!["L", "LW", "L-1", "L-5", "1W", "15W", "30W", "31W", "1,L", "15,LW"]);
    let day = prop_oneof![4 => Just("*".to_owned()), 3 => field(1, 31, 1), 2 => special_day.prop_map(str::to_owned)];
    let special_weekday = (0..=7, select(vec!["L", "#1", "#2", "#5"])).prop_map(|(day, form)| format!("{day}{form}"));
    let weekday = prop_oneof![4 => Just("*".to_owned()), 3 => field(0, 6, 1), 2 => special_weekday];
    let month = prop_oneof![5 => Just("*".to_owned()), 2 => field(1, 12, 1)];
    let second = prop_oneof![4 => Just(None), 1 => field(0, 59, 1).prop_map(Some)];
    (second, field(0, 59, 3), field(0, 23, 3), day, month, weekday).prop_map(
        |(second, minute, hour, day, month, weekday)| {
            let second = second.map_or_else(String::new, |it| format!("{it} "));
            format!("{second}{minute} {hour} {day} {month} {weekday}")
        },
    )
}

/// Zones with all that zones can do.
pub fn zone() -> impl Strategy<Value = &'static str> {
    select(vec![
        "UTC",
        "America/New_York",
        "Europe/London",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/Asuncion",
        "Asia/Kathmandu",
        "Asia/Kolkata",
        "America/Havana",
        "Africa/Cairo",
        "America/Santiago",
        "Africa/Casablanca",
        "Pacific/Chatham",
        "Pacific/Apia",
        "America/St_Johns",
        "Asia/Tokyo",
    ])
}
