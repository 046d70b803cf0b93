-- A database as the first backend left it: people with numbers, passwords and balances. `hostolink migrate` takes it over,
-- and the ledger opens every account by a posting: no row of the books is written by hand.
-- Person i has the number +22507 and i in eight digits, account i, and 1,000,000,000 F, as in peers/nestjs/seed.sql.
CREATE TABLE utilisateur (
  id_user serial CONSTRAINT utilisateur_pkey PRIMARY KEY,
  nom varchar, prenom varchar, email varchar, telephone varchar, pays varchar, photo_profile varchar, mdp varchar,
  date_inscription timestamp DEFAULT CURRENT_TIMESTAMP, code_confirmation varchar(10),
  CONSTRAINT "UQ_80273015241cbddf8152908bd5b" UNIQUE (telephone),
  CONSTRAINT "UQ_e1136325a6b28e2a02b81b2f5e1" UNIQUE (email));
CREATE TABLE compte (
  id_compte serial PRIMARY KEY, id_user integer, solde_compte numeric(15, 2) DEFAULT 0,
  date_creation_compte timestamp DEFAULT now(),
  CONSTRAINT compte_ibfk_1 FOREIGN KEY (id_user) REFERENCES utilisateur (id_user) ON DELETE CASCADE);
INSERT INTO utilisateur (nom, prenom, email, telephone, pays, mdp)
  SELECT 'Nom' || i, 'Prenom' || i, 'user' || i || '@example.ci', '+22507' || lpad(i::text, 8, '0'), 'CI',
         '$2b$10$XGV39oG5PIbS2yTRkcVn1u8rCFj/buEJR4q6fxSC7NH6dRwS7Ijoy'
    FROM generate_series(1, :people) i;
INSERT INTO compte (id_user, solde_compte) SELECT i, 1000000000 FROM generate_series(1, :people) i;
