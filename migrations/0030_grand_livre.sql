-- The ledger: every franc that moves, moves here. Owner: crates/wallet/src/ledger.
--
-- `compte` and `transaction` of the brief ARE the balance row and the operation row: columns are added, none is dropped,
-- and `compte.solde_compte` stays true in the statement that moves the money (a CHECK holds it to that).
-- No foreign key on the two tables that every payment writes: the writer locks the accounts that it names, the audit
-- proves the rest.

-- Wider ids. The ledger takes operation ids in blocks of 4096 from the sequence that the column already had.
ALTER TABLE compte SET (fillfactor = 50);
ALTER TABLE compte
  ALTER COLUMN id_compte TYPE bigint,
  ALTER COLUMN solde_compte TYPE numeric(20, 2);
ALTER TABLE transaction
  ALTER COLUMN id_transaction TYPE bigint,
  ALTER COLUMN id_compte_expediteur TYPE bigint,
  ALTER COLUMN id_compte_recepteur TYPE bigint;
DO $$
DECLARE
  suite text;
BEGIN
  suite := pg_get_serial_sequence('compte', 'id_compte');
  IF suite IS NULL THEN
    CREATE SEQUENCE compte_id_compte_seq OWNED BY compte.id_compte;
    ALTER TABLE compte ALTER COLUMN id_compte SET DEFAULT nextval('compte_id_compte_seq');
    suite := 'compte_id_compte_seq';
  END IF;
  EXECUTE format('ALTER SEQUENCE %s AS bigint', suite);
  PERFORM setval(suite, greatest((SELECT coalesce(max(id_compte), 0) FROM compte), nextval(suite)));
  suite := pg_get_serial_sequence('transaction', 'id_transaction');
  IF suite IS NULL THEN
    CREATE SEQUENCE transaction_id_transaction_seq OWNED BY transaction.id_transaction;
    ALTER TABLE transaction ALTER COLUMN id_transaction SET DEFAULT nextval('transaction_id_transaction_seq');
    suite := 'transaction_id_transaction_seq';
  END IF;
  EXECUTE format('ALTER SEQUENCE %s AS bigint INCREMENT BY 4096', suite);
  PERFORM setval(suite, greatest((SELECT coalesce(max(id_transaction), 0) FROM transaction), nextval(suite)));
END $$;

-- Accounts
ALTER TABLE compte
  ADD COLUMN IF NOT EXISTS public_id uuid NOT NULL DEFAULT uuid_v7(),
  ADD COLUMN IF NOT EXISTS principal boolean NOT NULL DEFAULT false,
  ADD COLUMN IF NOT EXISTS nature varchar NOT NULL DEFAULT 'client'
    CONSTRAINT compte_nature_connue CHECK (nature IN ('client', 'marchand', 'systeme')),
  ADD COLUMN IF NOT EXISTS code varchar,
  ADD COLUMN IF NOT EXISTS sens smallint NOT NULL DEFAULT 1 CONSTRAINT compte_sens_connu CHECK (sens IN (1, -1)),
  ADD COLUMN IF NOT EXISTS debits bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS credits bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS debits_attente bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS credits_attente bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS plancher bigint DEFAULT 0,
  ADD COLUMN IF NOT EXISTS plafond bigint,
  ADD COLUMN IF NOT EXISTS dernier_le timestamptz,
  ADD COLUMN IF NOT EXISTS gele_le timestamptz,
  ADD COLUMN IF NOT EXISTS gel_motif varchar,
  ADD COLUMN IF NOT EXISTS solde_adopte numeric(20, 2);

-- Balances of the first backend enter through opening operations, posted by the ledger when it starts; until then they
-- stand aside. A negative one keeps its floor where it is and is frozen: somebody has to look at it.
UPDATE compte SET solde_adopte = solde_compte WHERE solde_compte <> 0;
UPDATE compte SET plancher = ceil(solde_adopte), gele_le = now(), gel_motif = 'reprise : solde négatif' WHERE solde_adopte <= -1;
UPDATE compte SET solde_compte = 0 WHERE solde_compte IS DISTINCT FROM 0;
UPDATE compte SET principal = true
  WHERE id_compte IN (SELECT min(id_compte) FROM compte WHERE id_user IS NOT NULL GROUP BY id_user);

ALTER TABLE compte
  ALTER COLUMN solde_compte SET DEFAULT 0,
  ALTER COLUMN solde_compte SET NOT NULL,
  ADD CONSTRAINT compte_compteurs_positifs CHECK (least(debits, credits, debits_attente, credits_attente, version) >= 0),
  ADD CONSTRAINT compte_plancher_tenu CHECK (credits - debits - debits_attente >= plancher),
  ADD CONSTRAINT compte_plafond_tenu CHECK (credits + credits_attente - debits <= plafond),
  ADD CONSTRAINT compte_projection_juste CHECK (solde_compte = credits - debits);
CREATE UNIQUE INDEX compte_public_id_unique ON compte (public_id);
CREATE UNIQUE INDEX compte_un_principal ON compte (id_user) WHERE principal;
CREATE UNIQUE INDEX compte_code_unique ON compte (code) WHERE code IS NOT NULL;
COMMENT ON COLUMN compte.solde_compte IS 'Posted balance, credits - debits: written by the statement that moves the money';
COMMENT ON COLUMN compte.debits_attente IS 'Held: what open operations will take; counted by the floor';
COMMENT ON COLUMN compte.credits_attente IS 'Expected: what open operations will bring; counted by the ceiling';
COMMENT ON COLUMN compte.version IS 'How many entries the account has: the version of the last one';
COMMENT ON COLUMN compte.plancher IS 'Lowest available balance; NULL = none (system accounts)';
COMMENT ON COLUMN compte.plafond IS 'Highest balance of this account, beside the one of its tier (limite); NULL = none';
COMMENT ON COLUMN compte.sens IS 'How a report shows it: 1 what we owe (customers), -1 what we have (floats)';
COMMENT ON COLUMN compte.solde_adopte IS 'Balance found in the first backend''s database; enters by an opening operation of key adoption:<id_compte>';

-- Deleting a user cascades to compte (compte_ibfk_1): this reference refuses it. People are anonymised, not deleted.
CREATE TABLE compte_titulaire (
  id_compte bigint PRIMARY KEY REFERENCES compte (id_compte) ON DELETE RESTRICT
);
INSERT INTO compte_titulaire (id_compte) SELECT id_compte FROM compte;
COMMENT ON TABLE compte_titulaire IS 'One row an account: no account can be deleted, not even by the cascade from utilisateur';

CREATE TABLE gel_compte (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id_compte bigint NOT NULL,
  motif varchar NOT NULL,
  auteur varchar NOT NULL,
  gele_le timestamptz NOT NULL,
  leve_le timestamptz,
  leve_par varchar
);
CREATE UNIQUE INDEX gel_compte_ouvert ON gel_compte (id_compte) WHERE leve_le IS NULL;
INSERT INTO gel_compte (id_compte, motif, auteur, gele_le)
  SELECT id_compte, gel_motif, 'reprise', gele_le FROM compte WHERE gele_le IS NOT NULL;
COMMENT ON TABLE gel_compte IS 'Who froze which account, when and why; compte.gele_le is the present state';

-- Operations
ALTER TABLE transaction
  ADD COLUMN IF NOT EXISTS public_id uuid NOT NULL DEFAULT uuid_v7(),
  ADD COLUMN IF NOT EXISTS nature varchar NOT NULL DEFAULT 'transfert',
  ADD COLUMN IF NOT EXISTS initiateur bigint,
  ADD COLUMN IF NOT EXISTS cle varchar(255) COLLATE "C",
  ADD COLUMN IF NOT EXISTS empreinte bytea,
  ADD COLUMN IF NOT EXISTS frais bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS taxe bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS id_compte_frais bigint,
  ADD COLUMN IF NOT EXISTS id_compte_taxe bigint,
  ADD COLUMN IF NOT EXISTS code_refus varchar,
  ADD COLUMN IF NOT EXISTS lie_a bigint,
  ADD COLUMN IF NOT EXISTS rembourse bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS solde_expediteur bigint,
  ADD COLUMN IF NOT EXISTS solde_recepteur bigint,
  ADD COLUMN IF NOT EXISTS differee boolean NOT NULL DEFAULT false,
  ADD COLUMN IF NOT EXISTS regle_le timestamptz,
  ADD COLUMN IF NOT EXISTS note varchar(280),
  ADD COLUMN IF NOT EXISTS statut_origine varchar;
ALTER TABLE transaction
  ADD CONSTRAINT transaction_statut_connu CHECK (initiateur IS NULL OR statut IN ('reussie', 'attente', 'echouee', 'expiree', 'refusee')),
  ADD CONSTRAINT transaction_nature_connue CHECK (nature IN ('transfert', 'paiement_qr', 'depot', 'retrait', 'remboursement', 'frais',
    'ouverture', 'ajustement', 'annulation', 'reglement')),
  ADD CONSTRAINT transaction_montants CHECK (initiateur IS NULL OR (montant >= 0 AND taxe >= 0 AND frais >= taxe)),
  ADD CONSTRAINT transaction_rembourse_borne CHECK (rembourse = 0 OR (rembourse > 0 AND rembourse <= montant));
CREATE UNIQUE INDEX transaction_public_id_unique ON transaction (public_id);
CREATE UNIQUE INDEX transaction_cle_unique ON transaction (initiateur, cle);
-- Nearly empty: a transfer is never in them.
CREATE INDEX transaction_differee_expediteur ON transaction (id_compte_expediteur, id_transaction) WHERE differee OR initiateur IS NULL;
CREATE INDEX transaction_differee_recepteur ON transaction (id_compte_recepteur, id_transaction) WHERE differee OR initiateur IS NULL;
CREATE INDEX transaction_liees ON transaction (lie_a) WHERE lie_a IS NOT NULL;
COMMENT ON COLUMN transaction.initiateur IS 'Account that asked; NULL: came from the first backend, shown but outside of the books';
COMMENT ON COLUMN transaction.cle IS 'Idempotency key, unique for its initiator, kept for ever, refusals included';
COMMENT ON COLUMN transaction.empreinte IS '16 bytes of SHA-256 of what was asked: another request with the same key is refused';
COMMENT ON COLUMN transaction.frais IS 'What the payer pays on top of montant, tax included';
COMMENT ON COLUMN transaction.taxe IS 'The part of frais that is tax';
COMMENT ON COLUMN transaction.lie_a IS 'Operation that this one refunds, reverses or settles';
COMMENT ON COLUMN transaction.rembourse IS 'What refunds and reversals gave back so far';
COMMENT ON COLUMN transaction.solde_expediteur IS 'Balance of the payer after the operation';
COMMENT ON COLUMN transaction.differee IS 'Was opened first and settled (nature reglement, lie_a) or cancelled later; its own row posts nothing';
COMMENT ON COLUMN transaction.statut_origine IS 'What the first backend had written in statut; only its rows have one';
COMMENT ON COLUMN transaction.date_transaction IS 'When it was decided, UTC';

CREATE TABLE ecriture (
  id_compte bigint NOT NULL,
  version bigint NOT NULL,
  id_transaction bigint NOT NULL,
  montant bigint NOT NULL CHECK (montant <> 0),
  solde_apres bigint NOT NULL,
  cree_le timestamptz NOT NULL,
  PRIMARY KEY (id_compte, version)
);
COMMENT ON TABLE ecriture IS 'Postings, append-only: one row an account and operation; versions without gaps; the sum over everything is zero';

-- A guard against fingers, not against the owner: nothing rests on it, the audit finds what it did not stop.
CREATE FUNCTION ecriture_ajout_seul() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'ecriture est en ajout seul' USING ERRCODE = 'HK003';
END $$;
CREATE TRIGGER ecriture_ajout_seul BEFORE UPDATE OR DELETE OR TRUNCATE ON ecriture
  FOR EACH STATEMENT EXECUTE FUNCTION ecriture_ajout_seul();

CREATE TABLE retenue (
  id_transaction bigint PRIMARY KEY,
  id_compte_debit bigint NOT NULL,
  id_compte_credit bigint NOT NULL,
  montant bigint NOT NULL CHECK (montant > 0),
  frais bigint NOT NULL DEFAULT 0 CHECK (frais >= 0),
  capture bigint NOT NULL DEFAULT 0 CHECK (capture >= 0),
  libere bigint NOT NULL DEFAULT 0 CHECK (libere >= 0),
  frais_pris boolean NOT NULL DEFAULT false,
  protegee boolean NOT NULL DEFAULT false,
  expire_le timestamptz,
  CONSTRAINT retenue_bornee CHECK (capture + libere <= montant)
) WITH (fillfactor = 70);
CREATE INDEX retenue_a_expirer ON retenue (expire_le) WHERE capture + libere < montant AND NOT protegee;
COMMENT ON TABLE retenue IS 'Open operations: what is held on one side and expected on the other until it is captured or released';
COMMENT ON COLUMN retenue.protegee IS 'An order left for the outside and its outcome is unknown: a date never releases it, only proof does';

CREATE TABLE usage_unique (
  sujet uuid PRIMARY KEY,
  id_transaction bigint,
  etat varchar NOT NULL CHECK (etat IN ('utilise', 'ferme')),
  cree_le timestamptz NOT NULL
);
COMMENT ON TABLE usage_unique IS 'What may be paid once (single-use QR, payment request): used by this operation, or closed before; no row: still open';

-- One row a commit of the writer: its proof and, once sealed, the event of everything in it.
CREATE TABLE lot (
  premier bigint PRIMARY KEY,
  dernier bigint NOT NULL,
  nombre integer NOT NULL CHECK (nombre > 0 AND nombre = dernier - premier + 1),
  racine bytea NOT NULL,
  cree_le timestamptz NOT NULL,
  scelle boolean NOT NULL DEFAULT false
) WITH (fillfactor = 70);
CREATE INDEX lot_a_sceller ON lot (premier) WHERE NOT scelle;
COMMENT ON TABLE lot IS 'Operations premier..dernier were committed together; racine is the Merkle root over them';

CREATE TABLE sceau (
  position bigint PRIMARY KEY,
  lot bigint NOT NULL UNIQUE,
  precedent bytea NOT NULL,
  empreinte bytea NOT NULL,
  scelle_le timestamptz NOT NULL
);
COMMENT ON TABLE sceau IS 'Chain of batches, written by one sealer after the commits. Its positions have no gaps and never appear late: consumers of events follow them';

CREATE TABLE lecture_evenements (
  lecteur varchar PRIMARY KEY,
  position bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE lecture_evenements IS 'How far each consumer of sealed batches has come';

-- Limits and fees are data.
CREATE TABLE limite (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  palier smallint NOT NULL,
  mesure varchar NOT NULL CHECK (mesure IN ('solde', 'operation', 'cumul', 'nombre')),
  nature varchar,
  fenetre varchar CHECK (fenetre IN ('jour', 'semaine', 'mois')),
  maximum bigint NOT NULL CHECK (maximum >= 0),
  cree_le timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT limite_complete CHECK (CASE mesure WHEN 'solde' THEN nature IS NULL AND fenetre IS NULL
    WHEN 'operation' THEN nature IS NOT NULL AND fenetre IS NULL ELSE nature IS NOT NULL AND fenetre IS NOT NULL END)
);
CREATE UNIQUE INDEX limite_unique ON limite (palier, mesure, coalesce(nature, ''), coalesce(fenetre, ''));
COMMENT ON TABLE limite IS 'Limits of a tier. solde: balance after a credit; operation: one amount; cumul and nombre: sum and count in a window that turns at midnight UTC (Abidjan). A deposit counts for who receives it, anything else for who pays';
INSERT INTO limite (palier, mesure, nature, fenetre, maximum) VALUES
  (0, 'solde', NULL, NULL, 200000),
  (0, 'cumul', 'depot', 'mois', 200000),
  (1, 'solde', NULL, NULL, 2000000),
  (1, 'cumul', 'depot', 'mois', 10000000);

CREATE TABLE compteur_argent (
  id_compte bigint NOT NULL,
  periode date NOT NULL,
  nature varchar NOT NULL,
  fenetre varchar NOT NULL,
  montant bigint NOT NULL DEFAULT 0 CHECK (montant >= 0),
  reserve bigint NOT NULL DEFAULT 0 CHECK (reserve >= 0),
  nombre integer NOT NULL DEFAULT 0 CHECK (nombre >= 0),
  PRIMARY KEY (id_compte, periode, nature, fenetre)
) WITH (fillfactor = 70);
COMMENT ON TABLE compteur_argent IS 'What an account moved in a window, for the natures and windows that a limit names; reserve: opened and not settled yet';

CREATE TABLE bareme (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  nature varchar NOT NULL,
  fournisseur varchar NOT NULL DEFAULT '',
  minimum bigint NOT NULL DEFAULT 0 CHECK (minimum >= 0),
  maximum bigint CHECK (maximum >= minimum),
  taxe_pb integer NOT NULL DEFAULT 0 CHECK (taxe_pb BETWEEN 0 AND 10000),
  actif boolean NOT NULL DEFAULT true,
  cree_le timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX bareme_actif ON bareme (nature, fournisseur) WHERE actif;
CREATE TABLE bareme_tranche (
  id_bareme integer NOT NULL REFERENCES bareme (id) ON DELETE CASCADE,
  a_partir_de bigint NOT NULL CHECK (a_partir_de >= 0),
  fixe bigint NOT NULL DEFAULT 0 CHECK (fixe >= 0),
  taux_pb integer NOT NULL DEFAULT 0 CHECK (taux_pb BETWEEN 0 AND 10000),
  PRIMARY KEY (id_bareme, a_partir_de)
);
COMMENT ON TABLE bareme IS 'Fees by nature and provider (empty: any). None is shipped: everything costs 0. Fee = fixe + amount x taux_pb / 10000 of its bracket, half up to the franc, between minimum and maximum; tax = fee x taxe_pb / 10000, half up, on top';

INSERT INTO compte (nature, code, sens, plancher) VALUES
  ('systeme', 'systeme', 1, NULL), ('systeme', 'ouverture', -1, NULL), ('systeme', 'cantonnement:banque', -1, NULL),
  ('systeme', 'taxe:tva', 1, NULL), ('systeme', 'creance:recouvrement', -1, NULL),
  ('systeme', 'frais:transfert', 1, NULL), ('systeme', 'frais:paiement_qr', 1, NULL),
  ('systeme', 'frais:depot', 1, NULL), ('systeme', 'frais:retrait', 1, NULL);
INSERT INTO compte (nature, code, sens, plancher)
  SELECT 'systeme', forme || p || fin, sens, NULL
    FROM unnest(ARRAY['orange_money', 'mtn_momo', 'moov_money', 'wave', 'djamo', 'bank', 'card']) p,
         (VALUES ('flottant:', '', -1), ('suspens:', '', 1), ('transit:', ':depot', -1), ('transit:', ':retrait', 1)) f (forme, fin, sens);
INSERT INTO compte_titulaire (id_compte) SELECT id_compte FROM compte WHERE nature = 'systeme';

-- Raises when a set-based write did not touch as many rows as the writer had decided: the whole batch is rolled back.
CREATE FUNCTION exiger(p_juste boolean, p_quoi text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_juste IS NOT TRUE THEN
    RAISE EXCEPTION 'lot refusé : % a changé', p_quoi USING ERRCODE = 'HK002';
  END IF;
END $$;
