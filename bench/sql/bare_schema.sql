-- The tables that a payment writes, again and beside the books, for load/bare_commit.sql.
CREATE SCHEMA nu;
CREATE TABLE nu.compte (LIKE public.compte INCLUDING ALL);
CREATE TABLE nu.transaction (LIKE public.transaction INCLUDING ALL);
CREATE TABLE nu.ecriture (LIKE public.ecriture INCLUDING ALL);
CREATE TABLE nu.lot (LIKE public.lot INCLUDING ALL);
INSERT INTO nu.compte SELECT * FROM public.compte WHERE id_user IS NOT NULL;
VACUUM ANALYZE nu.compte;
