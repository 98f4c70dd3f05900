//! Numbers that several rooms share.

/// The longest delay in milliseconds: 100 years of 365.25 days.
///
/// Whatever a retry strategy multiplies up to, `now + delay` stays a date that Postgres and JavaScript can both hold.
/// Symfony stops at `i32::MAX` (24.8 days), the largest integer it can count on.
pub const MAX_DELAY_MS: u64 = 3_155_760_000_000;

/// The longest duration that a configuration may hold, in milliseconds: 100 years, as for a retry.
pub(crate) const LONGEST_MS: f64 = MAX_DELAY_MS as f64;

/// The longest wait that a JavaScript timer and Postgres' `statement_timeout` can count, in milliseconds: 24.8 days.
pub(crate) const LONGEST_TIMER_MS: f64 = i32::MAX as f64;

/// The lowest priority of a message.
pub const LOWEST_PRIORITY: u8 = 1;
/// The highest priority of a message, handled first.
pub const HIGHEST_PRIORITY: u8 = 10;

/// How far messages are counted for people, per priority.
pub const DEPTH_CAP: i64 = 10_000;

/// How many rows of counts are read for people at once.
pub const COUNTS_CAP: i64 = 20_000;
