//! Mail through a real SMTP server, read back as the server's own library understood it.

use providers::{
    SendError,
    mail::{Mail, Mailer, SmtpConfig},
};
use serde_json::Value;

use crate::peers::{Output, Program, free_port, python_with};

fn code_mail(to: &str) -> Mail {
    Mail {
        to: to.to_owned(),
        subject: "Vérifiez votre adresse — Hôstolink".to_owned(),
        text: "Bonjour Awa Koné,\nvotre code : 482913.\n".to_owned(),
        html: None,
    }
}

fn server() -> Option<(Program, u16)> {
    let python = python_with("aiosmtpd")?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/smtp_server.py");
    let server = Program::start(python, &[script], Output::Out).unwrap();
    let port = server.wait_for(|line| serde_json::from_str::<Value>(line).ok()?["port"].as_u64()).try_into().unwrap();
    Some((server, port))
}

fn mailer(port: u16, account: &str) -> Mailer {
    let config = SmtpConfig::from_vars(&|key| match key {
        "HOSTOLINK_SMTP_URL" => Some(format!("smtp://{account}@127.0.0.1:{port}?tls=none")),
        "HOSTOLINK_MAIL_FROM" => Some("Hostolink <ne-pas-repondre@hostolink.ci>".to_owned()),
        _ => None,
    });
    Mailer::smtp(config.unwrap()).unwrap()
}

#[tokio::test]
async fn a_real_server_receives_the_code_in_french() {
    let Some((server, port)) = server() else { return };
    let mailer = mailer(port, "hostolink:p%40ss");
    mailer.send(&code_mail("awa@example.ci"), "0193f2a1").await.unwrap();

    let arrived: Value = server.wait_for(|line| serde_json::from_str(line).ok());
    assert_eq!(arrived["from"], "ne-pas-repondre@hostolink.ci");
    assert_eq!(arrived["to"], serde_json::json!(["awa@example.ci"]));
    assert_eq!(arrived["subject"], "Vérifiez votre adresse — Hôstolink");
    assert_eq!(arrived["message_id"], "<0193f2a1@hostolink.ci>");
    let text = arrived["text"].as_str().unwrap().replace("\r\n", "\n");
    assert_eq!(text.trim_end(), "Bonjour Awa Koné,\nvotre code : 482913.");

    let both =
        Mail { html: Some("<p>Votre code : <b>482913</b>, Koné</p>".to_owned()), ..code_mail("awa@example.ci") };
    mailer.send(&both, "0193f2a2").await.unwrap();
    let arrived: Value = server.wait_for(|line| serde_json::from_str(line).ok());
    assert!(arrived["html"].as_str().unwrap().contains("<b>482913</b>, Koné"));
    assert!(arrived["text"].as_str().unwrap().contains("482913"));
}

#[tokio::test]
async fn refusals_of_a_real_server_are_told_apart() {
    let Some((_server, port)) = server() else { return };
    let good = mailer(port, "hostolink:p%40ss");
    let refused = good.send(&code_mail("refuse@example.ci"), "1").await.unwrap_err();
    assert!(matches!(&refused, SendError::Definite { permanent: true, code, .. } if code == "smtp_550"), "{refused:?}");
    let later = good.send(&code_mail("later@example.ci"), "2").await.unwrap_err();
    assert!(matches!(&later, SendError::Definite { permanent: false, code, .. } if code == "smtp_451"), "{later:?}");

    let stranger = mailer(port, "hostolink:wrong").send(&code_mail("awa@example.ci"), "3").await.unwrap_err();
    assert!(matches!(&stranger, SendError::Misconfigured { code, .. } if code == "smtp_535"), "{stranger:?}");
}

#[tokio::test]
async fn a_dead_server_and_a_bad_address_are_definite() {
    let dead = mailer(free_port(), "a:b").send(&code_mail("awa@example.ci"), "1").await.unwrap_err();
    assert!(matches!(&dead, SendError::Definite { permanent: false, code, .. } if code == "unreachable"), "{dead:?}");

    let injected = code_mail("awa@example.ci>\r\nBcc: everybody@example.ci");
    let bad = mailer(free_port(), "a:b").send(&injected, "1").await.unwrap_err();
    assert!(matches!(&bad, SendError::Definite { permanent: true, code, .. } if code == "invalid_address"), "{bad:?}");
}

#[tokio::test]
async fn a_server_that_falls_silent_leaves_the_outcome_open() {
    // Accepts the connection and never says a word.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let keep = tokio::spawn(async move { silent.accept().await });
    let mut config = SmtpConfig::from_vars(&|key| match key {
        "HOSTOLINK_SMTP_URL" => Some(format!("smtp://127.0.0.1:{port}?tls=none")),
        _ => Some("a@hostolink.ci".to_owned()),
    })
    .unwrap();
    config.timeout_s = 1;
    let silence = Mailer::smtp(config).unwrap().send(&code_mail("awa@example.ci"), "1").await.unwrap_err();
    assert!(matches!(&silence, SendError::Unknown { code, .. } if code == "timeout"), "{silence:?}");
    keep.abort();
}

#[tokio::test]
async fn the_development_mailbox_holds_what_a_person_would_read() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = Mailer::folder(folder.path()).unwrap();
    let receipt = mailer.send(&code_mail("awa@example.ci"), "0193f2a1").await.unwrap();
    let name = receipt.provider_id.unwrap();
    assert_eq!(name, "0000000001-0193f2a1.eml");
    let content = std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(content.contains("To: awa@example.ci\r\n") && content.contains("482913"), "{content}");
}
