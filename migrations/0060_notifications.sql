-- The inbox. Owner: crates/notifications.
ALTER TABLE notification
  ADD COLUMN IF NOT EXISTS public_id uuid NOT NULL DEFAULT uuid_v7(),
  ADD COLUMN IF NOT EXISTS id_user integer REFERENCES utilisateur (id_user) ON DELETE CASCADE,
  ADD COLUMN IF NOT EXISTS nature varchar NOT NULL DEFAULT 'message',
  ADD COLUMN IF NOT EXISTS cree_le timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN IF NOT EXISTS vue_le timestamptz;
UPDATE notification SET cree_le = date_notif AT TIME ZONE 'UTC' WHERE date_notif IS NOT NULL;
CREATE INDEX IF NOT EXISTS notification_boite ON notification (id_user, public_id DESC);
CREATE INDEX IF NOT EXISTS notification_non_vues ON notification (id_user) WHERE vue_le IS NULL;
COMMENT ON COLUMN notification.id_user IS 'Whose inbox; null for rows of the first backend, which kept no reader: they are shown to nobody';
