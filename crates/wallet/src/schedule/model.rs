use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store::Row;

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cadence {
    Once,
    Daily,
    Weekly,
    Monthly,
}

impl Cadence {
    pub(super) fn stored(self) -> &'static str {
        match self {
            Cadence::Once => "once",
            Cadence::Daily => "daily",
            Cadence::Weekly => "weekly",
            Cadence::Monthly => "monthly",
        }
    }
}

/// The date after this one; none when the plan is over. A day that a month has not is its last.
pub(super) fn next(row: &Row) -> Option<DateTime<Utc>> {
    let now = row.prochaine_le?;
    if row.occurrence + 1 >= row.maximum {
        return None;
    }
    let next = match row.cadence.as_str() {
        "daily" => now + TimeDelta::days(1),
        "weekly" => now + TimeDelta::weeks(1),
        "monthly" => month_later(now, u32::try_from(row.jour).unwrap_or(1))?,
        _ => return None,
    };
    Some(next).filter(|next| row.fin_le.is_none_or(|end| *next <= end))
}

fn month_later(at: DateTime<Utc>, day: u32) -> Option<DateTime<Utc>> {
    let month = at.date_naive().with_day(1)?.checked_add_months(Months::new(1))?;
    let last = month.checked_add_months(Months::new(1))?.pred_opt()?.day();
    let date = NaiveDate::from_ymd_opt(month.year(), month.month(), day.clamp(1, last))?;
    Some(date.and_time(at.time()).and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cadence: &str, at: &str, day: i16) -> Row {
        Row {
            id: uuid::Uuid::nil(),
            id_user: 1,
            id_beneficiaire: 2,
            montant: 100,
            note: None,
            cadence: cadence.into(),
            jour: day,
            prochaine_le: Some(at.parse().unwrap()),
            fin_le: None,
            occurrence: 0,
            maximum: 10,
            etat: "actif".into(),
            dernier_code: None,
            derniere_operation: None,
            cree_le: at.parse().unwrap(),
        }
    }

    fn after(cadence: &str, at: &str, day: i16) -> Option<String> {
        next(&row(cadence, at, day)).map(|at| at.to_rfc3339())
    }

    #[test]
    fn dates_follow_each_other() {
        assert_eq!(after("daily", "2026-12-31T08:00:00Z", 31).as_deref(), Some("2027-01-01T08:00:00+00:00"));
        assert_eq!(after("weekly", "2026-11-30T08:00:00Z", 30).as_deref(), Some("2026-12-07T08:00:00+00:00"));
        assert_eq!(after("monthly", "2027-01-31T08:00:00Z", 31).as_deref(), Some("2027-02-28T08:00:00+00:00"));
        assert_eq!(after("monthly", "2027-02-28T08:00:00Z", 31).as_deref(), Some("2027-03-31T08:00:00+00:00"));
        assert_eq!(after("monthly", "2028-01-30T08:00:00Z", 30).as_deref(), Some("2028-02-29T08:00:00+00:00"));
        assert_eq!(after("once", "2026-12-31T08:00:00Z", 31), None);
    }

    #[test]
    fn plans_end() {
        let plan = row("daily", "2026-12-31T08:00:00Z", 31);
        assert!(next(&Row { occurrence: 9, ..plan.clone() }).is_none());
        assert!(next(&Row { fin_le: Some("2027-01-01T07:59:00Z".parse().unwrap()), ..plan.clone() }).is_none());
        assert!(next(&Row { fin_le: Some("2027-01-01T08:00:00Z".parse().unwrap()), ..plan }).is_some());
    }
}
