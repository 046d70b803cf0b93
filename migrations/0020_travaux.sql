-- Durable work: written in the transaction of what causes it, done after the commit, at least once. Owner: crates/jobs.
CREATE TABLE travail (
  id uuid PRIMARY KEY,
  nature varchar NOT NULL,
  charge jsonb NOT NULL DEFAULT '{}',
  secret bytea,
  etat varchar NOT NULL DEFAULT 'attente' CHECK (etat IN ('attente', 'fait', 'abandonne')),
  essais smallint NOT NULL DEFAULT 0,
  prochain_le timestamptz NOT NULL DEFAULT now(),
  reserve_jusqu timestamptz,
  derniere_erreur varchar,
  expire_le timestamptz,
  cree_le timestamptz NOT NULL DEFAULT now(),
  fait_le timestamptz
) WITH (fillfactor = 70);
CREATE INDEX travail_a_faire ON travail (nature, prochain_le) WHERE etat = 'attente';
COMMENT ON TABLE travail IS 'Queue of jobs: taken with SKIP LOCKED under a lease, retried with back-off, given up after its last try';
COMMENT ON COLUMN travail.secret IS 'Sealed part (AES-GCM, kernel::keys): a code on its way to its owner; erased when the job is done or given up';
COMMENT ON COLUMN travail.expire_le IS 'Not worth doing later: a code that nobody could use any more';
