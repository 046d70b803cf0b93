-- What an installation knows about itself. Owner: crates/server.
CREATE TABLE IF NOT EXISTS installation (
  cle varchar PRIMARY KEY,
  valeur varchar NOT NULL,
  modifie_le timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE installation IS 'mode = production once `hostolink serve` ran here: development mode then refuses this database';

-- The first backend's rows are turned into ours once, step by step, by `hostolink migrate`.
CREATE TABLE IF NOT EXISTS adoption (
  etape varchar PRIMARY KEY,
  lignes integer NOT NULL,
  termine_le timestamptz
);
COMMENT ON TABLE adoption IS 'Steps of taking over a running database of the first backend; a step without an end is done again';
INSERT INTO adoption (etape, lignes, termine_le)
  SELECT 'utilisateurs', count(*), CASE WHEN count(*) = 0 THEN now() END FROM utilisateur
  ON CONFLICT DO NOTHING;
INSERT INTO adoption (etape, lignes, termine_le)
  SELECT 'comptes', count(*), CASE WHEN count(*) = 0 THEN now() END FROM compte
  ON CONFLICT DO NOTHING;
INSERT INTO adoption (etape, lignes, termine_le)
  SELECT 'etablissements', count(*), CASE WHEN count(*) = 0 THEN now() END FROM etablissement_sante
  ON CONFLICT DO NOTHING;
