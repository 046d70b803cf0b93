use sqlx::PgPool;

use super::Tile;

/// All kinds when none is asked. As `smallint`: an `int4` would be a filter and not a condition of the index.
fn kinds(tile: &Tile) -> Option<Vec<i16>> {
    (!tile.kinds.is_empty()).then(|| tile.kinds.iter().map(|kind| kind.0).collect())
}

/// One point a facility; at most 20 000 a tile, the most important kinds first.
pub(super) async fn points(pool: &PgPool, tile: &Tile) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query_scalar(
        "WITH b AS (SELECT ST_TileEnvelope($1, $2, $3) AS m, ST_Transform(ST_TileEnvelope($1, $2, $3, margin => 0.015625), 4326) AS g)
         SELECT COALESCE(ST_AsMVT(t, 'facilities', 4096, 'geom'), '') FROM (
           SELECT e.public_id::text AS id, e.nom AS name, y.code AS type, COALESCE(e.horaires = '24/7', false) AS always,
                  ST_AsMVTGeom(ST_Transform(e.geom, 3857), b.m, 4096, 64) AS geom
             FROM b, etablissement_sante e JOIN type_etablissement y ON y.id = e.type_id
            WHERE e.etat = 'ouvert' AND e.geom && b.g AND ($4::smallint[] IS NULL OR e.type_id = ANY ($4))
            ORDER BY y.rang, e.id_etablissement LIMIT 20000) t WHERE t.geom IS NOT NULL",
    )
    .bind(i32::from(tile.z))
    .bind(i32::try_from(tile.x).unwrap_or(0))
    .bind(i32::try_from(tile.y).unwrap_or(0))
    .bind(kinds(tile))
    .fetch_one(pool)
    .await
}

/// One point a cell of 1/16 of the tile, with how many stand there.
pub(super) async fn clusters(pool: &PgPool, tile: &Tile) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query_scalar(
        "WITH b AS (SELECT ST_TileEnvelope($1, $2, $3) AS m, ST_Transform(ST_TileEnvelope($1, $2, $3), 4326) AS g),
         c AS (SELECT (ST_XMax(b.m) - ST_XMin(b.m)) / 16 AS cell FROM b)
         SELECT COALESCE(ST_AsMVT(t, 'clusters', 4096, 'geom'), '') FROM (
           SELECT count(*)::integer AS count, ST_AsMVTGeom(ST_Centroid(ST_Collect(p.m)), (SELECT m FROM b), 4096, 0) AS geom
             FROM (SELECT ST_Transform(e.geom, 3857) AS m FROM b, etablissement_sante e
                    WHERE e.etat = 'ouvert' AND e.geom && b.g AND ($4::smallint[] IS NULL OR e.type_id = ANY ($4))) p, c
            GROUP BY floor(ST_X(p.m) / c.cell), floor(ST_Y(p.m) / c.cell)) t WHERE t.geom IS NOT NULL",
    )
    .bind(i32::from(tile.z))
    .bind(i32::try_from(tile.x).unwrap_or(0))
    .bind(i32::try_from(tile.y).unwrap_or(0))
    .bind(kinds(tile))
    .fetch_one(pool)
    .await
}

/// Regions always, departments from zoom 7, sub-prefectures from zoom 9: three layers of one tile, and the names once, at a point inside.
pub(super) async fn boundaries(pool: &PgPool, tile: &Tile) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query_scalar(
        "WITH b AS (SELECT ST_TileEnvelope($1, $2, $3) AS m, ST_Transform(ST_TileEnvelope($1, $2, $3, margin => 0.015625), 4326) AS g),
         u AS (SELECT u.niveau, u.nom AS name, u.geom AS place, ST_AsMVTGeom(ST_Transform(u.geom, 3857), b.m, 4096, 64) AS geom
                 FROM b, unite_administrative u
                WHERE u.geom && b.g AND (u.niveau = 'region' OR (u.niveau = 'departement' AND $1 >= 7) OR (u.niveau = 'sous_prefecture' AND $1 >= 9))),
         n AS (SELECT u.niveau, u.name, ST_AsMVTGeom(ST_Transform(ST_PointOnSurface(u.place), 3857), b.m, 4096, 0) AS geom FROM u, b)
         SELECT COALESCE((SELECT ST_AsMVT(t, 'regions', 4096, 'geom') FROM (SELECT name, geom FROM u WHERE niveau = 'region' AND geom IS NOT NULL) t), '')
             || COALESCE((SELECT ST_AsMVT(t, 'departments', 4096, 'geom') FROM (SELECT name, geom FROM u WHERE niveau = 'departement' AND geom IS NOT NULL) t), '')
             || COALESCE((SELECT ST_AsMVT(t, 'sub_prefectures', 4096, 'geom') FROM (SELECT name, geom FROM u WHERE niveau = 'sous_prefecture' AND geom IS NOT NULL) t), '')
             || COALESCE((SELECT ST_AsMVT(t, 'names', 4096, 'geom') FROM (SELECT name, niveau AS level, geom FROM n WHERE geom IS NOT NULL) t), '')",
    )
    .bind(i32::from(tile.z))
    .bind(i32::try_from(tile.x).unwrap_or(0))
    .bind(i32::try_from(tile.y).unwrap_or(0))
    .fetch_one(pool)
    .await
}
