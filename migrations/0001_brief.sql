-- The database of the brief, kept as it is: 22 tables and `otp`, with their names, columns, types and constraint names.
-- On the running database of the first backend every statement finds its table and changes nothing; a new database
-- starts from the same point. All that is ours is added beside, by the migrations that follow.
--
-- `utilisateur` and `otp` are certain (psql listings of the brief); the columns of the other tables follow their names.

CREATE TABLE IF NOT EXISTS utilisateur (
  id_user serial CONSTRAINT utilisateur_pkey PRIMARY KEY,
  nom varchar,
  prenom varchar,
  email varchar,
  telephone varchar,
  pays varchar,
  photo_profile varchar,
  mdp varchar,
  date_inscription timestamp DEFAULT CURRENT_TIMESTAMP,
  code_confirmation varchar(10),
  CONSTRAINT "UQ_80273015241cbddf8152908bd5b" UNIQUE (telephone),
  CONSTRAINT "UQ_e1136325a6b28e2a02b81b2f5e1" UNIQUE (email)
);

CREATE TABLE IF NOT EXISTS otp (
  id serial CONSTRAINT otp_pkey PRIMARY KEY,
  user_id integer NOT NULL,
  otp_code varchar(6) NOT NULL,
  expires_at timestamp NOT NULL,
  is_valid boolean DEFAULT true,
  CONSTRAINT fk_otp_user FOREIGN KEY (user_id) REFERENCES utilisateur (id_user) ON DELETE CASCADE
);

-- TypeORM's own history: kept, never written by us.
CREATE TABLE IF NOT EXISTS migrations (
  id serial PRIMARY KEY,
  "timestamp" bigint NOT NULL,
  name varchar NOT NULL
);

CREATE TABLE IF NOT EXISTS role_permission (
  id_role serial PRIMARY KEY,
  role_name varchar,
  permissions json
);

-- Money
CREATE TABLE IF NOT EXISTS compte (
  id_compte serial PRIMARY KEY,
  id_user integer,
  solde_compte numeric(15, 2) DEFAULT 0,
  date_creation_compte timestamp DEFAULT now(),
  CONSTRAINT compte_ibfk_1 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS transaction (
  id_transaction serial PRIMARY KEY,
  id_compte_expediteur integer,
  id_compte_recepteur integer,
  montant numeric(15, 2),
  date_transaction timestamp DEFAULT now(),
  statut varchar
);

CREATE TABLE IF NOT EXISTS carte_bancaire (
  id_carte serial PRIMARY KEY,
  id_user integer,
  type_carte varchar,
  CONSTRAINT carte_bancaire_ibfk_1 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS qr_code_paiement (
  id_qrcode serial PRIMARY KEY,
  id_user integer,
  qr_code_valeur varchar,
  date_expiration timestamp,
  CONSTRAINT qr_code_paiement_ibfk_1 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE
);

-- The social network
CREATE TABLE IF NOT EXISTS publication (
  id_publication serial PRIMARY KEY,
  id_user integer,
  contenu text,
  image varchar,
  date_publication timestamp DEFAULT now(),
  CONSTRAINT publication_ibfk_1 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS commentaire (
  id_commentaire serial PRIMARY KEY,
  id_publication integer,
  id_user integer,
  contenu text,
  date_commentaire timestamp DEFAULT now(),
  CONSTRAINT commentaire_ibfk_1 FOREIGN KEY (id_publication) REFERENCES publication (id_publication) ON DELETE CASCADE,
  CONSTRAINT commentaire_ibfk_2 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS liker (
  id_like serial PRIMARY KEY,
  id_publication integer,
  id_user integer,
  CONSTRAINT liker_ibfk_1 FOREIGN KEY (id_publication) REFERENCES publication (id_publication) ON DELETE CASCADE,
  CONSTRAINT liker_ibfk_2 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS partages (
  id_partage serial PRIMARY KEY,
  id_publication integer,
  id_user integer,
  CONSTRAINT partages_ibfk_1 FOREIGN KEY (id_publication) REFERENCES publication (id_publication) ON DELETE CASCADE,
  CONSTRAINT partages_ibfk_2 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS contacts_enregistres (
  id_contact serial PRIMARY KEY,
  id_user integer,
  id_contact_user integer,
  CONSTRAINT contacts_enregistres_ibfk_1 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE,
  CONSTRAINT contacts_enregistres_ibfk_2 FOREIGN KEY (id_contact_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE
);

-- Themes and messages
CREATE TABLE IF NOT EXISTS thematiques (
  id_thematique serial PRIMARY KEY,
  titre_thematique varchar,
  nb_message integer DEFAULT 0
);

CREATE TABLE IF NOT EXISTS message (
  id_message serial PRIMARY KEY,
  id_thematique integer,
  id_user integer,
  contenu text,
  date_message timestamp DEFAULT now(),
  CONSTRAINT message_ibfk_1 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user)
);

-- What staff and the system tell people
CREATE TABLE IF NOT EXISTS annonce (
  id_annonce serial PRIMARY KEY,
  titre varchar,
  description text,
  date timestamp DEFAULT now()
);

CREATE TABLE IF NOT EXISTS publicite (
  id_pub serial PRIMARY KEY,
  titre varchar,
  image varchar
);

CREATE TABLE IF NOT EXISTS notification (
  id_notification serial PRIMARY KEY,
  titre varchar,
  contenu text,
  date_notif timestamp DEFAULT now()
);

-- Who someone is
CREATE TABLE IF NOT EXISTS verification_compte (
  id_verif serial PRIMARY KEY,
  id_user integer,
  code_verif varchar,
  CONSTRAINT verification_compte_ibfk_1 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS verification_identite (
  id_verif_ident serial PRIMARY KEY,
  id_user integer,
  statut varchar,
  CONSTRAINT verification_identite_ibfk_1 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE
);

-- Health facilities
CREATE TABLE IF NOT EXISTS etablissement_sante (
  id_etablissement serial PRIMARY KEY,
  nom varchar,
  adresse varchar,
  telephone varchar,
  latitude double precision,
  longitude double precision,
  categorie varchar
);

CREATE TABLE IF NOT EXISTS liste_numero_etablissement_sante (
  id_liste_num serial PRIMARY KEY,
  nom_etablissement varchar,
  numero varchar
);

CREATE TABLE IF NOT EXISTS localisation (
  id_localisation serial PRIMARY KEY,
  id_etablissement integer,
  latitude double precision,
  longitude double precision
);

-- An id for rows that were there before the program, and a default for rows written by hand: UUIDv7 of the present.
-- The program makes its own ids and never calls it.
CREATE OR REPLACE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT encode(
    set_bit(
      set_bit(
        overlay(uuid_send(gen_random_uuid())
          PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
          FROM 1 FOR 6),
        52, 1),
      53, 1),
    'hex')::uuid
$$;
COMMENT ON FUNCTION uuid_v7() IS 'UUIDv7 for adopted and hand-written rows; the program makes its own';
