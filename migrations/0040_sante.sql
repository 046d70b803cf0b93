-- The health map and directory. Owner: crates/health.
-- The three tables of the brief keep their columns; rows that were there before the program keep their ids and are
-- completed here (place, kind) or by `health::adopt` (telephone numbers, which need ARTCI's rules).

CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE IF NOT EXISTS type_etablissement (
  id smallint PRIMARY KEY,
  code varchar NOT NULL UNIQUE,
  libelle varchar NOT NULL,
  famille varchar NOT NULL,
  rang smallint NOT NULL
);
COMMENT ON TABLE type_etablissement IS 'Kinds of facility that people look for; code is what the API says, the national code (CHU, CSR…) stays in etablissement_sante.categorie';
INSERT INTO type_etablissement (id, code, libelle, famille, rang) VALUES
  (1, 'pharmacy', 'Pharmacie', 'pharmacie', 2),
  (2, 'hospital', 'Hôpital', 'soins', 1),
  (3, 'clinic', 'Clinique', 'soins', 3),
  (4, 'health_center', 'Centre de santé', 'soins', 4),
  (5, 'doctor', 'Cabinet médical', 'cabinet', 5),
  (6, 'dentist', 'Cabinet dentaire', 'dentaire', 6),
  (7, 'laboratory', 'Laboratoire', 'laboratoire', 7),
  (8, 'maternity', 'Maternité', 'soins', 5),
  (9, 'infirmary', 'Infirmerie', 'soins', 8),
  (10, 'school_health', 'Santé scolaire et universitaire', 'scolaire', 8),
  (11, 'specialized_center', 'Centre spécialisé', 'specialise', 6),
  (12, 'blood_bank', 'Transfusion sanguine', 'transfusion', 6),
  (13, 'optician', 'Optique', 'optique', 9),
  (14, 'physiotherapist', 'Kinésithérapie', 'kine', 9),
  (15, 'administration', 'Administration de la santé', 'administration', 10),
  (99, 'other', 'Autre établissement', 'autre', 10)
ON CONFLICT (id) DO NOTHING;

CREATE SEQUENCE IF NOT EXISTS etablissement_version_seq;

ALTER TABLE etablissement_sante
  ADD COLUMN IF NOT EXISTS public_id uuid NOT NULL DEFAULT uuid_v7(),
  ADD COLUMN IF NOT EXISTS type_id smallint REFERENCES type_etablissement (id),
  ADD COLUMN IF NOT EXISTS statut varchar,
  ADD COLUMN IF NOT EXISTS niveau varchar,
  ADD COLUMN IF NOT EXISTS specialites text[] NOT NULL DEFAULT '{}',
  ADD COLUMN IF NOT EXISTS services text[] NOT NULL DEFAULT '{}',
  ADD COLUMN IF NOT EXISTS urgences boolean,
  ADD COLUMN IF NOT EXISTS horaires varchar(255),
  ADD COLUMN IF NOT EXISTS autorisation varchar NOT NULL DEFAULT 'inconnue',
  ADD COLUMN IF NOT EXISTS autorisation_le date,
  ADD COLUMN IF NOT EXISTS etat varchar NOT NULL DEFAULT 'ouvert'
    CONSTRAINT etablissement_etat_connu CHECK (etat IN ('ouvert', 'ferme_temporaire', 'ferme', 'non_fonctionnel', 'fusionne')),
  ADD COLUMN IF NOT EXISTS fusionne_dans integer REFERENCES etablissement_sante (id_etablissement),
  ADD COLUMN IF NOT EXISTS geom geometry(Point, 4326),
  ADD COLUMN IF NOT EXISTS repere varchar,
  ADD COLUMN IF NOT EXISTS code_msp varchar,
  ADD COLUMN IF NOT EXISTS code_dhis2 varchar,
  ADD COLUMN IF NOT EXISTS osm_ref varchar,
  ADD COLUMN IF NOT EXISTS confiance smallint NOT NULL DEFAULT 30,
  ADD COLUMN IF NOT EXISTS verifie_le timestamptz,
  ADD COLUMN IF NOT EXISTS origine jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT nextval('etablissement_version_seq'),
  ADD COLUMN IF NOT EXISTS maj_le timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN etablissement_sante.geom IS 'Copy of the open localisation, or of latitude and longitude when a row is written by hand: kept by triggers';
COMMENT ON COLUMN etablissement_sante.etat IS 'Only ouvert is on the map; a merged row names its successor in fusionne_dans and its id keeps answering';
COMMENT ON COLUMN etablissement_sante.horaires IS 'OSM opening_hours syntax, parsed before it is written; empty when unknown';
COMMENT ON COLUMN etablissement_sante.origine IS 'Published field -> source row (source:id) or correction that it comes from';
COMMENT ON COLUMN etablissement_sante.version IS 'Grows with every change, in the order of commits: drives the offline deltas';

-- What a category written by hand or by the first backend means. Unknown words are other, never an error.
CREATE OR REPLACE FUNCTION type_de_categorie(categorie varchar) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (CASE
    WHEN categorie ILIKE '%pharmac%' THEN 1
    WHEN categorie ILIKE 'h_pital%' OR categorie ILIKE 'hospital%' OR categorie ~* '^(chu|chr|chs|hg|hma)\M' THEN 2
    WHEN categorie ILIKE '%clini%' THEN 3
    WHEN categorie ILIKE '%dent%' THEN 6
    WHEN categorie ILIKE '%labo%' THEN 7
    WHEN categorie ILIKE '%matern%' THEN 8
    WHEN categorie ILIKE '%infirm%' THEN 9
    WHEN categorie ILIKE '%centre%' OR categorie ILIKE '%center%' OR categorie ~* '^(csr|csu|cms|cm|csi|fsu|ong|dispensaire)\M' THEN 4
    WHEN categorie ILIKE '%m_decin%' OR categorie ILIKE '%doctor%' OR categorie ILIKE '%cabinet%' THEN 5
    ELSE 99 END)::smallint
$$;

CREATE OR REPLACE FUNCTION etablissement_tenir_a_jour() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Written by hand through the brief's columns: the place follows them. 0/0 is nobody's facility.
  IF NEW.latitude BETWEEN -90 AND 90 AND NEW.longitude BETWEEN -180 AND 180 AND (NEW.latitude, NEW.longitude) <> (0, 0) THEN
    IF NEW.geom IS NULL OR ST_Y(NEW.geom) <> NEW.latitude OR ST_X(NEW.geom) <> NEW.longitude THEN
      NEW.geom := ST_SetSRID(ST_MakePoint(NEW.longitude, NEW.latitude), 4326);
    END IF;
  ELSIF NEW.latitude IS NULL AND NEW.longitude IS NULL THEN
    NEW.latitude := ST_Y(NEW.geom);
    NEW.longitude := ST_X(NEW.geom);
  ELSE
    NEW.geom := NULL;
  END IF;
  IF NEW.type_id IS NULL THEN
    NEW.type_id := type_de_categorie(NEW.categorie);
  END IF;
  IF TG_OP = 'UPDATE' THEN
    NEW.version := nextval('etablissement_version_seq');
    NEW.maj_le := now();
  END IF;
  RETURN NEW;
END $$;

-- Versions are drawn under one lock, kept to the commit: a delta "since v" can never miss a slower writer's smaller v.
CREATE OR REPLACE FUNCTION etablissement_un_ecrivain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(4004001);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION sante_signaler() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('sante', TG_TABLE_NAME);
  RETURN NULL;
END $$;

-- Rows of the first backend: place and kind, before the triggers are there.
UPDATE etablissement_sante SET
  geom = CASE WHEN latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180 AND (latitude, longitude) <> (0, 0)
              THEN ST_SetSRID(ST_MakePoint(longitude, latitude), 4326) END,
  type_id = type_de_categorie(categorie)
  WHERE type_id IS NULL;
ALTER TABLE etablissement_sante ALTER COLUMN type_id SET NOT NULL;

CREATE UNIQUE INDEX IF NOT EXISTS etablissement_public_id ON etablissement_sante (public_id);
CREATE INDEX IF NOT EXISTS etablissement_version ON etablissement_sante (version);
CREATE INDEX IF NOT EXISTS etablissement_services ON etablissement_sante USING gin (services);
-- Nearest of a kind, and nearest of all: two partial indexes with the predicate of v_etablissement_carte.
CREATE INDEX IF NOT EXISTS etablissement_proche_type ON etablissement_sante USING gist (type_id, geom)
  WHERE etat = 'ouvert' AND geom IS NOT NULL;
CREATE INDEX IF NOT EXISTS etablissement_proche ON etablissement_sante USING gist (geom)
  WHERE etat = 'ouvert' AND geom IS NOT NULL;

CREATE OR REPLACE VIEW v_etablissement_carte AS
  SELECT public_id AS id, geom FROM etablissement_sante
   WHERE etat = 'ouvert' AND geom IS NOT NULL;
COMMENT ON VIEW v_etablissement_carte IS 'Exactly what the map and nearby may return';

CREATE TRIGGER etablissement_ligne BEFORE INSERT OR UPDATE ON etablissement_sante
  FOR EACH ROW EXECUTE FUNCTION etablissement_tenir_a_jour();
CREATE TRIGGER etablissement_verrou BEFORE INSERT OR UPDATE OR DELETE ON etablissement_sante
  FOR EACH STATEMENT EXECUTE FUNCTION etablissement_un_ecrivain();
CREATE TRIGGER etablissement_signal AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON etablissement_sante
  FOR EACH STATEMENT EXECUTE FUNCTION sante_signaler();

CREATE TABLE etablissement_retire (
  public_id uuid PRIMARY KEY,
  version bigint NOT NULL DEFAULT nextval('etablissement_version_seq'),
  retire_le timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE etablissement_retire IS 'Rows deleted by hand (the program never deletes one): telephones forget them with their next delta';
CREATE OR REPLACE FUNCTION etablissement_retirer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO etablissement_retire (public_id) SELECT public_id FROM anciens ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER etablissement_retrait AFTER DELETE ON etablissement_sante
  REFERENCING OLD TABLE AS anciens FOR EACH STATEMENT EXECUTE FUNCTION etablissement_retirer();

-- Where a facility stands, and stood: a move adds a row and closes the one before.
ALTER TABLE localisation
  ADD COLUMN IF NOT EXISTS geom geometry(Point, 4326),
  ADD COLUMN IF NOT EXISTS precision_m integer,
  ADD COLUMN IF NOT EXISTS methode varchar NOT NULL DEFAULT 'inconnue',
  ADD COLUMN IF NOT EXISTS quartier varchar,
  ADD COLUMN IF NOT EXISTS adm3_pcode varchar,
  ADD COLUMN IF NOT EXISTS commune varchar,
  ADD COLUMN IF NOT EXISTS district_sanitaire varchar,
  ADD COLUMN IF NOT EXISTS source varchar,
  ADD COLUMN IF NOT EXISTS ouverte_le timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN IF NOT EXISTS fermee_le timestamptz;
UPDATE localisation SET geom = ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)
  WHERE geom IS NULL AND latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180 AND (latitude, longitude) <> (0, 0);
UPDATE localisation ancienne SET fermee_le = now()
  WHERE fermee_le IS NULL AND EXISTS (
    SELECT FROM localisation autre
     WHERE autre.id_etablissement = ancienne.id_etablissement AND autre.id_localisation > ancienne.id_localisation AND autre.fermee_le IS NULL);
CREATE UNIQUE INDEX IF NOT EXISTS localisation_une_ouverte ON localisation (id_etablissement) WHERE fermee_le IS NULL;
-- A facility of the first backend that had its place only here.
UPDATE etablissement_sante e SET latitude = l.latitude, longitude = l.longitude, geom = l.geom
  FROM localisation l
 WHERE l.id_etablissement = e.id_etablissement AND l.fermee_le IS NULL AND l.geom IS NOT NULL AND e.geom IS NULL;

CREATE OR REPLACE FUNCTION localisation_copier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE etablissement_sante e SET latitude = ST_Y(n.geom), longitude = ST_X(n.geom), geom = n.geom
    FROM neuves n
   WHERE n.id_etablissement = e.id_etablissement AND n.fermee_le IS NULL AND n.geom IS NOT NULL
     AND (e.geom IS NULL OR NOT ST_Equals(e.geom, n.geom));
  RETURN NULL;
END $$;
CREATE TRIGGER localisation_copie_ajout AFTER INSERT ON localisation
  REFERENCING NEW TABLE AS neuves FOR EACH STATEMENT EXECUTE FUNCTION localisation_copier();
CREATE TRIGGER localisation_copie_modif AFTER UPDATE ON localisation
  REFERENCING NEW TABLE AS neuves FOR EACH STATEMENT EXECUTE FUNCTION localisation_copier();
CREATE TRIGGER localisation_signal AFTER INSERT OR UPDATE OR DELETE ON localisation
  FOR EACH STATEMENT EXECUTE FUNCTION sante_signaler();

-- Numbers: of a facility, or of the nation when id_etablissement is null.
ALTER TABLE liste_numero_etablissement_sante
  ADD COLUMN IF NOT EXISTS id_etablissement integer REFERENCES etablissement_sante (id_etablissement) ON DELETE CASCADE,
  ADD COLUMN IF NOT EXISTS e164 varchar,
  ADD COLUMN IF NOT EXISTS numero_court varchar,
  ADD COLUMN IF NOT EXISTS tel_uri varchar GENERATED ALWAYS AS ('tel:' || COALESCE(e164, numero_court)) STORED,
  ADD COLUMN IF NOT EXISTS libelle varchar,
  ADD COLUMN IF NOT EXISTS categorie varchar NOT NULL DEFAULT 'standard',
  ADD COLUMN IF NOT EXISTS portee varchar NOT NULL DEFAULT 'etablissement',
  ADD COLUMN IF NOT EXISTS gratuit boolean,
  ADD COLUMN IF NOT EXISTS h24 boolean,
  ADD COLUMN IF NOT EXISTS ordre smallint NOT NULL DEFAULT 100,
  ADD COLUMN IF NOT EXISTS certitude varchar NOT NULL DEFAULT 'basse'
    CONSTRAINT numero_certitude_connue CHECK (certitude IN ('haute', 'moyenne', 'basse')),
  ADD COLUMN IF NOT EXISTS etat varchar NOT NULL DEFAULT 'a_verifier'
    CONSTRAINT numero_etat_connu CHECK (etat IN ('actif', 'a_verifier', 'mort')),
  ADD COLUMN IF NOT EXISTS ancien_numero varchar,
  ADD COLUMN IF NOT EXISTS source varchar,
  ADD COLUMN IF NOT EXISTS verifie_le timestamptz;
ALTER TABLE liste_numero_etablissement_sante
  ADD CONSTRAINT numero_e164_ivoirien CHECK (e164 ~ '^\+225(01|05|07|21|25|27)\d{8}$'),
  ADD CONSTRAINT numero_court_ivoirien CHECK (numero_court ~ '^(1\d{2,3}|7\d{2})$'),
  ADD CONSTRAINT numero_une_forme CHECK (num_nonnulls(e164, numero_court) <= 1);
COMMENT ON COLUMN liste_numero_etablissement_sante.e164 IS 'Null with numero_court: a row of the first backend that no rule could read; it is kept and never shown as a button';
CREATE UNIQUE INDEX IF NOT EXISTS numero_unique ON liste_numero_etablissement_sante (id_etablissement, e164, numero_court)
  NULLS NOT DISTINCT WHERE e164 IS NOT NULL OR numero_court IS NOT NULL;

-- A facility's number is a part of it: its version moves too.
CREATE OR REPLACE FUNCTION numero_toucher() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE etablissement_sante SET maj_le = now()
   WHERE id_etablissement IN (SELECT id_etablissement FROM touches WHERE id_etablissement IS NOT NULL);
  PERFORM pg_notify('sante', TG_TABLE_NAME);
  RETURN NULL;
END $$;
CREATE TRIGGER numero_ajout AFTER INSERT ON liste_numero_etablissement_sante
  REFERENCING NEW TABLE AS touches FOR EACH STATEMENT EXECUTE FUNCTION numero_toucher();
CREATE TRIGGER numero_modif AFTER UPDATE ON liste_numero_etablissement_sante
  REFERENCING NEW TABLE AS touches FOR EACH STATEMENT EXECUTE FUNCTION numero_toucher();
CREATE TRIGGER numero_retrait AFTER DELETE ON liste_numero_etablissement_sante
  REFERENCING OLD TABLE AS touches FOR EACH STATEMENT EXECUTE FUNCTION numero_toucher();

-- Areas and places.
CREATE TABLE unite_administrative (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  niveau varchar NOT NULL CHECK (niveau IN ('region', 'departement', 'sous_prefecture', 'commune', 'district_sanitaire')),
  pcode varchar NOT NULL,
  nom varchar NOT NULL,
  parent varchar,
  source varchar NOT NULL,
  geom geometry(MultiPolygon, 4326) NOT NULL,
  UNIQUE (niveau, pcode)
);
CREATE INDEX unite_geom ON unite_administrative USING gist (geom);
CREATE TRIGGER unite_signal AFTER INSERT OR UPDATE OR DELETE ON unite_administrative
  FOR EACH STATEMENT EXECUTE FUNCTION sante_signaler();

CREATE TABLE localite (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source varchar NOT NULL,
  source_id varchar NOT NULL,
  nom varchar NOT NULL,
  alias text[] NOT NULL DEFAULT '{}',
  population integer,
  rattachement varchar,
  geom geometry(Point, 4326),
  UNIQUE (source, source_id)
);
COMMENT ON TABLE localite IS 'Towns and villages by name; those without a point help to understand a search, not to place it';
CREATE TRIGGER localite_signal AFTER INSERT OR UPDATE OR DELETE ON localite
  FOR EACH STATEMENT EXECUTE FUNCTION sante_signaler();

-- Where each published value comes from.
CREATE TABLE source_etablissement (
  source varchar NOT NULL,
  source_id varchar NOT NULL,
  id_etablissement integer NOT NULL REFERENCES etablissement_sante (id_etablissement) ON DELETE CASCADE,
  brut jsonb NOT NULL,
  empreinte bytea NOT NULL,
  licence varchar NOT NULL,
  vu_le timestamptz NOT NULL DEFAULT now(),
  disparu_le timestamptz,
  PRIMARY KEY (source, source_id)
);
CREATE INDEX source_par_etablissement ON source_etablissement (id_etablissement);
COMMENT ON COLUMN source_etablissement.disparu_le IS 'The last complete file of the source does not hold it any more: to verify, never deleted';

CREATE TABLE import_lot (
  id uuid PRIMARY KEY,
  source varchar NOT NULL,
  fichier varchar NOT NULL,
  empreinte bytea NOT NULL,
  lignes integer NOT NULL,
  crees integer NOT NULL DEFAULT 0,
  modifies integer NOT NULL DEFAULT 0,
  refuses integer NOT NULL DEFAULT 0,
  commence_le timestamptz NOT NULL DEFAULT now(),
  fini_le timestamptz
);
CREATE TABLE import_ligne (
  id_lot uuid NOT NULL REFERENCES import_lot (id) ON DELETE CASCADE,
  ligne integer NOT NULL,
  gravite varchar NOT NULL CHECK (gravite IN ('refus', 'remarque')),
  motif varchar NOT NULL,
  detail varchar NOT NULL DEFAULT ''
);
CREATE INDEX import_ligne_lot ON import_ligne (id_lot, ligne);

CREATE TABLE doublon_a_revoir (
  id uuid PRIMARY KEY,
  premier integer NOT NULL REFERENCES etablissement_sante (id_etablissement) ON DELETE CASCADE,
  second integer NOT NULL REFERENCES etablissement_sante (id_etablissement) ON DELETE CASCADE,
  score real NOT NULL,
  etat varchar NOT NULL DEFAULT 'attente' CHECK (etat IN ('attente', 'fusionne', 'distinct')),
  decide_par uuid,
  decide_le timestamptz,
  cree_le timestamptz NOT NULL DEFAULT now(),
  UNIQUE (premier, second)
);

CREATE TABLE modification_etablissement (
  id uuid PRIMARY KEY,
  id_etablissement integer NOT NULL REFERENCES etablissement_sante (id_etablissement) ON DELETE CASCADE,
  champ varchar NOT NULL,
  ancienne jsonb,
  nouvelle jsonb,
  source varchar NOT NULL,
  auteur uuid,
  faite_le timestamptz NOT NULL,
  annulee_le timestamptz
);
CREATE INDEX modification_par_etablissement ON modification_etablissement (id_etablissement, faite_le DESC);
COMMENT ON TABLE modification_etablissement IS 'History of published fields, by corrections and merges; each can be undone';

-- Pharmacies on duty: a list stands by itself, with or without a known place.
CREATE TABLE zone_garde (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  nom varchar NOT NULL,
  nom_norm varchar NOT NULL UNIQUE,
  geom geometry(Point, 4326)
);
CREATE TABLE garde_pharmacie (
  id uuid PRIMARY KEY,
  id_zone integer NOT NULL REFERENCES zone_garde (id),
  debut date NOT NULL,
  fin date NOT NULL,
  id_etablissement integer REFERENCES etablissement_sante (id_etablissement) ON DELETE SET NULL,
  nom_brut varchar NOT NULL,
  nom_norm varchar NOT NULL,
  adresse_brute varchar NOT NULL DEFAULT '',
  telephones text[] NOT NULL DEFAULT '{}',
  telephones_bruts varchar NOT NULL DEFAULT '',
  source varchar NOT NULL,
  lot uuid NOT NULL,
  UNIQUE (id_zone, debut, fin, nom_norm, adresse_brute),
  CHECK (fin >= debut)
);
CREATE INDEX garde_periode ON garde_pharmacie (fin, debut);
COMMENT ON COLUMN garde_pharmacie.fin IS 'Last day of the duty, included';
CREATE TRIGGER garde_signal AFTER INSERT OR UPDATE OR DELETE ON garde_pharmacie
  FOR EACH STATEMENT EXECUTE FUNCTION sante_signaler();

CREATE TABLE jour_ferie (
  jour date PRIMARY KEY,
  nom varchar NOT NULL,
  source varchar NOT NULL
);
COMMENT ON TABLE jour_ferie IS 'Declared holidays (Tabaski, Ramadan, Maouloud…); those of fixed date and Easter are computed';
CREATE TRIGGER ferie_signal AFTER INSERT OR UPDATE OR DELETE ON jour_ferie
  FOR EACH STATEMENT EXECUTE FUNCTION sante_signaler();

-- Corrections by people.
CREATE TABLE signalement (
  id uuid PRIMARY KEY,
  id_etablissement integer NOT NULL REFERENCES etablissement_sante (id_etablissement) ON DELETE CASCADE,
  id_user integer NOT NULL,
  champ varchar NOT NULL,
  proposee jsonb,
  commentaire varchar NOT NULL DEFAULT '',
  etat varchar NOT NULL DEFAULT 'attente' CHECK (etat IN ('attente', 'accepte', 'refuse', 'annule')),
  compte_verifie boolean NOT NULL,
  compte_ancien boolean NOT NULL,
  moderateur uuid,
  decide_le timestamptz,
  id_modification uuid REFERENCES modification_etablissement (id),
  cree_le timestamptz NOT NULL
);
CREATE INDEX signalement_file ON signalement (etat, id);
CREATE INDEX signalement_par_personne ON signalement (id_user, cree_le);
CREATE UNIQUE INDEX signalement_un_par_personne ON signalement (id_etablissement, id_user, champ, proposee) WHERE etat = 'attente';
