//! What may be written in a log of a telephone number.

/// Keeps the operator's prefix and the last two digits: enough to find a complaint, too little to call somebody.
pub(crate) fn phone(number: &str) -> String {
    let count = number.chars().count();
    if count < 9 {
        return "*".repeat(count);
    }
    number.chars().enumerate().map(|(index, digit)| if index < 6 || index >= count - 2 { digit } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_its_prefix_and_two_digits() {
        assert_eq!(phone("+2250708091011"), "+22507******11");
        assert_eq!(phone("110"), "***");
    }
}
