//! `Wave-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>]`. What is signed is the time directly followed by the raw body:
//! no dot between them, unlike at other houses.

use crate::wire;

pub(super) const HEADER: &str = "wave-signature";
/// How far a signed time may be from ours, in seconds.
const WINDOW_S: i64 = 300;

fn v1(secret: &str, time: &str, body: &[u8]) -> String {
    hex::encode(wire::hmac_sha256(secret.as_bytes(), &[time.as_bytes(), body]))
}

/// The header for one body, with one `v1` for each secret.
pub(super) fn header(secrets: &[String], unix_s: i64, body: &[u8]) -> String {
    let time = unix_s.to_string();
    let each = secrets.iter().map(|secret| format!(",v1={}", v1(secret, &time, body)));
    format!("t={time}{}", each.collect::<String>())
}

/// Whether a request's signature holds.
pub(super) fn holds(secret: &str, header: &str, body: &[u8], unix_s: i64) -> bool {
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let Some((_, time)) = parts().find(|(name, _)| *name == "t") else { return false };
    let fresh = time.parse::<i64>().is_ok_and(|t| (unix_s - t).abs() <= WINDOW_S);
    let expected = v1(secret, time, body);
    fresh && parts().any(|(name, value)| name == "v1" && wire::same(&value.to_ascii_lowercase(), &expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: i64 = 1_795_305_600;
    const B1: &str = r#"{"id":"EV_TEST0001","type":"checkout.session.completed","data":{"id":"cos-test0001","amount":"1500","currency":"XOF","payment_status":"succeeded"}}"#;
    const WEBHOOK: &str = "38f8b0ce2e14510981f86a98ed355a0ce727aadc7115a0d85165fd6ff767f2d9";
    const REQUEST: &str = "1f7c7543d305349d723dfbec16426af396ab6d768d43844c36179f4339335530";

    #[test]
    fn known_answers() {
        let secrets = ["wave_ci_WHS_testsecret".to_owned()];
        assert_eq!(header(&secrets, T, B1.as_bytes()), format!("t={T},v1={WEBHOOK}"));
        assert_eq!(header(&["wave_ci_AKS_testsecret".to_owned()], T, b""), format!("t={T},v1={REQUEST}"));
    }

    #[test]
    fn one_v1_for_each_secret() {
        let both = header(&["old".to_owned(), "new".to_owned()], T, b"x");
        assert!(holds("old", &both, b"x", T) && holds("new", &both, b"x", T + WINDOW_S));
        assert!(!holds("other", &both, b"x", T));
        assert!(!holds("old", &both, b"y", T));
        assert!(!holds("old", &both, b"x", T + WINDOW_S + 1));
        assert!(!holds("old", "", b"x", T));
    }
}
