-- Identity: who someone is, and how they prove it. Owner: crates/identity.

-- The brief's table, widened only where security asks and completed beside.
ALTER TABLE utilisateur
  ADD COLUMN IF NOT EXISTS public_id uuid NOT NULL DEFAULT uuid_v7(),
  ADD COLUMN IF NOT EXISTS type_utilisateur varchar NOT NULL DEFAULT 'CITIZEN',
  ADD COLUMN IF NOT EXISTS statut varchar NOT NULL DEFAULT 'actif'
    CONSTRAINT utilisateur_statut_connu CHECK (statut IN ('actif', 'suspendu', 'supprime')),
  ADD COLUMN IF NOT EXISTS palier smallint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS langue varchar NOT NULL DEFAULT 'fr',
  ADD COLUMN IF NOT EXISTS email_verifie_le timestamptz,
  ADD COLUMN IF NOT EXISTS telephone_verifie_le timestamptz,
  ADD COLUMN IF NOT EXISTS mdp_modifie_le timestamptz,
  ADD COLUMN IF NOT EXISTS sorties_bloquees_jusqu timestamptz,
  ADD COLUMN IF NOT EXISTS adopte_le timestamptz,
  ADD COLUMN IF NOT EXISTS supprime_le timestamptz;
CREATE UNIQUE INDEX IF NOT EXISTS utilisateur_public_id_unique ON utilisateur (public_id);
COMMENT ON COLUMN utilisateur.mdp IS 'PHC string (argon2id), or bcrypt of the first backend until the next sign-in; never clear text';
COMMENT ON COLUMN utilisateur.palier IS 'Verification tier: 0 proved by OTP, 1 identity verified, 2 business; written by kyc, read by wallet';
COMMENT ON COLUMN utilisateur.sorties_bloquees_jusqu IS 'No money leaves before: 24 h after a reset of the password or of the PIN';
COMMENT ON COLUMN utilisateur.adopte_le IS 'Came from the first backend: signs in with its password before it proved anything here';

ALTER TABLE otp
  ALTER COLUMN otp_code TYPE varchar(64) USING left(otp_code, 64),
  ADD COLUMN IF NOT EXISTS objet varchar NOT NULL DEFAULT 'verify',
  ADD COLUMN IF NOT EXISTS canal varchar NOT NULL DEFAULT 'sms',
  ADD COLUMN IF NOT EXISTS destination varchar NOT NULL DEFAULT '',
  ADD COLUMN IF NOT EXISTS sel bytea NOT NULL DEFAULT '',
  ADD COLUMN IF NOT EXISTS generation_cle smallint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS essais smallint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS envois smallint NOT NULL DEFAULT 1,
  ADD COLUMN IF NOT EXISTS dernier_envoi_le timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN IF NOT EXISTS consomme_le timestamptz,
  ADD COLUMN IF NOT EXISTS cree_le timestamptz NOT NULL DEFAULT now();
-- Codes of the first backend stood here in clear: they are short-lived, nothing is lost with them.
UPDATE otp SET is_valid = false, otp_code = '' WHERE sel = '';
UPDATE utilisateur SET code_confirmation = NULL WHERE code_confirmation IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS otp_un_seul_vivant ON otp (user_id, objet, destination) WHERE is_valid;
COMMENT ON COLUMN otp.otp_code IS 'HMAC-SHA256 of the code in hex, bound to purpose, destination and sel; never a code';
COMMENT ON COLUMN otp.sel IS '16 random bytes of this code';
COMMENT ON COLUMN otp.generation_cle IS 'Which secret made the HMAC (kernel::keys)';
COMMENT ON COLUMN otp.essais IS 'Wrong codes so far; counted by the statement that compares';
COMMENT ON COLUMN otp.is_valid IS 'Not used and not voided; an expired or exhausted code stays until it is replaced, so that its cooldown lasts';
COMMENT ON COLUMN otp.envois IS 'Messages in a row: which cooldown comes next';
COMMENT ON COLUMN otp.objet IS 'verify, login, reset, citizen, or identifier (a new one of a signed-in account); part of the HMAC';

CREATE TABLE ticket_parcours (
  id_user integer NOT NULL REFERENCES utilisateur (id_user) ON DELETE CASCADE,
  empreinte bytea NOT NULL,
  nature varchar NOT NULL CHECK (nature IN ('inscription', 'preuve', 'parcours')),
  objet varchar NOT NULL DEFAULT '',
  destination varchar NOT NULL DEFAULT '',
  expire_le timestamptz NOT NULL,
  utilise_le timestamptz,
  cree_le timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (id_user, empreinte)
);
CREATE UNIQUE INDEX ticket_parcours_empreinte ON ticket_parcours (empreinte);
COMMENT ON TABLE ticket_parcours IS 'Tickets between the steps of a journey, SHA-256 only: inscription serves define-password, preuve proves a destination once, parcours is the cookie';

CREATE TABLE session (
  id_user integer NOT NULL REFERENCES utilisateur (id_user) ON DELETE CASCADE,
  id uuid NOT NULL,
  acces_empreinte bytea NOT NULL,
  acces_expire_le timestamptz NOT NULL,
  acces_utilise boolean NOT NULL DEFAULT false,
  rafraichissement_empreinte bytea NOT NULL,
  rafraichissement_precedent bytea,
  rafraichissement_expire_le timestamptz NOT NULL,
  generation integer NOT NULL DEFAULT 1,
  deverrouille_jusqu timestamptz,
  appareil varchar NOT NULL DEFAULT '',
  reseau varchar NOT NULL DEFAULT '',
  cree_le timestamptz NOT NULL DEFAULT now(),
  vu_le timestamptz NOT NULL DEFAULT now(),
  expire_le timestamptz NOT NULL,
  revoque_le timestamptz,
  revoque_motif varchar,
  PRIMARY KEY (id_user, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX session_acces ON session (acces_empreinte);
CREATE UNIQUE INDEX session_rafraichissement ON session (rafraichissement_empreinte);
CREATE INDEX session_precedent ON session (rafraichissement_precedent) WHERE rafraichissement_precedent IS NOT NULL;
COMMENT ON TABLE session IS 'One sign-in on one device. Tokens are opaque, 32 random bytes, kept as SHA-256 only';
COMMENT ON COLUMN session.acces_utilise IS 'The current access token was seen: a refresh with the previous token is then a theft, not a lost answer';
COMMENT ON COLUMN session.deverrouille_jusqu IS 'The PIN was given on this session; money may leave until then';

CREATE TABLE code_secret (
  id_user integer PRIMARY KEY REFERENCES utilisateur (id_user) ON DELETE CASCADE,
  empreinte varchar NOT NULL,
  generation_cle smallint NOT NULL,
  echecs smallint NOT NULL DEFAULT 0,
  verrouille_le timestamptz,
  modifie_le timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE code_secret IS 'Payment PIN: argon2id over HMAC(pepper, user, pin). Five consecutive failures lock it until password and OTP';

CREATE TABLE compteur (
  portee varchar NOT NULL,
  periode timestamptz NOT NULL,
  nombre integer NOT NULL DEFAULT 0,
  PRIMARY KEY (portee, periode)
);
COMMENT ON TABLE compteur IS 'Fixed-window counters: budgets of sends and tries by destination, subject and network. portee holds hashes, never an identifier';

CREATE TABLE echec_connexion (
  sujet bytea NOT NULL,
  reseau varchar NOT NULL,
  echecs integer NOT NULL DEFAULT 0,
  bloque_jusqu timestamptz,
  reussi_le timestamptz,
  vu_le timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (sujet, reseau)
);
CREATE INDEX echec_connexion_reseau ON echec_connexion (reseau, vu_le) WHERE echecs > 0;
COMMENT ON TABLE echec_connexion IS 'Wrong passwords by account and network: an attacker slows down himself, not the owner who signs in from a network that succeeded before';
COMMENT ON COLUMN echec_connexion.sujet IS 'HMAC of the account, or of an identifier without account: who does not exist is counted and delayed like who does';
COMMENT ON COLUMN echec_connexion.reseau IS '* counts all networks that never succeeded for the account';

CREATE TABLE utilisateur_role (
  id_user integer NOT NULL REFERENCES utilisateur (id_user) ON DELETE CASCADE,
  role_name varchar NOT NULL,
  accorde_le timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (id_user, role_name)
);
-- role_permission is the brief's table: one row a role, its permissions a JSON list.
CREATE UNIQUE INDEX IF NOT EXISTS role_permission_nom ON role_permission (role_name);
INSERT INTO role_permission (role_name, permissions) VALUES
  ('admin', '["*"]'),
  ('support', '["users.read"]'),
  ('moderator', '["health.moderate", "social.moderate"]'),
  ('treasury', '["wallet.audit", "wallet.reconcile"]')
-- A role of the first backend keeps its own permissions and gains ours: without them nobody could ever be administrator.
ON CONFLICT (role_name) DO UPDATE SET permissions = (
  SELECT json_agg(permission ORDER BY permission) FROM (
    SELECT jsonb_array_elements(CASE WHEN jsonb_typeof(role_permission.permissions::jsonb) = 'array'
                                     THEN role_permission.permissions::jsonb ELSE '[]' END)
    UNION SELECT jsonb_array_elements(excluded.permissions::jsonb)) reunies (permission));

CREATE TABLE evenement_securite (
  id_user integer NOT NULL,
  id uuid NOT NULL,
  nature varchar NOT NULL,
  reseau varchar NOT NULL DEFAULT '',
  details jsonb NOT NULL DEFAULT '{}',
  cree_le timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (id_user, id)
);
COMMENT ON TABLE evenement_securite IS 'Append-only log of security events; no reference to utilisateur: it outlives an erased account. No number, code or token in details';

-- What a lower crate publishes to the houses above (architecture: read through views, never write).
CREATE VIEW v_profil_public AS
  SELECT id_user, public_id, nom, prenom, photo_profile, type_utilisateur, palier, statut
    FROM utilisateur WHERE supprime_le IS NULL;
COMMENT ON VIEW v_profil_public IS 'What houses may show of a person';
