-- The nearest facilities in SQL: for reports, for a second program beside this one, and as the oracle of the tests. The
-- program itself answers from memory. Owner: crates/health.
--
-- Candidates come by degrees through the index (kinds as smallint, one index scan each: `= ANY` would be a filter), a third
-- more than asked; the true distance on the spheroid decides. Exact in Côte d'Ivoire, where a degree of longitude is 98 to
-- 100 % of one of latitude.
CREATE FUNCTION etablissements_proches(lat double precision, lng double precision, n integer, types smallint[] DEFAULT NULL)
RETURNS TABLE (id uuid, metres double precision) LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20 AS $$
DECLARE
  ici geometry := ST_SetSRID(ST_MakePoint(lng, lat), 4326);
  candidats integer := greatest(n + 10, n * 13 / 10);
BEGIN
  IF types IS NULL THEN
    RETURN QUERY
      SELECT c.public_id, ST_Distance(c.geom::geography, ici::geography) AS m FROM (
        SELECT e.public_id, e.geom FROM etablissement_sante e WHERE e.etat = 'ouvert' AND e.geom IS NOT NULL
         ORDER BY e.geom <-> ici LIMIT candidats) c
       ORDER BY m, c.public_id LIMIT n;
  ELSE
    RETURN QUERY
      SELECT c.public_id, ST_Distance(c.geom::geography, ici::geography) AS m
        FROM unnest(types) AS t(t) CROSS JOIN LATERAL (
          SELECT e.public_id, e.geom FROM etablissement_sante e WHERE e.type_id = t.t AND e.etat = 'ouvert' AND e.geom IS NOT NULL
           ORDER BY e.geom <-> ici LIMIT candidats) c
       ORDER BY m, c.public_id LIMIT n;
  END IF;
END $$;
COMMENT ON FUNCTION etablissements_proches(double precision, double precision, integer, smallint[]) IS 'The n nearest on the map, with metres on the spheroid';
