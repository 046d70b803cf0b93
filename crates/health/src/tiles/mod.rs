//! Vector tiles of facilities and boundaries, cut by PostGIS, kept in memory until the tables change.

pub(crate) mod api;
mod store;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::kind::Kind;
use crate::{Health, HealthError};

/// The deepest zoom that is cut; a map enlarges it beyond.
pub(crate) const MAX_ZOOM: u8 = 16;
/// Up to this zoom facilities are counted in a grid, beyond it each is a point.
const CLUSTERS_TO: u8 = 8;
/// Tiles that are kept. A tile of points is some kilobytes, at most about 100.
const MAX_KEPT: usize = 2_000;

/// Which tile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tile {
    pub(crate) layer: Layer,
    pub(crate) z: u8,
    pub(crate) x: u32,
    pub(crate) y: u32,
    /// Empty for all.
    pub(crate) kinds: Vec<Kind>,
}

/// Of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Layer {
    Facilities,
    Boundaries,
}

impl Tile {
    /// `None` where the grid has no such tile.
    pub(crate) fn new(layer: Layer, z: u8, x: u32, y: u32, kinds: Vec<Kind>) -> Option<Self> {
        let side = 1_u32.checked_shl(u32::from(z))?;
        (z <= MAX_ZOOM && x < side && y < side).then_some(Self { layer, z, x, y, kinds })
    }
}

/// Tiles of the atlas that was read at a moment.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Kept>);

type Kept = (Option<DateTime<Utc>>, HashMap<Tile, Bytes>);

impl Cache {
    fn get(&self, read_at: Option<DateTime<Utc>>, tile: &Tile) -> Option<Bytes> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != read_at {
            *kept = (read_at, HashMap::new());
        }
        kept.1.get(tile).cloned()
    }

    fn put(&self, read_at: Option<DateTime<Utc>>, tile: Tile, bytes: Bytes) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 == read_at {
            if kept.1.len() >= MAX_KEPT {
                kept.1.clear();
            }
            kept.1.insert(tile, bytes);
        }
    }
}

/// A tile, from memory when it was cut before.
pub(crate) async fn cut(health: &Health, tile: Tile) -> Result<Bytes, HealthError> {
    let read_at = health.atlas().read_at;
    if let Some(known) = health.tiles().get(read_at, &tile) {
        return Ok(known);
    }
    let pool = &health.db().read;
    let bytes = match tile.layer {
        Layer::Facilities if tile.z <= CLUSTERS_TO => store::clusters(pool, &tile).await?,
        Layer::Facilities => store::points(pool, &tile).await?,
        Layer::Boundaries => store::boundaries(pool, &tile).await?,
    };
    let bytes = Bytes::from(bytes);
    health.tiles().put(read_at, tile, bytes.clone());
    Ok(bytes)
}
