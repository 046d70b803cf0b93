//! The development mailbox for SMS.

use std::{io, path::Path};

use serde_json::json;

use super::{Sms, SmsRoute};
use crate::{Receipt, SendError, mailbox::Mailbox};

/// A folder that receives texts, one file of one JSON line each.
#[derive(Debug)]
pub struct Folder {
    mailbox: Mailbox,
}

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { mailbox: Mailbox::open(path, "jsonl")? })
    }
}

impl SmsRoute for Folder {
    fn name(&self) -> &'static str {
        "folder"
    }

    async fn send(&self, sms: &Sms, id: &str) -> Result<Receipt, SendError> {
        let line = format!("{}\n", json!({ "id": id, "to": sms.to, "text": sms.text }));
        let stored = self.mailbox.put(id, line.into_bytes()).await;
        stored
            .map(|name| Receipt::new(self.name(), Some(name)))
            .map_err(|_| SendError::refused(self.name(), "folder_unwritable"))
    }
}
