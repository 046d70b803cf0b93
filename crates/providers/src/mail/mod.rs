//! Mail: one message to one person, by SMTP or into the development mailbox.

mod folder;
mod smtp;

use std::{io, path::Path};

use lettre::{
    Address, Message,
    message::{Mailbox as Correspondent, MultiPart, SinglePart},
};

use self::{folder::Folder, smtp::Smtp};
use crate::{
    Receipt, SendError,
    vars::{Faults, Lookup},
};
pub use smtp::{SmtpConfig, SmtpTls};

/// Longest text or HTML part, in bytes.
const MAX_PART_BYTES: usize = 256 * 1024;
/// Longest subject, in bytes.
const MAX_SUBJECT_BYTES: usize = 250;

/// A message to one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Address, without a name.
    pub to: String,
    /// Subject, any language.
    pub subject: String,
    /// The whole message as plain text.
    pub text: String,
    /// The same message as HTML, for programs that prefer it.
    pub html: Option<String>,
}

/// The way mail leaves.
#[derive(Debug)]
pub struct Mailer(Way);

#[derive(Debug)]
enum Way {
    Smtp(Box<Smtp>),
    Folder(Folder),
}

impl Mailer {
    /// Mail by SMTP. Nothing is connected before the first message.
    pub fn smtp(config: SmtpConfig) -> Result<Self, SendError> {
        Ok(Self(Way::Smtp(Box::new(Smtp::new(config)?))))
    }

    /// A development mailbox: each message becomes one `.eml` file of this folder.
    pub fn folder(path: &Path) -> io::Result<Self> {
        Ok(Self(Way::Folder(Folder::open(path)?)))
    }

    /// Reads `HOSTOLINK_SMTP_URL` and `HOSTOLINK_MAIL_FROM`; every fault is reported at once.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let config = SmtpConfig::from_vars(lookup)?;
        let unusable = |_| Faults::one("HOSTOLINK_SMTP_URL", "cannot be used (TLS settings or sender)");
        Self::smtp(config).map_err(unusable)
    }

    /// Sends one message. `id` is ours: the same id gives the same `Message-ID`, by which a receiver recognises a repeat.
    pub async fn send(&self, mail: &Mail, id: &str) -> Result<Receipt, SendError> {
        let sent = match &self.0 {
            Way::Smtp(smtp) => smtp.send(mail, id).await,
            Way::Folder(folder) => folder.send(mail, id).await,
        };
        match &sent {
            Ok(receipt) => tracing::info!(route = %receipt.route, message = id, "mail handed over"),
            Err(error) => tracing::warn!(code = error.code(), message = id, "mail not handed over: {error}"),
        }
        sent
    }
}

/// Writes the message down. Faults are the caller's text or address, so they are hopeless.
fn compose(route: &str, from: &Correspondent, mail: &Mail, id: &str) -> Result<Message, SendError> {
    if mail.subject.len() > MAX_SUBJECT_BYTES || mail.text.len() > MAX_PART_BYTES {
        return Err(SendError::hopeless(route, "message_too_long"));
    }
    let to: Address = mail.to.parse().map_err(|_| SendError::hopeless(route, "invalid_address"))?;
    let draft = Message::builder()
        .from(from.clone())
        .to(Correspondent::new(None, to))
        .subject(mail.subject.as_str())
        .message_id(Some(format!("<{}@{}>", header_safe(id), from.email.domain())));
    let message = match &mail.html {
        Some(html) if html.len() > MAX_PART_BYTES => return Err(SendError::hopeless(route, "message_too_long")),
        Some(html) => draft.multipart(MultiPart::alternative_plain_html(mail.text.clone(), html.clone())),
        None => draft.singlepart(SinglePart::plain(mail.text.clone())),
    };
    message.map_err(|_| SendError::hopeless(route, "invalid_message"))
}

fn header_safe(id: &str) -> String {
    id.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_')).take(100).collect()
}
