//! The people who own the simulated accounts: a number always belongs to the same made-up person.

const FAMILY: [&str; 16] = [
    "KOUASSI",
    "KONE",
    "TRAORE",
    "YAO",
    "OUATTARA",
    "N'GUESSAN",
    "COULIBALY",
    "KOFFI",
    "DIABATE",
    "BAMBA",
    "TOURE",
    "GNAMBA",
    "SORO",
    "AKA",
    "FOFANA",
    "ZADI",
];
const GIVEN: [&str; 16] = [
    "Awa", "Jean", "Mariam", "Yves", "Fatou", "Serge", "Aminata", "Eric", "Adjoua", "Ibrahim", "Akissi", "Drissa",
    "Prisca", "Moussa", "Nadege", "Hamed",
];

/// Given and family name of who holds an account.
pub(crate) fn holder(account: &str) -> (&'static str, &'static str) {
    // FNV-1a: the same for ever, whatever the compiler's hasher becomes.
    let hash =
        account.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let pick = |list: &'static [&'static str], salt: u32| {
        let index = usize::try_from((hash >> salt) & 15).unwrap_or(0);
        list.get(index).copied().unwrap_or("")
    };
    (pick(&GIVEN, 20), pick(&FAMILY, 40))
}

/// `"KONE Awa"`.
pub(crate) fn full_name(account: &str) -> String {
    let (given, family) = holder(account);
    format!("{family} {given}")
}

/// Whether a name that somebody typed could be the holder's: one of its words is one of his.
pub(crate) fn matches(account: &str, name: &str) -> bool {
    let (given, family) = holder(account);
    name.split_whitespace().any(|word| word.eq_ignore_ascii_case(given) || word.eq_ignore_ascii_case(family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_always_the_same_person() {
        assert_eq!(full_name("+2250708091011"), full_name("+2250708091011"));
        let all: std::collections::BTreeSet<_> = (0..500).map(|n| full_name(&format!("+22507080910{n:03}"))).collect();
        assert!(all.len() > 50, "{}", all.len());
        let (_, family) = holder("+2250708091011");
        assert!(matches("+2250708091011", &family.to_lowercase()));
        assert!(!matches("+2250708091011", "Nobody"));
    }
}
