-- What stands around the ledger: codes, cards, orders to operators, requests, groups, plans, webhooks.
-- Owner: crates/wallet. Money itself is in 0030; nothing here decides how much anybody has.

-- Who the other side of a payment is, as far as it may be shown. Identifiers leave the program masked only.
CREATE VIEW v_contrepartie AS
  SELECT id_user, prenom, nom, telephone, email, telephone_verifie_le IS NOT NULL AS telephone_verifie,
         email_verifie_le IS NOT NULL AS email_verifie, supprime_le IS NOT NULL AS supprime, sorties_bloquees_jusqu
    FROM utilisateur;
COMMENT ON VIEW v_contrepartie IS 'Published by identity for the wallet: the other side of a payment. The wallet masks identifiers before it shows them';

-- Codes of the brief, for one request each. The code of an account itself is computed and needs no row.
ALTER TABLE qr_code_paiement
  ADD COLUMN IF NOT EXISTS public_id uuid NOT NULL DEFAULT uuid_v7(),
  ADD COLUMN IF NOT EXISTS id_compte bigint,
  ADD COLUMN IF NOT EXISTS montant bigint CONSTRAINT qr_montant_positif CHECK (montant > 0),
  ADD COLUMN IF NOT EXISTS note varchar(280),
  ADD COLUMN IF NOT EXISTS usage_unique boolean NOT NULL DEFAULT false,
  ADD COLUMN IF NOT EXISTS expire_le timestamptz,
  ADD COLUMN IF NOT EXISTS ferme_le timestamptz,
  ADD COLUMN IF NOT EXISTS cree_le timestamptz NOT NULL DEFAULT now();
CREATE UNIQUE INDEX qr_code_paiement_public_id ON qr_code_paiement (public_id);
CREATE INDEX qr_code_paiement_user ON qr_code_paiement (id_user, public_id);
COMMENT ON COLUMN qr_code_paiement.qr_code_valeur IS 'EMVCo text; a scanned code has to be this one letter for letter';
COMMENT ON COLUMN qr_code_paiement.date_expiration IS 'expire_le as the first backend kept it, UTC';
COMMENT ON COLUMN qr_code_paiement.usage_unique IS 'Serves once: usage_unique (0030) says whether it did, in the transaction of the payment';

CREATE TABLE alias_pi_spi (
  alias varchar(36) PRIMARY KEY,
  id_compte bigint NOT NULL REFERENCES compte (id_compte),
  cree_le timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX alias_pi_spi_compte ON alias_pi_spi (id_compte);
COMMENT ON TABLE alias_pi_spi IS 'Aliases of the union''s instant payments that lead to accounts of ours';

-- Cards. Never a card number: a hostolink card is a reference, a bank card will be an acquirer's token.
ALTER TABLE carte_bancaire
  ADD COLUMN IF NOT EXISTS public_id uuid NOT NULL DEFAULT uuid_v7(),
  ADD COLUMN IF NOT EXISTS nature varchar NOT NULL DEFAULT 'banque'
    CONSTRAINT carte_nature_connue CHECK (nature IN ('hostolink', 'banque')),
  ADD COLUMN IF NOT EXISTS reference varchar(32),
  ADD COLUMN IF NOT EXISTS cree_le timestamptz NOT NULL DEFAULT now();
CREATE UNIQUE INDEX carte_bancaire_public_id ON carte_bancaire (public_id);
CREATE UNIQUE INDEX carte_bancaire_reference ON carte_bancaire (reference);
CREATE UNIQUE INDEX carte_bancaire_hostolink ON carte_bancaire (id_user) WHERE nature = 'hostolink';

-- What can be used to deposit and withdraw.
CREATE TABLE operateur_produit (
  code varchar PRIMARY KEY,
  libelle varchar NOT NULL,
  format_compte varchar NOT NULL CHECK (format_compte IN ('phone', 'iban', 'card')),
  depot_minimum bigint NOT NULL CHECK (depot_minimum > 0),
  depot_maximum bigint NOT NULL CHECK (depot_maximum >= depot_minimum),
  retrait_minimum bigint NOT NULL CHECK (retrait_minimum > 0),
  retrait_maximum bigint NOT NULL CHECK (retrait_maximum >= retrait_minimum),
  actif boolean NOT NULL DEFAULT true,
  rang smallint NOT NULL
);
INSERT INTO operateur_produit VALUES
  ('wave', 'Wave', 'phone', 100, 2000000, 100, 2000000, true, 1),
  ('orange_money', 'Orange Money', 'phone', 100, 2000000, 100, 2000000, true, 2),
  ('mtn_momo', 'MTN MoMo', 'phone', 100, 2000000, 100, 2000000, true, 3),
  ('moov_money', 'Moov Money', 'phone', 100, 2000000, 100, 2000000, true, 4),
  ('djamo', 'Djamo', 'phone', 100, 2000000, 100, 2000000, true, 5),
  ('bank', 'Banque', 'iban', 1000, 10000000, 1000, 10000000, true, 6),
  ('card', 'Carte bancaire', 'card', 500, 2000000, 500, 2000000, true, 7);
COMMENT ON TABLE operateur_produit IS 'Bounds in francs and the kind of account of each way in and out; what it costs is bareme (0030)';

-- Orders to operators. Committed before the first byte leaves; the operation of the same id stands in the ledger.
CREATE TABLE instruction_operateur (
  id uuid PRIMARY KEY,
  id_user integer NOT NULL,
  id_compte bigint,
  sens varchar NOT NULL CHECK (sens IN ('depot', 'retrait')),
  operateur varchar NOT NULL,
  montant bigint NOT NULL CHECK (montant > 0),
  devise char(3) NOT NULL DEFAULT 'XOF',
  compte_masque varchar NOT NULL,
  secret bytea NOT NULL,
  reference varchar(30) NOT NULL UNIQUE,
  cle_operateur uuid NOT NULL UNIQUE,
  reference_operateur varchar,
  cle varchar(255) COLLATE "C" NOT NULL,
  empreinte bytea NOT NULL,
  etat varchar NOT NULL DEFAULT 'cree' CHECK (etat IN ('cree', 'envoye', 'inconnu', 'reussi', 'echoue', 'expire', 'refuse', 'a_revoir')),
  code varchar,
  action jsonb,
  sondes smallint NOT NULL DEFAULT 0,
  sonde_le timestamptz,
  envoye_le timestamptz,
  limite_le timestamptz NOT NULL,
  cree_le timestamptz NOT NULL,
  regle_le timestamptz
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX instruction_cle ON instruction_operateur (id_user, cle);
CREATE UNIQUE INDEX instruction_reference_operateur ON instruction_operateur (operateur, reference_operateur);
CREATE INDEX instruction_ouverte ON instruction_operateur (sonde_le) WHERE etat IN ('cree', 'envoye', 'inconnu');
COMMENT ON TABLE instruction_operateur IS 'One deposit or withdrawal at an operator; id is the id of the operation that both the customer and the ledger know';
COMMENT ON COLUMN instruction_operateur.secret IS 'Sealed (AES-GCM, context id): the account at the operator and what is needed to find the operation there again';
COMMENT ON COLUMN instruction_operateur.etat IS 'cree: nothing left yet; envoye: the operator knows it; inconnu: it may; reussi, echoue, expire: the operator said so; refuse: the ledger did; a_revoir: the operator tells another story, a person has to look';
COMMENT ON COLUMN instruction_operateur.limite_le IS 'The customer is no longer expected to act after this; a late success is still credited';

CREATE TABLE echange_operateur (
  id uuid PRIMARY KEY,
  id_instruction uuid NOT NULL,
  operation varchar NOT NULL,
  methode varchar NOT NULL,
  chemin varchar NOT NULL,
  tentative integer NOT NULL,
  duree_ms bigint NOT NULL,
  statut smallint,
  echec varchar,
  requete text NOT NULL,
  reponse text NOT NULL,
  cree_le timestamptz NOT NULL
);
CREATE INDEX echange_operateur_instruction ON echange_operateur (id_instruction, cree_le);
COMMENT ON TABLE echange_operateur IS 'Every exchange with an operator, numbers, names and keys masked';

CREATE TABLE rappel_recu (
  id uuid PRIMARY KEY,
  route varchar NOT NULL,
  evenement varchar NOT NULL,
  corps bytea NOT NULL,
  signe boolean NOT NULL,
  recu_le timestamptz NOT NULL,
  traite_le timestamptz,
  issue varchar,
  UNIQUE (route, evenement)
);
COMMENT ON TABLE rappel_recu IS 'Webhooks of operators as they came, once an event; they are hints, the state is read at the operator';

-- Asking someone for money. usage_unique (0030) decides who was first: the payment, the refusal or the date.
CREATE TABLE demande_paiement (
  id uuid PRIMARY KEY,
  id_demandeur integer NOT NULL,
  id_payeur integer NOT NULL,
  montant bigint NOT NULL CHECK (montant > 0),
  note varchar(280),
  etat varchar NOT NULL DEFAULT 'ouverte' CHECK (etat IN ('ouverte', 'payee', 'refusee', 'annulee')),
  expire_le timestamptz NOT NULL,
  cree_le timestamptz NOT NULL,
  regle_le timestamptz,
  id_operation uuid
) WITH (fillfactor = 70);
CREATE INDEX demande_paiement_demandeur ON demande_paiement (id_demandeur, id);
CREATE INDEX demande_paiement_payeur ON demande_paiement (id_payeur, id);

-- Many payments in one request.
CREATE TABLE envoi_groupe (
  id uuid PRIMARY KEY,
  id_user integer NOT NULL,
  cle varchar(255) COLLATE "C" NOT NULL,
  empreinte bytea NOT NULL,
  tout_ou_rien boolean NOT NULL,
  nombre integer NOT NULL CHECK (nombre BETWEEN 1 AND 1000),
  total bigint NOT NULL,
  reponse jsonb,
  cree_le timestamptz NOT NULL,
  UNIQUE (id_user, cle)
);
COMMENT ON TABLE envoi_groupe IS 'Groups of payments; the payments themselves have keys of their own, derived from the id of the group';

-- Payments on a date, once or again and again.
CREATE TABLE ordre_planifie (
  id uuid PRIMARY KEY,
  id_user integer NOT NULL,
  id_beneficiaire integer NOT NULL,
  montant bigint NOT NULL CHECK (montant > 0),
  note varchar(280),
  cadence varchar NOT NULL CHECK (cadence IN ('once', 'daily', 'weekly', 'monthly')),
  jour smallint NOT NULL CHECK (jour BETWEEN 1 AND 31),
  prochaine_le timestamptz,
  fin_le timestamptz,
  occurrence integer NOT NULL DEFAULT 0,
  maximum integer NOT NULL CHECK (maximum BETWEEN 1 AND 1000),
  etat varchar NOT NULL DEFAULT 'actif' CHECK (etat IN ('actif', 'termine', 'annule')),
  dernier_code varchar,
  derniere_operation uuid,
  cree_le timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX ordre_planifie_du ON ordre_planifie (prochaine_le) WHERE etat = 'actif';
CREATE INDEX ordre_planifie_user ON ordre_planifie (id_user, id);
COMMENT ON COLUMN ordre_planifie.jour IS 'Day of the month of the first one: 31 means the last day of shorter months';

-- What merchants are told.
CREATE TABLE webhook_sortant (
  id uuid PRIMARY KEY,
  id_user integer NOT NULL,
  id_compte bigint NOT NULL,
  url varchar(500) NOT NULL,
  secret bytea NOT NULL,
  secret_precedent bytea,
  precedent_jusqu timestamptz,
  actif boolean NOT NULL DEFAULT true,
  echecs integer NOT NULL DEFAULT 0,
  cree_le timestamptz NOT NULL
);
CREATE INDEX webhook_sortant_compte ON webhook_sortant (id_compte) WHERE actif;
CREATE INDEX webhook_sortant_user ON webhook_sortant (id_user, id);
COMMENT ON COLUMN webhook_sortant.secret IS 'Signing secret, sealed with the id as context';
CREATE TABLE webhook_envoi (
  id uuid PRIMARY KEY,
  id_webhook uuid NOT NULL REFERENCES webhook_sortant (id) ON DELETE CASCADE,
  evenement varchar(64) NOT NULL,
  sujet varchar(64) NOT NULL,
  charge jsonb NOT NULL,
  etat varchar NOT NULL DEFAULT 'attente' CHECK (etat IN ('attente', 'recu', 'abandonne')),
  essais smallint NOT NULL DEFAULT 0,
  dernier_statut smallint,
  derniere_erreur varchar(64),
  cree_le timestamptz NOT NULL,
  fait_le timestamptz,
  UNIQUE (id_webhook, evenement, sujet)
) WITH (fillfactor = 70);
CREATE INDEX webhook_envoi_liste ON webhook_envoi (id_webhook, id);
COMMENT ON TABLE webhook_envoi IS 'One message to one merchant about one operation, made once from the sealed batches and sent until it is received or given up';
