use proptest::prelude::*;

use super::*;

const ALIAS: &str = "111c3e1b-4312-49ec-b75e-4c8c74c10fd7";
const PI_STATIC: &str = "00020136560012int.bceao.pi0136111c3e1b-4312-49ec-b75e-4c8c74c10fd75204000053039525802CI5901X6001X6207110300063046FFD";
const PI_REFERENCE: &str = "00020136560012int.bceao.pi0136111c3e1b-4312-49ec-b75e-4c8c74c10fd75204000053039525802CI5901X6001X62190508CAISSE0111030006304181D";
const PI_DYNAMIC: &str = "00020136560012int.bceao.pi0136111c3e1b-4312-49ec-b75e-4c8c74c10fd7520400005303952540450005802CI5901X6001X62220511TX000000001110340063041FC2";
const PI_DECIMALS: &str = "00020136560012int.bceao.pi0136111c3e1b-4312-49ec-b75e-4c8c74c10fd752040000530395254075000.005802CI5901X6001X62220511TX000000001110340063046A0A";
const GENERIC: &str = "00020101021226320012ci.hostolink0112HSTMRC000123520454115303952540425005802CI5912BOUTIQUE AWA6007ABIDJAN62230508INV-00010707CAISSE16304AAFB";
const OLDER: &str = "00020101021136280012int.bceao.pi0108test-1235204000053039525802CI5909TEST SHOP6007Abidjan63049EF3";

fn code(text: &str) -> Code {
    match read(text).unwrap() {
        Scanned::Code(code) => code,
        Scanned::Foreign(foreign) => panic!("{foreign:?}"),
    }
}

fn sealed(body: &str) -> String {
    let text = format!("{body}6304");
    format!("{text}{:04X}", CHECKSUM.checksum(text.as_bytes()))
}

fn pi(amount: Option<i64>, reference: Option<&str>, dynamic: bool) -> Code {
    Code {
        payee: Payee::PiSpi { alias: ALIAS.into() },
        amount,
        country: "CI".into(),
        name: "X".into(),
        city: "X".into(),
        reference: reference.map(str::to_owned),
        dynamic,
    }
}

#[test]
fn the_checksum_is_the_published_one() {
    assert_eq!(CHECKSUM.checksum(b"123456789"), 0x29B1);
}

#[test]
fn the_central_banks_examples_are_read_and_written() {
    for (text, expected) in [
        (PI_STATIC, pi(None, None, false)),
        (PI_REFERENCE, pi(None, Some("CAISSE01"), false)),
        (PI_DYNAMIC, pi(Some(5000), Some("TX000000001"), true)),
    ] {
        assert_eq!(code(text), expected);
        assert_eq!(write(&expected).as_deref(), Some(text));
    }
    assert_eq!(code(PI_DECIMALS), pi(Some(5000), Some("TX000000001"), true), "two decimals of zero");
}

#[test]
fn our_own_and_older_codes_are_read() {
    let generic = code(GENERIC);
    assert_eq!(generic.payee, Payee::Hostolink { account: "HSTMRC000123".into(), code: None });
    assert_eq!((generic.amount, generic.reference.as_deref(), generic.dynamic), (Some(2500), Some("INV-0001"), true));
    assert_eq!((generic.name.as_str(), generic.city.as_str()), ("BOUTIQUE AWA", "ABIDJAN"));
    let older = code(OLDER);
    assert_eq!(older.payee, Payee::PiSpi { alias: "test-123".into() });
    assert_eq!((older.name.as_str(), older.dynamic), ("TEST SHOP", false));
}

#[test]
fn one_wrong_character_anywhere_is_damage() {
    for text in [PI_STATIC, PI_DYNAMIC, GENERIC, OLDER] {
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
            let altered = String::from_utf8(bytes).unwrap();
            assert!(read(&altered).is_err(), "{altered}");
            assert!(read(&text[..at]).is_err(), "cut at {at}");
        }
    }
}

#[test]
fn damage_has_its_reason() {
    assert_eq!(read(""), Err(Damage::Unknown));
    assert_eq!(read("bonjour"), Err(Damage::Unknown));
    assert_eq!(read(&"0".repeat(MAX_BYTES + 1)), Err(Damage::TooLong));
    assert_eq!(read(&PI_STATIC[..PI_STATIC.len() - 8]), Err(Damage::Checksum), "no checksum");
    assert_eq!(read(&PI_STATIC.to_ascii_lowercase()), Err(Damage::Checksum));
    assert_eq!(read(&sealed("000201000201")), Err(Damage::Repeated));
    assert_eq!(read(&sealed("0002015")), Err(Damage::Truncated));
    assert_eq!(read(&sealed("00020153039525802CI")), Err(Damage::Incomplete), "nobody to pay");
    assert_eq!(read(&sealed("0002012602015802CI")), Err(Damage::Incomplete), "no currency");
    let with_amount = |amount: &str| {
        sealed(&format!("00020126250012ci.hostolink0105ABCDE530395254{:02}{amount}5802CI", amount.len()))
    };
    assert_eq!(code(&with_amount("1500")).amount, Some(1500));
    for wrong in ["0", "1.50", "1,5", "-5", "1e3", "5.", ".5", "00000000000001", "9999999999999", "15.000"] {
        assert_eq!(read(&with_amount(wrong)), Err(Damage::Amount), "{wrong}");
    }
    let alias = |alias: &str| {
        sealed(&format!("000201{}53039525802CI", {
            let template = format!("0012int.bceao.pi01{:02}{alias}", alias.len());
            format!("36{:02}{template}", template.len())
        }))
    };
    assert_eq!(read(&alias("pas-un-alias")), Err(Damage::Alias));
}

#[test]
fn what_belongs_to_others_is_named() {
    let foreign = |text: &str| match read(text).unwrap() {
        Scanned::Foreign(foreign) => foreign,
        Scanned::Code(code) => panic!("{code:?}"),
    };
    assert_eq!(foreign("https://pay.wave.com/m/M_ci_abc/c/ci/"), Foreign::Wave);
    assert_eq!(foreign("https://qrcode.orange.ci/abc"), Foreign::OrangeMoney);
    assert_eq!(foreign("https://orange-money.example/x"), Foreign::OrangeMoney);
    assert_eq!(foreign("https://notwave.com/x"), Foreign::Address);
    assert_eq!(foreign(&sealed("00020126250012ci.hostolink0105ABCDE53039785802CI")), Foreign::Currency);
    assert_eq!(foreign(&sealed("00020126250012ci.hostolink0105ABCDE53039525802FR")), Foreign::Country);
    assert_eq!(
        code(&sealed("00020102160123456789012345530395258 02CI".replace(' ', "").as_str())).payee,
        Payee::Other { network: "tag 02".into() }
    );
}

#[test]
fn names_are_printed_in_ascii() {
    assert_eq!(printed_name("Aïcha N'Guessan-Koné"), "AICHA N'GUESSAN-KONE");
    assert_eq!(printed_name("汉字"), "X");
    assert_eq!(printed_name(&"a".repeat(80)).len(), 25);
    assert_eq!(printed_city("Grand-Bassam, Côte d'Ivoire"), "GRAND-BASSAM CO");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        account in "[0-9a-f]{32}",
        id in proptest::option::of("[0-9a-f]{32}"),
        amount in proptest::option::of(1_i64..=1_000_000_000_000),
        reference in proptest::option::of("[A-Z0-9-]{1,25}"),
        dynamic: bool,
    ) {
        let made = Code {
            payee: Payee::Hostolink { account, code: id },
            amount,
            country: "CI".into(),
            name: "AWA K.".into(),
            city: "ABIDJAN".into(),
            reference,
            dynamic,
        };
        let text = write(&made).unwrap();
        prop_assert_eq!(read(&text), Ok(Scanned::Code(made)));
    }

    #[test]
    fn nothing_that_a_camera_sees_makes_it_fall(text in any::<String>()) {
        let _ = read(&text);
        let _ = read(&sealed(&format!("0002{text}")));
    }
}
