//! Sends what the houses have to tell people: the job `message.send`. The sentence is made here, at the last moment, so
//! that houses hold no wording and the queue holds no code in clear.

use std::sync::Arc;
use std::time::Duration;

use jobs::{Job, Outcome, Policy};
use kernel::http::Lexicon;
use kernel::keys::Purpose;
use kernel::{Keys, Lang};
use providers::SendError;
use providers::mail::{Mail, Mailer};
use providers::sms::{Router, Sms};
use serde::Deserialize;

/// The kind of job that houses enqueue.
pub const KIND: &str = "message.send";
/// A message that did not leave is tried again; a code is not worth more than its five minutes.
pub const POLICY: Policy = Policy { max_tries: 6, lease: Duration::from_secs(60) };

/// The ways out.
pub struct Delivery {
    lexicon: Arc<Lexicon>,
    keys: Keys,
    mail: Option<Mailer>,
    sms: Option<Router>,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Delivery")
    }
}

#[derive(Deserialize)]
struct Message {
    channel: Channel,
    to: String,
    template: String,
    #[serde(default)]
    lang: String,
    /// What the sentence names beside the code.
    #[serde(default)]
    params: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Channel {
    Sms,
    Email,
}

impl Delivery {
    /// With the ways that the configuration chose; a message for a way that is missing waits for an operator.
    pub fn new(lexicon: Arc<Lexicon>, keys: Keys, mail: Option<Mailer>, sms: Option<Router>) -> Self {
        Self { lexicon, keys, mail, sms }
    }

    /// Sends one message.
    pub async fn send(&self, job: Job) -> Outcome {
        let Ok(message) = serde_json::from_value::<Message>(job.payload.clone()) else {
            return Outcome::GiveUp("the payload cannot be read".into());
        };
        let code = match &job.secret {
            None => String::new(),
            Some(sealed) => match self.open(&job, sealed) {
                Some(code) => code,
                None => return Outcome::GiveUp("the secret cannot be opened".into()),
            },
        };
        let id = job.id.to_string();
        let sent = match (message.channel, &self.sms, &self.mail) {
            (Channel::Sms, Some(sms), _) => sms.send(&self.sms(&message, &code), &id).await,
            (Channel::Email, _, Some(mail)) => mail.send(&self.mail(&message, &code), &id).await,
            _ => return Outcome::Retry("no way is configured for this channel".into()),
        };
        match sent {
            Ok(_) => Outcome::Done,
            Err(error) => ended(&error),
        }
    }

    fn open(&self, job: &Job, sealed: &[u8]) -> Option<String> {
        let clear = self.keys.open(Purpose::Outbox, job.id.as_bytes(), sealed)?;
        String::from_utf8(clear.to_vec()).ok()
    }

    fn sms(&self, message: &Message, code: &str) -> Sms {
        Sms { to: message.to.clone(), text: self.text("sms", message, code) }
    }

    fn mail(&self, message: &Message, code: &str) -> Mail {
        let (subject, text) = (self.text("mail_subject", message, code), self.text("mail", message, code));
        Mail { to: message.to.clone(), subject, text, html: None }
    }

    fn text(&self, table: &str, message: &Message, code: &str) -> String {
        let lang = if message.lang == "en" { Lang::En } else { Lang::Fr };
        let sentence =
            self.lexicon.sentence(lang, &format!("{table}.{}", message.template), &[("code", code.to_owned())]);
        message.params.iter().fold(sentence, |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

/// A message of unknown fate is not sent twice by us: the router did what may be done.
fn ended(error: &SendError) -> Outcome {
    let reason = error.code().to_owned();
    if error.may_retry() { Outcome::Retry(reason) } else { Outcome::GiveUp(reason) }
}
