//! Hashed fields: a number that looks random, and is always the same for the same seed. Two hundred daily schedules
//! written `H H * * *` then do not all run at midnight.
//!
//! The numbers are those of Symfony for the same seed: xoshiro256** over the SHA-256 of the seed, fields from left to
//! right.

use ring::digest::{SHA256, digest};

/// Draws the numbers of one expression.
#[derive(Debug, Clone)]
pub struct Hash {
    state: [u64; 4],
}

impl Hash {
    /// The numbers for a seed.
    pub fn of(seed: &str) -> Self {
        let digest = digest(&SHA256, seed.as_bytes());
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(digest.as_ref().chunks_exact(8)) {
            *word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        }
        Self { state }
    }

    /// The next number from `min` to `max`, each equally likely.
    pub fn draw(&mut self, min: u8, max: u8) -> u8 {
        let choices = u32::from(max - min) + 1;
        let ceiling = if choices.is_power_of_two() { u32::MAX } else { u32::MAX - u32::MAX % choices - 1 };
        loop {
            // The low half, as PHP draws from a small range.
            let drawn = self.next() as u32;
            if drawn <= ceiling {
                return min + (drawn % choices) as u8;
            }
        }
    }

    /// xoshiro256** by Blackman and Vigna.
    fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }
}

#[cfg(test)]
mod tests {
    use crate::scheduler::cron::Cron;

    #[test]
    fn numbers_are_those_of_symfony() {
        let hashed = |seed: &str, expression: &str| Cron::parse(expression, Some(seed)).unwrap().text;
        let mine = [
            ("# * * * *", "30 * * * *"),
            ("# # * * *", "30 0 * * *"),
            ("# # # * *", "30 0 25 * *"),
            ("# # # # *", "30 0 25 10 *"),
            ("# # # # #", "30 0 25 10 5"),
            ("# # 1,15 1-11 *", "30 0 1,15 1-11 *"),
            ("#hourly", "30 * * * *"),
            ("#daily", "30 0 * * *"),
            ("#weekly", "30 0 * * 3"),
            ("#weekly@midnight", "30 0 * * 3"),
            ("#monthly", "30 0 25 * *"),
            ("#monthly@midnight", "30 0 25 * *"),
            ("#yearly", "30 0 25 10 *"),
            ("#yearly@midnight", "30 0 25 10 *"),
            ("#annually", "30 0 25 10 *"),
            ("#annually@midnight", "30 0 25 10 *"),
            ("#midnight", "30 0 * * *"),
            ("#(1-15) * * * *", "1 * * * *"),
            ("#(1-15) * * * #(3-5)", "1 * * * 3"),
            ("#(1-15) * # * #(3-5)", "1 * 17 * 5"),
            ("56 20 1 9 0", "56 20 1 9 0"),
            ("@daily", "0 0 * * *"),
        ];
        for (expression, expected) in mine {
            assert_eq!(hashed("my task", expression), expected, "{expression}");
            assert_eq!(hashed("my task", &expression.replace("# ", "H ").replace("#(", "H(")), expected);
        }
        assert_eq!(hashed("another task", "# # # # #"), "9 14 9 1 4");
        assert_eq!(hashed("another task", "#midnight"), "9 2 * * *");
    }

    #[test]
    fn a_hashed_step_begins_inside_its_first_step() {
        for seed in 0..200 {
            let text = Cron::parse("H/15 H(8-9)/1 * * *", Some(&seed.to_string())).unwrap().text;
            let (minute, rest) = text.split_once('-').unwrap();
            assert!(minute.parse::<u8>().unwrap() < 15 && rest.starts_with("59/15 8-9/1 "), "{text}");
        }
    }
}
