//! How much is settled at once. Pure.

/// The most outcomes per settlement.
pub(super) const SETTLE_AT_ONCE: usize = 1000;
/// And the most bytes of messages and outcomes, unless one alone is larger: they are moved from table to table.
const BYTES: usize = 16 * 1024 * 1024;

/// Half as many after each failure, twice as many after each success: what is too much for the database or for its time
/// limit gets smaller until it passes, and what it refuses stands alone in the end.
#[derive(Debug)]
pub(super) struct Portion(usize);

impl Portion {
    pub(super) const WHOLE: Self = Self(SETTLE_AT_ONCE);

    pub(super) fn grow(&mut self) {
        self.0 = (2 * self.0).min(SETTLE_AT_ONCE);
    }

    /// This many were too many.
    pub(super) fn shrink(&mut self, count: usize) {
        self.0 = (self.0.min(count) / 2).max(1);
    }

    pub(super) fn room(&self) -> Room {
        Room { count: self.0, bytes: BYTES }
    }
}

/// What still fits in.
pub(super) struct Room {
    count: usize,
    bytes: usize,
}

impl Room {
    /// Takes one more, if there is room for it; the first always fits, and after one that does not nothing does, so that
    /// nothing is overtaken.
    pub(super) fn takes(&mut self, bytes: usize) -> bool {
        let first = self.bytes == BYTES;
        if self.count == 0 || (bytes > self.bytes && !first) {
            self.count = 0;
            return false;
        }
        self.count -= 1;
        self.bytes = self.bytes.saturating_sub(bytes.max(1));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(portion: &Portion, sizes: &[usize]) -> usize {
        let mut room = portion.room();
        sizes.iter().filter(|it| room.takes(**it)).count()
    }

    #[test]
    fn halves_until_one_stands_alone_and_grows_again() {
        let mut portion = Portion::WHOLE;
        let shrunk: Vec<usize> = std::iter::repeat_with(|| {
            let count = taken(&portion, &[0; 2 * SETTLE_AT_ONCE]);
            portion.shrink(count);
            count
        })
        .take(12)
        .collect();
        assert_eq!(shrunk, [1000, 500, 250, 125, 62, 31, 15, 7, 3, 1, 1, 1]);
        (0..12).for_each(|_| portion.grow());
        assert_eq!(taken(&portion, &[0; 2 * SETTLE_AT_ONCE]), SETTLE_AT_ONCE);
    }

    #[test]
    fn is_bounded_in_bytes_and_nothing_is_overtaken() {
        assert_eq!(taken(&Portion::WHOLE, &[BYTES / 2, BYTES / 2, 1]), 2);
        assert_eq!(taken(&Portion::WHOLE, &[BYTES / 2, BYTES, 1]), 1);
        assert_eq!(taken(&Portion::WHOLE, &[2 * BYTES, 1]), 1);
    }
}
