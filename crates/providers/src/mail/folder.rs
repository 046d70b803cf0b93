//! The development mailbox for mail: what would have been sent, byte for byte, as `.eml` files.

use std::{io, path::Path};

use lettre::{Address, message::Mailbox as Correspondent};

use super::{Mail, compose};
use crate::{Receipt, SendError, mailbox::Mailbox};

const ROUTE: &str = "folder";

#[derive(Debug)]
pub(super) struct Folder {
    mailbox: Mailbox,
    from: Correspondent,
}

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let address = Address::new("ne-pas-repondre", "localhost").map_err(io::Error::other)?;
        let from = Correspondent::new(Some("Hostolink".to_owned()), address);
        Ok(Self { mailbox: Mailbox::open(path, "eml")?, from })
    }

    pub(super) async fn send(&self, mail: &Mail, id: &str) -> Result<Receipt, SendError> {
        let message = compose(ROUTE, &self.from, mail, id)?;
        let stored = self.mailbox.put(id, message.formatted()).await;
        stored.map(|name| Receipt::new(ROUTE, Some(name))).map_err(|_| SendError::refused(ROUTE, "folder_unwritable"))
    }
}
