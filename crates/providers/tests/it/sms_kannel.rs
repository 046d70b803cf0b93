//! A text through Debian's Kannel: bearerbox, smsbox and fakesmsc as an operator.

use std::{fs, path::Path};

use axum::{Router, extract::RawQuery, routing::get};
use providers::{
    Secret, SendError,
    sms::{KannelConfig, Route, Sms, SmsRoute as _, gsm7},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::peers::{Output, Program, free_port, program, serve, wait_for_port};

/// The gateway and the operator behind it. Fields are dropped in this order: operator first.
struct Gateway {
    operator: Program,
    _smsbox: Program,
    _bearerbox: Program,
    _folder: TempDir,
    url: String,
}

fn gateway() -> Option<Gateway> {
    let bearerbox = program(&["/usr/sbin/bearerbox", "/usr/local/sbin/bearerbox"])?;
    let smsbox = program(&["/usr/sbin/smsbox", "/usr/local/sbin/smsbox"])?;
    let fakesmsc = program(&["/usr/lib/kannel/test/fakesmsc", "/usr/local/bin/fakesmsc"])?;
    let folder = tempfile::tempdir().unwrap();
    let [admin, boxes, operator_port, sendsms] = [free_port(), free_port(), free_port(), free_port()];
    let file = folder.path().join("kannel.conf");
    fs::write(&file, configuration(admin, boxes, operator_port, sendsms)).unwrap();
    let file = path(&file);

    let bearerbox = Program::start(bearerbox, &[file], Output::Err).unwrap();
    wait_for_port(boxes);
    wait_for_port(operator_port);
    let port = operator_port.to_string();
    // fakesmsc insists on sending something itself: one text, answered by nobody.
    let arguments = ["-H", "127.0.0.1", "-r", &port, "-m", "1", "1000 2000 text bonjour"];
    let operator = Program::start(fakesmsc, &arguments, Output::Err).unwrap();
    operator.wait_for(|line| line.contains("sent message 1").then_some(()));
    let smsbox = Program::start(smsbox, &[file], Output::Err).unwrap();
    wait_for_port(sendsms);
    let url = format!("http://127.0.0.1:{sendsms}/cgi-bin/sendsms");
    Some(Gateway { operator, _smsbox: smsbox, _bearerbox: bearerbox, _folder: folder, url })
}

fn path(file: &Path) -> &str {
    file.to_str().unwrap()
}

fn configuration(admin: u16, boxes: u16, operator: u16, sendsms: u16) -> String {
    format!(
        "group = core\n\
         admin-port = {admin}\nadmin-interface = 127.0.0.1\nadmin-password = unused\n\
         smsbox-port = {boxes}\nsmsbox-interface = 127.0.0.1\nbox-allow-ip = 127.0.0.1\nlog-level = 1\n\n\
         group = smsc\nsmsc = fake\nsmsc-id = fake\nport = {operator}\nconnect-allow-ip = 127.0.0.1\n\n\
         group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {sendsms}\nsendsms-interface = 127.0.0.1\n\n\
         group = sendsms-user\nusername = hostolink\npassword = p&ss\nmax-messages = 4\n\n\
         group = sms-service\nkeyword = default\ntext = none\nmax-messages = 0\n"
    )
}

fn route(url: &str, password: &str, dlr_url: Option<String>) -> Route {
    let (username, from) = ("hostolink".to_owned(), "HOSTOLINK".to_owned());
    Route::kannel(KannelConfig { url: url.to_owned(), username, password: Secret::new(password), from, dlr_url })
        .unwrap()
}

fn sms(text: &str) -> Sms {
    Sms { to: "+2250708091011".to_owned(), text: text.to_owned() }
}

#[tokio::test]
async fn the_operator_behind_a_real_gateway_receives_the_text() {
    let Some(gateway) = gateway() else { return };
    let (sender, mut receipts) = mpsc::channel(10);
    let hook = move |RawQuery(query): RawQuery| async move {
        let _ = sender.send(query.unwrap_or_default()).await;
    };
    let hooks = serve(Router::new().route("/hooks/kannel", get(hook))).await;
    let kannel = route(&gateway.url, "p&ss", Some(format!("http://{hooks}/hooks/kannel")));

    let code = "Hostolink : votre code est 482913. Ne le donnez à personne & gardez-le.";
    assert!(gsm7::fits(code));
    kannel.send(&sms(code), "0193f2a1").await.unwrap();
    let arrived = gateway.operator.wait_for(|line| line.split_once("Got message").map(|(_, rest)| rest.to_owned()));
    assert!(arrived.ends_with(&format!("<HOSTOLINK +2250708091011 text {code}>")), "{arrived}");

    // The delivery receipt comes back with our own id and the operator's verdict (8: accepted, then 1: delivered).
    let receipt = receipts.recv().await.unwrap();
    assert!(receipt.starts_with("id=0193f2a1&event=") && receipt.ends_with("&smsc=fake"), "{receipt}");

    // "ê" is outside the plain alphabet: UTF-16, percent-encoded by fakesmsc, nothing lost.
    kannel.send(&sms("Prêt"), "0193f2a2").await.unwrap();
    let arrived = gateway.operator.wait_for(|line| line.split_once("Got message").map(|(_, rest)| rest.to_owned()));
    assert!(arrived.ends_with("ucs-2 %00P%00r%00%EA%00t>"), "{arrived}");

    let stranger = route(&gateway.url, "wrong", None).send(&sms("x"), "3").await.unwrap_err();
    assert_eq!(stranger, SendError::Misconfigured { route: "kannel".to_owned(), code: "http_403".to_owned() });
}
