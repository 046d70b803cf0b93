-- Routes to the operators, what staff has to look at, and the proof that customers' money is where it should be.
-- Owner: crates/wallet (provider, instruction, alert, float, reconciliation).

-- An operator holds the customer's money, a route is whom we call: an order keeps the route that it left by.
ALTER TABLE instruction_operateur
  ADD COLUMN route varchar,
  ADD COLUMN routes_essayees character varying[] NOT NULL DEFAULT '{}',
  ADD COLUMN doute boolean NOT NULL DEFAULT false,
  ADD COLUMN reference_releve varchar,
  ADD COLUMN frais_operateur bigint;
DROP INDEX instruction_reference_operateur;
CREATE INDEX instruction_reference_operateur ON instruction_operateur (reference_operateur) WHERE reference_operateur IS NOT NULL;
CREATE INDEX instruction_a_revoir ON instruction_operateur (cree_le) WHERE etat = 'a_revoir';
CREATE INDEX instruction_reglee ON instruction_operateur (operateur, regle_le) WHERE etat = 'reussi';
COMMENT ON COLUMN instruction_operateur.route IS 'Whom we called; NULL: nobody yet. It stays once something may have left by it';
COMMENT ON COLUMN instruction_operateur.routes_essayees IS 'Routes that certainly did not take it';
COMMENT ON COLUMN instruction_operateur.doute IS 'A call may have had an effect: no other route may be taken';
COMMENT ON COLUMN instruction_operateur.reference_releve IS 'The operator''s transaction, as its statements name it';
COMMENT ON COLUMN instruction_operateur.frais_operateur IS 'What the operator charged us, in francs';

-- One open row a subject: a flood counts up instead of filling the table.
CREATE TABLE alerte_argent (
  id uuid PRIMARY KEY,
  nature varchar NOT NULL,
  gravite varchar NOT NULL CHECK (gravite IN ('info', 'avertissement', 'critique')),
  sujet varchar NOT NULL,
  detail varchar(200) NOT NULL,
  id_instruction uuid,
  nombre integer NOT NULL DEFAULT 1,
  premier_le timestamptz NOT NULL,
  dernier_le timestamptz NOT NULL,
  traite_le timestamptz,
  traite_par uuid,
  motif varchar(280)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX alerte_argent_ouverte ON alerte_argent (nature, sujet) WHERE traite_le IS NULL;
CREATE INDEX alerte_argent_liste ON alerte_argent (id);
COMMENT ON TABLE alerte_argent IS 'What staff has to look at: forged webhooks, other stories, low floats, differences. No number, name or secret';

CREATE TABLE seuil_flottant (
  operateur varchar PRIMARY KEY REFERENCES operateur_produit (code),
  seuil bigint NOT NULL CHECK (seuil >= 0)
);
INSERT INTO seuil_flottant SELECT code, 1000000 FROM operateur_produit;
COMMENT ON TABLE seuil_flottant IS 'Francs that have to stay at an operator: below it, an alert is raised before withdrawals fail';

-- What operators charge us.
INSERT INTO compte (nature, code, sens, plancher)
  SELECT 'systeme', 'charge:' || code, -1, NULL FROM operateur_produit;
INSERT INTO compte_titulaire (id_compte) SELECT id_compte FROM compte WHERE code LIKE 'charge:%';

CREATE TABLE releve (
  id uuid PRIMARY KEY,
  operateur varchar NOT NULL REFERENCES operateur_produit (code),
  format varchar NOT NULL CHECK (format IN ('csv', 'camt053', 'api')),
  empreinte bytea NOT NULL,
  debut date,
  fin date,
  lignes integer NOT NULL DEFAULT 0,
  solde_final bigint,
  importe_le timestamptz NOT NULL,
  UNIQUE (operateur, empreinte)
);
COMMENT ON TABLE releve IS 'Statements of operators, once each: empreinte is the SHA-256 of the file';

CREATE TABLE releve_ligne (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id_releve uuid NOT NULL REFERENCES releve (id),
  operateur varchar NOT NULL,
  identifiant varchar(140) NOT NULL,
  libelle varchar(140) NOT NULL,
  montant bigint NOT NULL,
  frais bigint NOT NULL DEFAULT 0 CHECK (frais >= 0),
  reference varchar(140),
  fait_le timestamptz,
  etat varchar NOT NULL DEFAULT 'lue' CHECK (etat IN ('lue', 'rapprochee', 'ecart')),
  id_instruction uuid,
  UNIQUE (operateur, identifiant, libelle)
) WITH (fillfactor = 70);
CREATE INDEX releve_ligne_releve ON releve_ligne (id_releve, id);
CREATE INDEX releve_ligne_instruction ON releve_ligne (id_instruction) WHERE id_instruction IS NOT NULL;
COMMENT ON TABLE releve_ligne IS 'Lines of statements; montant is signed: positive when our money at the operator grew';

CREATE TABLE ecart_rapprochement (
  id uuid PRIMARY KEY,
  operateur varchar NOT NULL,
  nature varchar NOT NULL CHECK (nature IN ('inconnu_chez_nous', 'absent_du_releve', 'montant_different', 'non_regle', 'en_double')),
  id_ligne bigint REFERENCES releve_ligne (id),
  id_instruction uuid,
  montant bigint NOT NULL,
  id_operation uuid,
  etat varchar NOT NULL DEFAULT 'ouvert' CHECK (etat IN ('ouvert', 'clos')),
  cree_le timestamptz NOT NULL,
  clos_le timestamptz,
  clos_par uuid,
  motif varchar(280)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX ecart_ligne ON ecart_rapprochement (id_ligne) WHERE id_ligne IS NOT NULL;
CREATE UNIQUE INDEX ecart_instruction ON ecart_rapprochement (id_instruction) WHERE nature = 'absent_du_releve';
CREATE INDEX ecart_liste ON ecart_rapprochement (etat, id);
COMMENT ON TABLE ecart_rapprochement IS 'Work list: where a statement and the books differ. montant: what the operator has more than the books knew; it stands in suspens:<operateur> by operation id_operation';

CREATE TABLE preuve_cantonnement (
  jour date PRIMARY KEY,
  rapport jsonb NOT NULL,
  juste boolean NOT NULL,
  signature bytea NOT NULL,
  version_cle smallint NOT NULL,
  etabli_le timestamptz NOT NULL
);
COMMENT ON TABLE preuve_cantonnement IS 'Once a day: customers'' money and where it is, signed (HMAC-SHA256 over rapport, fields sorted by name)';
