-- What staff announces to everybody. Owner: crates/announcements.
ALTER TABLE annonce
  ADD COLUMN IF NOT EXISTS public_id uuid NOT NULL DEFAULT uuid_v7(),
  ADD COLUMN IF NOT EXISTS publiee_le timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN IF NOT EXISTS expire_le timestamptz;
UPDATE annonce SET publiee_le = date AT TIME ZONE 'UTC' WHERE date IS NOT NULL;
CREATE INDEX IF NOT EXISTS annonce_recentes ON annonce (public_id DESC);
