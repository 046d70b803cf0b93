use std::sync::mpsc::channel;
use std::time::Duration;

use kernel::Random;
use zeroize::Zeroizing;

use super::{Hasher, Verdict, check, confirmed};
use crate::IdentityError;

fn secret(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

fn refusal(password: &str) -> Option<&'static str> {
    match check(password, ["testemail@gmail.com", "+2250708091011"]) {
        Ok(()) => None,
        Err(IdentityError::Field("password", reason)) => Some(reason),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_policy_refuses_what_is_guessed_first() {
    for taken in ["MonMotDePasse123", "une phrase assez longue", "Zk7!mqPw", "éàùôîêçñ", &"aB3$".repeat(32)] {
        assert_eq!(refusal(taken), None, "{taken}");
    }
    assert_eq!(refusal("court12"), Some("password_too_short"));
    assert_eq!(refusal(&"aB3$".repeat(33)), Some("password_too_long"));
    for common in [
        "Password",
        "password2026",
        "motdepasse!",
        "Abidjan225",
        "HOSTOLINK2026!",
        "azertyuiop",
        "12345678",
        "abcdefgh",
        "hgfedcba",
        "aaaaaaaa",
        "ababababab",
        "Drogba11111",
    ] {
        assert_eq!(refusal(common), Some("password_too_common"), "{common}");
    }
    assert_eq!(refusal("xxTestEmail99"), Some("password_contains_identifier"));
    assert_eq!(refusal("moi 08091011 moi"), Some("password_contains_identifier"));
}

#[test]
fn both_passwords_have_to_be_the_same() {
    assert!(confirmed("MonMotDePasse123", "MonMotDePasse123").is_ok());
    assert!(confirmed("MonMotDePasse123", "MonMotDePasse124").is_err());
    assert!(confirmed("MonMotDePasse123", "MonMotDePasse1234").is_err());
}

#[tokio::test]
async fn a_hash_verifies_its_password_only() {
    let hasher = Hasher::with_threads(&Random::system(), 1).unwrap();
    let stored = hasher.hash(secret("MonMotDePasse123")).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    let verdict = async |password: &str| hasher.verify(secret(password), Some(stored.clone())).await.unwrap();
    assert_eq!(verdict("MonMotDePasse123").await, Verdict { right: true, outdated: false });
    assert!(!verdict("MonMotDePasse124").await.right);
    assert!(!hasher.verify(secret("MonMotDePasse123"), None).await.unwrap().right);
    assert_ne!(stored, hasher.hash(secret("MonMotDePasse123")).await.unwrap(), "a salt of its own");
}

#[tokio::test]
async fn hashes_of_the_first_backend_verify_and_are_told_to_be_old() {
    let hasher = Hasher::with_threads(&Random::system(), 1).unwrap();
    let old = Verdict { right: true, outdated: true };
    let written = bcrypt::hash("MonMotDePasse123", 4).unwrap();
    for prefix in ["$2a$", "$2b$", "$2y$"] {
        let stored = Some(format!("{prefix}{}", &written[4..]));
        assert_eq!(hasher.verify(secret("MonMotDePasse123"), stored.clone()).await.unwrap(), old, "{prefix}");
        assert!(!hasher.verify(secret("autre chose"), stored).await.unwrap().right);
    }
    // Argon2's reference vector (RFC 9106's authors' command line): 64 MiB, 2 passes, argon2i, version 19.
    let argon2i = "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA";
    assert_eq!(hasher.verify(secret("password"), Some(argon2i.to_owned())).await.unwrap(), old);
    for odd in [
        "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "$2b$31$abc",
        "clear",
        "",
    ] {
        assert!(!hasher.verify(secret("password"), Some(odd.to_owned())).await.unwrap().right, "{odd}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_waits_are_bounded() {
    let hasher = Hasher::with_threads(&Random::system(), 1).unwrap();
    let (go, gate) = channel::<()>();
    let held = {
        let hasher = hasher.clone();
        tokio::spawn(async move { hasher.run(move |_| gate.recv()).await })
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    let waiting: Vec<_> = (0..40)
        .map(|_| {
            let hasher = hasher.clone();
            tokio::spawn(async move { hasher.run(|_| ()).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let refused_at_once = waiting.iter().filter(|task| task.is_finished()).count();
    assert_eq!(refused_at_once, 8, "32 wait, the others are told at once");
    tokio::time::sleep(Duration::from_millis(2100)).await;
    go.send(()).unwrap();
    assert!(held.await.unwrap().is_ok());
    for task in waiting {
        assert!(matches!(task.await.unwrap(), Err(IdentityError::Busy)), "too old to be begun");
    }
    assert!(hasher.run(|_| ()).await.is_ok(), "the pool goes on");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn hashing_stands_behind_the_rest_of_the_program() {
    let niceness = || rustix::process::getpriority_process(None).unwrap();
    let hasher = Hasher::with_threads(&Random::system(), 1).unwrap();
    let (before, hashing) = (niceness(), hasher.run(move |_| niceness()).await.unwrap());
    assert_eq!(hashing, (before + 10).min(19));
    assert_eq!(niceness(), before, "only the hasher's threads");
}
