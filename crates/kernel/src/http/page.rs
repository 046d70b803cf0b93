use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Problem;

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;
const MAX_CURSOR_BYTES: usize = 512;

/// `?limit=20&cursor=…` of every list.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<u32>,
    /// `nextCursor` of the page before.
    pub cursor: Option<String>,
}

/// A checked page request: where to go on, and how many.
#[derive(Clone, Debug)]
pub struct Page<C> {
    /// 1 to 100.
    pub limit: u32,
    /// The key of the last item that was seen.
    pub after: Option<C>,
}

impl PageQuery {
    /// Refuses a limit outside of 1 to 100 and a cursor that is not ours.
    pub fn checked<C: DeserializeOwned>(&self) -> Result<Page<C>, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::field("limit", "out_of_range"));
        }
        let after = match &self.cursor {
            None => None,
            Some(text) => Some(decode(text).ok_or_else(|| Problem::field("cursor", "invalid"))?),
        };
        Ok(Page { limit, after })
    }
}

impl<C: Serialize> Page<C> {
    /// How many rows to ask for: one more than is shown tells whether there is a next page.
    pub fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Cuts the extra row off and makes the cursor of the next page from the last row that is shown.
    pub fn cut<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> C) -> (Vec<T>, Option<String>) {
        let more = rows.len() > self.limit as usize;
        rows.truncate(self.limit as usize);
        let next = rows.last().filter(|_| more).and_then(|last| encode(&key(last)));
        (rows, next)
    }
}

fn encode<C: Serialize>(key: &C) -> Option<String> {
    serde_json::to_vec(key).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
}

fn decode<C: DeserializeOwned>(text: &str) -> Option<C> {
    if text.len() > MAX_CURSOR_BYTES {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let first: Page<i64> = PageQuery { limit: Some(2), cursor: None }.checked().unwrap();
        let (shown, next) = first.cut(vec![9, 8, 7], |row| *row);
        assert_eq!(shown, [9, 8]);
        let second: Page<i64> = PageQuery { limit: Some(2), cursor: next }.checked().unwrap();
        assert_eq!(second.after, Some(8));
        assert!(second.cut(vec![7], |row| *row).1.is_none());
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        for (limit, cursor) in [(Some(0), None), (Some(101), None), (None, Some("pas un curseur")), (None, Some("e30"))]
        {
            let query = PageQuery { limit, cursor: cursor.map(str::to_owned) };
            assert!(query.checked::<i64>().is_err(), "{query:?}");
        }
    }
}
