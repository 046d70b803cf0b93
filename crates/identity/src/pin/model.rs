use crate::IdentityError;

/// Digits of a PIN.
const DIGITS: usize = 6;
/// Wrong PINs in a row that lock it. No timer opens it again: a found telephone has all the time in the world.
pub(super) const MAX_WRONG: i16 = 5;

/// Which of the ways to a new PIN was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// There is none yet: the password is enough.
    First,
    /// The present one is known.
    Change,
    /// It is forgotten or locked: password and a proof by code, and no money leaves for a while.
    Forgotten,
}

/// The way that fits what was sent.
pub(super) fn way(defined: bool, current_pin: bool, ticket: bool) -> Result<Way, IdentityError> {
    match (defined, current_pin, ticket) {
        (false, _, _) => Ok(Way::First),
        (true, true, _) => Ok(Way::Change),
        (true, false, true) => Ok(Way::Forgotten),
        (true, false, false) => Err(IdentityError::Field("currentPin", "required")),
    }
}

/// Refuses what is no PIN at all: that costs no try.
pub(super) fn well_formed(field: &'static str, pin: &str) -> Result<(), IdentityError> {
    let fits = pin.len() == DIGITS && pin.bytes().all(|digit| digit.is_ascii_digit());
    if fits { Ok(()) } else { Err(IdentityError::Field(field, "pin_format")) }
}

/// Refuses what a stranger would try first: repetitions, rows, and the end of the person's own number.
pub(super) fn strong(pin: &str, phone: Option<&str>) -> Result<(), IdentityError> {
    well_formed("pin", pin)?;
    let digits: Vec<i16> = pin.bytes().map(|digit| i16::from(digit - b'0')).collect();
    let repeats = (1..=3).any(|period| digits.iter().zip(digits.iter().skip(period)).all(|(one, other)| one == other));
    let row = |step: i16| digits.windows(2).all(|pair| (pair[0] + step).rem_euclid(10) == pair[1]);
    let doubled = digits.chunks(2).all(|pair| pair[0] == pair[1]) && evenly(digits.iter().step_by(2));
    let own = phone.is_some_and(|phone| phone.ends_with(pin));
    if repeats || row(1) || row(-1) || doubled || own {
        return Err(IdentityError::Field("pin", "pin_weak"));
    }
    Ok(())
}

/// 1, 2, 3 or 3, 2, 1: what is left of 112233 and 332211.
fn evenly<'a>(digits: impl Iterator<Item = &'a i16>) -> bool {
    let digits: Vec<i16> = digits.copied().collect();
    [1, -1].iter().any(|step| digits.windows(2).all(|pair| pair[0] + step == pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_would_try_is_refused() {
        for pin in ["000000", "111111", "123456", "012345", "654321", "890123", "121212", "123123", "112233", "332211"]
        {
            assert!(matches!(strong(pin, None), Err(IdentityError::Field("pin", "pin_weak"))), "{pin}");
        }
        assert!(strong("070742", Some("+2250707070742")).is_err(), "the end of one's own number");
        for pin in ["270391", "481516", "902817", "135791", "100200"] {
            assert!(strong(pin, Some("+2250707070742")).is_ok(), "{pin}");
        }
    }

    #[test]
    fn six_digits_and_nothing_else() {
        for pin in ["", "12345", "1234567", "12345a", "１２３４５６", " 12345", "-12345"] {
            assert!(matches!(well_formed("pin", pin), Err(IdentityError::Field("pin", "pin_format"))), "{pin}");
        }
    }

    #[test]
    fn a_pin_that_is_there_is_not_replaced_by_the_password_alone() {
        assert_eq!(way(false, false, false).ok(), Some(Way::First));
        assert_eq!(way(true, true, true).ok(), Some(Way::Change));
        assert_eq!(way(true, false, true).ok(), Some(Way::Forgotten));
        assert!(way(true, false, false).is_err());
    }
}
