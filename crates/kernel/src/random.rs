//! Randomness and ids that are passed in.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};
use uuid::Uuid;

use crate::Clock;

/// Where chance comes from: the operating system, or a seed that a test gives.
#[derive(Clone, Debug)]
pub struct Random(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Random {
    /// The operating system's generator.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The same numbers at every run: tests and simulations only.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    /// Fills a buffer.
    pub fn fill(&self, buffer: &mut [u8]) {
        match &self.0 {
            Source::System => {
                // The kernel's generator fails only before it was seeded at boot: wait for it rather than go on weakly.
                while SysRng.try_fill_bytes(buffer).is_err() {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
            }
            Source::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer),
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        self.fill(&mut buffer);
        buffer
    }

    /// A number below `bound`, each equally likely (values that would favour the small ones are thrown away).
    pub fn below(&self, bound: u32) -> u32 {
        let bound = bound.max(1);
        let fair = u32::MAX - u32::MAX % bound;
        loop {
            let value = u32::from_le_bytes(self.bytes());
            if value < fair {
                return value % bound;
            }
        }
    }

    /// A code of `digits` decimal digits, leading zeros included.
    pub fn digits(&self, digits: u32) -> String {
        let width = digits.clamp(1, 9);
        format!("{:0width$}", self.below(10_u32.pow(width)), width = width as usize)
    }
}

/// A UUIDv7: sorted by time of making to the microsecond (the 12 bits behind the milliseconds hold their fraction, RFC
/// 9562, 6.2, method 3), 62 random bits. Every visible id is one of these.
pub fn new_id(clock: &Clock, random: &Random) -> Uuid {
    let micros = u64::try_from(clock.now().timestamp_micros()).unwrap_or(0);
    let (millis, fraction) = (micros / 1000, (micros % 1000) * 4096 / 1000);
    let mut bytes: [u8; 16] = random.bytes();
    bytes[..8].copy_from_slice(&(millis << 16 | fraction).to_be_bytes());
    uuid::Builder::from_bytes(bytes)
        .with_version(uuid::Version::SortRand)
        .with_variant(uuid::Variant::RFC4122)
        .into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_digits_and_differ() {
        let random = Random::system();
        let codes: Vec<String> = (0..50).map(|_| random.digits(6)).collect();
        assert!(codes.iter().all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())));
        assert!(codes.windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_seed_repeats_itself() {
        assert_eq!(Random::seeded(7).bytes::<16>(), Random::seeded(7).bytes::<16>());
    }

    #[test]
    fn ids_are_version_seven() {
        let (clock, random) = (Clock::system(), Random::system());
        let first = new_id(&clock, &random);
        assert_eq!((first.get_version_num(), first.get_variant()), (7, uuid::Variant::RFC4122));
        std::thread::sleep(std::time::Duration::from_micros(5));
        assert!(first < new_id(&clock, &random), "in their order, within one millisecond too");
    }
}
