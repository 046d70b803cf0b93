-- Replaced refresh tokens are forgotten by their age. Owner: crates/identity.
CREATE INDEX jeton_ancien_age ON jeton_ancien (cree_le);
