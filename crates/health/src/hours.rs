//! Opening hours in OSM's syntax: read once when they are written, asked a million times.
//!
//! The parser's `next_change` walks to the year 10 000 when nothing changes (`Mo-Su 00:00-00:00` takes nearly a second), so
//! it is never called: only the coming days are looked at. Côte d'Ivoire keeps UTC all year, without summer time.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};
use compact_calendar::CompactCalendar;
use opening_hours::{Context, ContextHolidays, OpeningHours, RuleKind};

/// The longest expression that is stored, in characters.
pub const MAX_LENGTH: usize = 255;
/// How far a change of state is looked for, in days: a week holds every weekly rule.
const HORIZON_DAYS: i64 = 8;

/// Parsed hours, with the country's holidays.
#[derive(Clone, Debug)]
pub struct Hours {
    parsed: OpeningHours,
    always: bool,
}

/// The state at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Open, closed, or nobody knows.
    pub open: Option<bool>,
    /// When that changes, within the coming week.
    pub until: Option<DateTime<Utc>>,
}

/// Why a text is refused as opening hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Longer than [`MAX_LENGTH`].
    TooLong,
    /// A telephone number in the wrong column.
    PhoneNumber,
    /// The parser's sentence, on one line, with the position.
    Syntax(String),
}

impl Refusal {
    /// The stable code of a report's line.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "hours_too_long",
            Self::PhoneNumber => "hours_is_phone",
            Self::Syntax(_) => "hours_invalid",
        }
    }
}

/// Holidays of Côte d'Ivoire: the fixed ones and those of Easter are computed, the declared ones come from `jour_ferie`.
#[derive(Clone, Debug, Default)]
pub struct Holidays(ContextHolidays);

/// Years for which holidays are computed around the present one.
const YEARS: std::ops::RangeInclusive<i32> = 2020..=2060;
const FIXED: [(u32, u32); 7] = [(1, 1), (5, 1), (8, 7), (8, 15), (11, 1), (11, 15), (12, 25)];
/// Days after Easter Sunday: Monday, Ascension, Whit Monday.
const MOVABLE: [i64; 3] = [1, 39, 50];

impl Holidays {
    /// With the declared ones added.
    pub fn new(declared: impl IntoIterator<Item = NaiveDate>) -> Self {
        let mut calendar = CompactCalendar::default();
        for year in YEARS {
            for (month, day) in FIXED {
                calendar.extend_with(NaiveDate::from_ymd_opt(year, month, day));
            }
            for days in MOVABLE {
                calendar.extend_with(easter(year).map(|sunday| sunday + Duration::days(days)));
            }
        }
        for day in declared {
            calendar.extend_with(Some(day));
        }
        Self(ContextHolidays::new(Arc::new(calendar), Arc::default()))
    }

    /// Whether a day is a public holiday.
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.0.get_public().contains(day)
    }
}

trait ExtendWith {
    fn extend_with(&mut self, day: Option<NaiveDate>);
}

impl ExtendWith for CompactCalendar {
    /// The calendar panics on years out of its range: what a row may hold is bounded first.
    fn extend_with(&mut self, day: Option<NaiveDate>) {
        if let Some(day) = day.filter(|day| (1900..=2200).contains(&day.year())) {
            self.insert(day);
        }
    }
}

/// Gauss's rule as Meeus wrote it down.
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(n / 31).ok()?, u32::try_from(n % 31 + 1).ok()?)
}

/// The text as it is stored, or why not. French hours and no-break spaces are repaired on the way.
pub fn tidy(text: &str) -> Result<String, Refusal> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > MAX_LENGTH {
        return Err(Refusal::TooLong);
    }
    if looks_like_phone(&text) {
        return Err(Refusal::PhoneNumber);
    }
    match text.parse::<OpeningHours>() {
        Ok(_) => Ok(text),
        Err(error) => {
            let repaired = from_french(&text);
            if repaired != text && repaired.chars().count() <= MAX_LENGTH && repaired.parse::<OpeningHours>().is_ok() {
                return Ok(repaired);
            }
            Err(Refusal::Syntax(one_line(&error.to_string())))
        }
    }
}

/// A call button made of opening hours, or hours made of a number: both happened to others.
fn looks_like_phone(text: &str) -> bool {
    !text.contains(':') && crate::phone::read(text).is_ok()
}

fn one_line(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(200).collect()
}

/// `Lu-Ve 8h-15h30` is `Mo-Fr 08:00-15:30`; `7j/7 24h/24` is `24/7`.
fn from_french(text: &str) -> String {
    let lower = text.to_lowercase();
    if lower.contains("24h/24") || lower.contains("24 h/24") || lower.contains("24h sur 24") || lower == "24h" {
        return "24/7".to_owned();
    }
    let mut out = String::new();
    let mut rest = lower.as_str();
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            let (hour, used) = french_hour(rest);
            out.push_str(&hour);
            rest = &rest[used..];
        } else if first.is_alphabetic() {
            let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            let word = &rest[..end];
            match french_day(word) {
                Some(day) => out.push_str(day),
                None if matches!(word, "à" | "a" | "au") => {
                    while out.ends_with(' ') {
                        out.pop();
                    }
                    out.push('-');
                    rest = rest[end..].trim_start();
                    continue;
                }
                None if matches!(word, "de" | "du" | "le" | "et") => {
                    if word == "et" {
                        while out.ends_with(' ') {
                            out.pop();
                        }
                        out.push(',');
                    }
                    rest = rest[end..].trim_start();
                    continue;
                }
                None => out.push_str(word),
            }
            rest = &rest[end..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out.replace(" -", "-").replace("- ", "-")
}

/// `8h`, `15h30`, `15 h 30` are two digits, a colon and two digits; any other number stays.
fn french_hour(text: &str) -> (String, usize) {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let blanks = |from: usize| text[from..].bytes().take_while(|b| *b == b' ').count();
    let hour = digits(0);
    let mark = hour + blanks(hour);
    if hour > 2 || !text[mark..].starts_with('h') {
        return (text[..hour].to_owned(), hour);
    }
    let minutes_at = mark + 1 + if digits(mark + 1 + blanks(mark + 1)) == 2 { blanks(mark + 1) } else { 0 };
    let minutes = digits(minutes_at).min(2);
    let written = if minutes == 2 { &text[minutes_at..minutes_at + 2] } else { "00" };
    let end = if minutes == 2 { minutes_at + 2 } else { mark + 1 };
    (format!("{:0>2}:{written}", &text[..hour]), end)
}

fn french_day(word: &str) -> Option<&'static str> {
    Some(match word {
        "lu" | "lun" | "lundi" => "Mo",
        "ma" | "mar" | "mardi" => "Tu",
        "me" | "mer" | "mercredi" => "We",
        "je" | "jeu" | "jeudi" => "Th",
        "ve" | "ven" | "vendredi" => "Fr",
        "sa" | "sam" | "samedi" => "Sa",
        "di" | "dim" | "dimanche" => "Su",
        "férié" | "fériés" | "ferie" | "feries" => "PH",
        "fermé" | "ferme" => "off",
        _ => return None,
    })
}

impl Hours {
    /// Hours that were tidied before; `None` when a hand wrote something else into the table.
    pub fn parse(text: &str, holidays: &Holidays) -> Option<Self> {
        let parsed: OpeningHours = tidy(text).ok()?.parse().ok()?;
        let parsed = parsed.with_context(Context::default().with_holidays(holidays.0.clone()));
        let mut hours = Self { parsed, always: false };
        hours.always = hours.open_in_all_samples();
        Some(hours)
    }

    /// Around the clock, every day, holidays included: `PH off` is not.
    pub fn always(&self) -> bool {
        self.always
    }

    /// One ordinary week and two with a holiday decide: an expression that is open throughout in all of them is open always.
    fn open_in_all_samples(&self) -> bool {
        [(2026, 3, 2), (2026, 8, 3), (2026, 12, 21)].iter().all(|(year, month, day)| {
            let Some(from) = NaiveDate::from_ymd_opt(*year, *month, *day).and_then(|day| day.and_hms_opt(0, 0, 0))
            else {
                return false;
            };
            self.parsed.iter_range(from, from + Duration::days(HORIZON_DAYS)).all(|range| range.kind == RuleKind::Open)
        })
    }

    /// The open stretches of a span of at most [`HORIZON_DAYS`].
    pub fn open_between(
        &self,
        from: chrono::NaiveDateTime,
        to: chrono::NaiveDateTime,
    ) -> Vec<(chrono::NaiveDateTime, chrono::NaiveDateTime)> {
        let to = to.min(from + Duration::days(HORIZON_DAYS));
        self.parsed
            .iter_range(from, to)
            .filter(|range| range.kind == RuleKind::Open)
            .map(|range| (range.range.start, range.range.end))
            .collect()
    }

    /// Open, closed or unknown at a moment, and until when.
    pub fn at(&self, now: DateTime<Utc>) -> State {
        let from = now.naive_utc();
        let to = from + Duration::days(HORIZON_DAYS);
        let Some(range) = self.parsed.iter_range(from, to).next() else { return State { open: None, until: None } };
        let open = match range.kind {
            RuleKind::Open => Some(true),
            RuleKind::Closed => Some(false),
            RuleKind::Unknown => None,
        };
        State { open, until: (range.range.end < to).then(|| range.range.end.and_utc()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, when: &str) -> State {
        let holidays = Holidays::new([NaiveDate::from_ymd_opt(2026, 5, 27).unwrap()]);
        Hours::parse(&tidy(text).unwrap(), &holidays).unwrap().at(when.parse().unwrap())
    }

    #[test]
    fn french_habits_are_repaired() {
        assert_eq!(tidy("Lu-Ve 8h-15h30").unwrap(), "Mo-Fr 08:00-15:30");
        assert_eq!(tidy("Lundi à Vendredi 7 h 30 à 18h").unwrap(), "Mo-Fr 07:30-18:00");
        assert_eq!(tidy("24h/24").unwrap(), "24/7");
        assert_eq!(tidy("Mo-Fr 07:30-14:30\u{a0}; Sa 08:00-12:00").unwrap(), "Mo-Fr 07:30-14:30 ; Sa 08:00-12:00");
    }

    #[test]
    fn what_are_no_hours_says_why() {
        assert_eq!(tidy("27 22 48 10 00").unwrap_err(), Refusal::PhoneNumber);
        assert_eq!(tidy("tous les jours sauf").unwrap_err().code(), "hours_invalid");
        assert_eq!(tidy(&"Mo 08:00-09:00;".repeat(40)).unwrap_err(), Refusal::TooLong);
    }

    #[test]
    fn open_closed_and_when_it_changes() {
        // 2026-11-16 is a Monday.
        let open = at("Mo-Fr 08:00-18:00", "2026-11-16T17:40:00Z");
        assert_eq!((open.open, open.until), (Some(true), Some("2026-11-16T18:00:00Z".parse().unwrap())));
        assert_eq!(at("Mo-Fr 08:00-18:00", "2026-11-14T12:00:00Z").open, Some(false));
        assert_eq!(at("24/7", "2026-11-16T03:00:00Z"), State { open: Some(true), until: None });
        assert_eq!(at("Mo-Fr unknown", "2026-11-16T03:00:00Z").open, None);
    }

    #[test]
    fn holidays_count_computed_and_declared() {
        let hours = "Mo-Su 08:00-18:00; PH off";
        assert_eq!(at(hours, "2026-08-07T12:00:00Z").open, Some(false), "independence");
        assert_eq!(at(hours, "2026-05-14T12:00:00Z").open, Some(false), "Ascension");
        assert_eq!(at(hours, "2026-05-27T12:00:00Z").open, Some(false), "Tabaski as declared");
        assert_eq!(at(hours, "2026-05-28T12:00:00Z").open, Some(true));
        assert_eq!(easter(2026), NaiveDate::from_ymd_opt(2026, 4, 5));
    }

    #[test]
    fn around_the_clock_means_holidays_too() {
        let always = |text: &str| Hours::parse(text, &Holidays::new([])).unwrap().always();
        assert!(always("24/7") && always("Mo-Su 00:00-24:00"));
        assert!(!always("24/7; PH off") && !always("Mo-Sa 00:00-24:00"));
    }

    #[test]
    fn no_expression_costs_more_than_a_millisecond() {
        let hours = Hours::parse("Mo-Su 00:00-00:00", &Holidays::new([])).unwrap();
        let now: DateTime<Utc> = "2026-11-16T03:00:00Z".parse().unwrap();
        let started = std::time::Instant::now();
        for minute in 0..50 {
            hours.at(now + Duration::minutes(minute));
        }
        assert!(started.elapsed().as_millis() < 50, "{:?} for 50", started.elapsed());
    }
}
