//! What stands in `mdp`, and what becomes of it.

use identity::password;

/// The shapes that the column may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// No password yet.
    Nothing,
    /// argon2 or bcrypt: it stays, and is upgraded at the next sign-in.
    Hashed,
    /// Anything else is taken for clear text: hashed at once, so that it cannot be read any more.
    Clear,
}

pub(super) fn kind(mdp: Option<&str>) -> Kept {
    match mdp {
        None | Some("") => Kept::Nothing,
        Some(text) if password::is_hash(text) => Kept::Hashed,
        Some(_) => Kept::Clear,
    }
}
