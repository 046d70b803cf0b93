-- Sessions and the security log, beside 0010. Owner: crates/identity.

ALTER TABLE session
  ADD COLUMN tourne_le timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN pardonne boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN session.tourne_le IS 'When the current tokens were made: a request that came earlier raced with it, one that came later lost the answer or stole the token';
COMMENT ON COLUMN session.pardonne IS 'The current tokens replaced ones whose answer was lost; that is forgiven once';

CREATE TABLE jeton_ancien (
  empreinte bytea PRIMARY KEY,
  id_user integer NOT NULL,
  id_session uuid NOT NULL,
  cree_le timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (id_user, id_session) REFERENCES session (id_user, id) ON DELETE CASCADE
);
CREATE INDEX jeton_ancien_session ON jeton_ancien (id_user, id_session);
COMMENT ON TABLE jeton_ancien IS 'Refresh tokens that were replaced (SHA-256): one that comes back was stolen from its owner or by him, and ends its session';

CREATE FUNCTION evenement_securite_ajout_seul() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'evenement_securite is append-only';
END
$$;
CREATE TRIGGER evenement_securite_ajout_seul BEFORE UPDATE OR DELETE OR TRUNCATE ON evenement_securite
  FOR EACH STATEMENT EXECUTE FUNCTION evenement_securite_ajout_seul();
