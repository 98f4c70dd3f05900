//! Time zones: names to zones, and local times to instants.

use crate::error::{Error, Result};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// A zone by its IANA name, in any case.
    ///
    /// # Errors
    /// [`Error::UnknownTimezone`].
    pub fn named(name: &str) -> Result<Self> {
        TimeZone::get(name).map(Self).map_err(|_| Error::UnknownTimezone { name: name.to_owned() })
    }

    /// Its name as the database of zones writes it.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What clocks there show.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.0.to_offset(at).to_datetime(at)
    }

    /// What clocks that stay as they are at `at` show at the instant, and back again.
    pub fn at(&self, at: Timestamp) -> jiff::tz::Offset {
        self.0.to_offset(at)
    }

    /// When clocks there are next changed.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        self.0.following(after).next().map(|it| it.timestamp())
    }

    /// The instant of a local time: the first one where the time comes twice, and the end of the gap where it is
    /// skipped. `None` where no clock goes that far.
    pub fn instant(&self, local: DateTime) -> Option<Timestamp> {
        match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
            // By the later offset the skipped time lies before the change.
            AmbiguousOffset::Gap { after, .. } => self.next_change(after.to_timestamp(local).ok()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(zone: &str, local: &str) -> String {
        Zone::named(zone).unwrap().instant(local.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn skipped_times_end_with_their_gap_and_repeated_ones_come_first() {
        assert_eq!(instant("America/New_York", "2026-03-08T02:30"), "2026-03-08T07:00:00Z");
        assert_eq!(instant("America/New_York", "2026-11-01T01:30"), "2026-11-01T05:30:00Z");
        assert_eq!(instant("Australia/Lord_Howe", "2026-10-04T02:15"), "2026-10-03T15:30:00Z");
        assert_eq!(instant("Asia/Kathmandu", "2026-01-01T00:00"), "2025-12-31T18:15:00Z");
    }

    #[test]
    fn names_are_known_in_any_case_and_written_as_they_should_be() {
        assert_eq!(Zone::named("europe/london").unwrap().name(), "Europe/London");
        assert_eq!(Zone::named("UTC").unwrap().name(), "UTC");
        for name in ["Mars/Olympus", "", "+02:00", "../etc/passwd"] {
            assert_eq!(Zone::named(name).unwrap_err().code(), "SYMPHONY_UNKNOWN_TIMEZONE", "{name}");
        }
    }
}
