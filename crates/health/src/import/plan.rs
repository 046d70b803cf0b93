//! What a file changes, decided before anything is written.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::matching::{CANDIDATES, LINK, Likely, REACH_M, REVIEW};
use super::publish::{self, Published};
use super::record::{Read, Record};
use super::report::FieldChange;
use super::{Note, Report, Source};
use crate::geo::{Near, nearest};
use crate::text::normal;

/// A row that the source gave before.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) facility: i32,
    pub(super) fingerprint: Vec<u8>,
    /// An earlier file did not hold it.
    pub(super) gone: bool,
}

/// A facility of other sources that a new row may be.
#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) facility: i32,
    pub(super) public_id: Uuid,
    pub(super) likely: Likely,
}

/// Where a row goes.
#[derive(Debug, PartialEq)]
pub(super) enum Target {
    New,
    /// Recognised as a facility that another source gave.
    Linked(i32),
    /// The row was there before, and differs.
    Known(i32),
}

/// A row that will be written.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) line: u32,
    pub(super) source_id: String,
    pub(super) record: Record,
    pub(super) target: Target,
    /// Neighbours that may be the same place, for a moderator.
    pub(super) review: Vec<(Uuid, f32)>,
    pub(super) published: Option<Published>,
    changes: Vec<FieldChange>,
    moved: bool,
}

/// A whole run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// Ids of rows that vanished.
    pub(super) vanished: Vec<String>,
    unchanged: usize,
}

/// A file that lost more than this share of its known rows is not believed to be whole.
const BELIEVED_LOSS: f64 = 0.2;
/// A move of more metres than this is reported.
const MOVE_M: f64 = 500.0;

/// Which rows are new, changed, the same, gone.
pub(super) fn decide(
    source: Source,
    reads: Vec<Read>,
    mut known: HashMap<String, Known>,
    truncated: bool,
    notes: &mut Vec<Note>,
) -> Plan {
    let mut plan = Plan::default();
    let all = known.values().filter(|row| !row.gone).count();
    for (read, source_id) in identified(source, reads, notes) {
        let target = match known.remove(&source_id) {
            Some(row) if row.fingerprint == read.record.fingerprint() && !row.gone => {
                plan.unchanged += 1;
                continue;
            }
            Some(row) => Target::Known(row.facility),
            None => Target::New,
        };
        let step = Step {
            line: read.line,
            source_id,
            record: read.record,
            target,
            review: Vec::new(),
            published: None,
            changes: Vec::new(),
            moved: false,
        };
        plan.steps.push(step);
    }
    let mut gone: Vec<String> = known.into_iter().filter(|(_, row)| !row.gone).map(|(id, _)| id).collect();
    gone.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "counts of rows")]
    let believed = !truncated && gone.len() as f64 <= all as f64 * BELIEVED_LOSS;
    if believed {
        plan.vanished = gone;
    } else if !gone.is_empty() {
        notes.push(Note::remark(
            0,
            "many_rows_missing",
            &format!("{} of {all} known rows are not in the file: none is marked", gone.len()),
        ));
    }
    plan
}

/// Gives every row the one id under which it is known. Ids that are missing or used twice are made from name and district.
fn identified(source: Source, reads: Vec<Read>, notes: &mut Vec<Note>) -> Vec<(Read, String)> {
    let mut newest: HashMap<String, (i64, u32)> = HashMap::new();
    let mut uses: HashMap<String, u32> = HashMap::new();
    for read in &reads {
        *uses.entry(read.own_id.clone()).or_default() += 1;
        let best = newest.entry(read.own_id.clone()).or_insert((i64::MIN, 0));
        if (read.changed, read.line) > *best {
            *best = (read.changed, read.line);
        }
    }
    let mut taken: HashMap<String, u32> = HashMap::new();
    let mut out = Vec::with_capacity(reads.len());
    for read in reads {
        let twice = uses.get(&read.own_id).is_some_and(|count| *count > 1);
        let id = if read.own_id.is_empty() {
            made_id(&read.record)
        } else if twice && source == Source::Osm {
            // An object that moved stands there twice: its last version is the object.
            let (_, line) = newest.get(&read.own_id).copied().unwrap_or_default();
            if line != read.line {
                notes.push(Note::refusal(read.line, "superseded", &format!("{} again in line {line}", read.own_id)));
                continue;
            }
            read.own_id.clone()
        } else if twice {
            notes.push(Note::remark(read.line, "code_duplicate", &read.own_id));
            made_id(&read.record)
        } else {
            read.own_id.clone()
        };
        if let Some(line) = taken.get(&id) {
            notes.push(Note::refusal(read.line, "duplicate_row", &format!("same as line {line}")));
            continue;
        }
        taken.insert(id.clone(), read.line);
        out.push((read, id));
    }
    out
}

/// Name and district; without a district, the place to a hundredth of a degree.
fn made_id(record: &Record) -> String {
    let where_ =
        record.district_declare.as_deref().map_or_else(|| format!("{:.2} {:.2}", record.lat, record.lng), normal);
    let digest = Sha256::digest(format!("{}|{where_}", normal(&record.nom)));
    format!("h:{}", hex::encode(&digest[..10]))
}

fn evidence(record: &Record) -> BTreeSet<String> {
    let phones = record.telephones.iter().filter_map(|phone| phone.e164.clone());
    phones
        .chain(record.code_msp.iter().map(|code| format!("msp:{code}")))
        .chain(record.osm_ref.iter().cloned())
        .collect()
}

/// Recognises new rows among the facilities of other sources; the doubtful ones are for a moderator.
pub(super) fn link(plan: &mut Plan, neighbours: &[Neighbour]) {
    let near = Near::new(neighbours.iter().zip(0..).map(|(neighbour, index)| (index, neighbour.likely.place)));
    if near.size() == 0 {
        return;
    }
    let mut used: HashSet<i32> = HashSet::new();
    for step in plan.steps.iter_mut().filter(|step| step.target == Target::New) {
        let record = &step.record;
        let likely = Likely::new(&record.nom, record.kind(), record.place(), evidence(record));
        let close = nearest(&[&near], record.place(), CANDIDATES, Some(REACH_M), |index| {
            neighbours.get(index as usize).map(|one| (one.likely.place, index))
        });
        let mut scored: Vec<(f32, &Neighbour)> = close
            .iter()
            .filter_map(|(index, _)| neighbours.get(*index as usize))
            .map(|one| (likely.score(&one.likely), one))
            .filter(|(score, _)| *score >= REVIEW)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let sure: Vec<&(f32, &Neighbour)> = scored.iter().filter(|(score, _)| *score >= LINK).collect();
        match sure[..] {
            [(_, one)] if used.insert(one.facility) => step.target = Target::Linked(one.facility),
            _ => step.review = scored.iter().map(|(score, one)| (one.public_id, *score)).collect(),
        }
    }
}

/// What other rows say of the touched facilities: (facility, source, its id, record).
pub(super) type Words = Vec<(i32, Source, String, Record)>;

/// The published row of every step, and what changes in it.
pub(super) fn publish(plan: &mut Plan, source: Source, words: Words) {
    let mut by_facility: HashMap<i32, Vec<(Source, String, Record)>> = HashMap::new();
    for (facility, source, id, record) in words {
        by_facility.entry(facility).or_default().push((source, id, record));
    }
    for step in &mut plan.steps {
        let said: &[(Source, String, Record)] = match &step.target {
            Target::New => &[],
            Target::Linked(facility) | Target::Known(facility) => by_facility.get(facility).map_or(&[], Vec::as_slice),
        };
        let before = said.iter().find(|(who, id, _)| *who == source && *id == step.source_id);
        if let (Target::Known(_), Some((_, _, before))) = (&step.target, before) {
            step.moved = before.place().metres_to(step.record.place()) > MOVE_M;
            step.changes = differences(step.line, before, &step.record);
        }
        let mut all: Vec<publish::Word<'_>> = said
            .iter()
            .filter(|(who, id, _)| (*who, id) != (source, &step.source_id))
            .map(|(who, id, record)| (*who, id.as_str(), record))
            .collect();
        all.push((source, &step.source_id, &step.record));
        step.published = publish::publish(&all);
    }
}

fn differences(line: u32, before: &Record, after: &Record) -> Vec<FieldChange> {
    let (Ok(Value::Object(before)), Ok(Value::Object(new))) =
        (serde_json::to_value(before), serde_json::to_value(after))
    else {
        return Vec::new();
    };
    // What is empty is not written: a field may stand on one side only.
    let fields: BTreeSet<&String> = before.keys().chain(new.keys()).collect();
    let changed = fields.into_iter().filter(|field| before.get(*field) != new.get(*field));
    changed
        .map(|field| {
            // Numbers may be somebody's own: the report says that they differ, not which they are.
            let shown = |value: Option<&Value>| match field.as_str() {
                "telephones" => Value::from(value.and_then(Value::as_array).map_or(0, Vec::len)),
                _ => value.cloned().unwrap_or_default(),
            };
            FieldChange {
                line,
                name: after.nom.clone(),
                field: field.clone(),
                before: shown(before.get(field)),
                after: shown(new.get(field)),
            }
        })
        .collect()
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.vanished.is_empty()
    }

    pub(super) fn has_new(&self) -> bool {
        self.steps.iter().any(|step| step.target == Target::New)
    }

    /// Facilities that already exist and will change.
    pub(super) fn touched(&self) -> Vec<i32> {
        let ids = self.steps.iter().filter_map(|step| match step.target {
            Target::New => None,
            Target::Linked(facility) | Target::Known(facility) => Some(facility),
        });
        ids.collect()
    }

    pub(super) fn report(&self, rows: usize, notes: Vec<Note>) -> Report {
        let count = |wanted: fn(&Target) -> bool| self.steps.iter().filter(|step| wanted(&step.target)).count();
        let report = Report {
            rows,
            created: count(|target| matches!(target, Target::New)),
            linked: count(|target| matches!(target, Target::Linked(_))),
            changed: count(|target| matches!(target, Target::Known(_))),
            unchanged: self.unchanged,
            moved: self.steps.iter().filter(|step| step.moved).count(),
            vanished: self.vanished.len(),
            to_review: self.steps.iter().map(|step| step.review.len()).sum(),
            ..Report::default()
        };
        report.with_changes(self.steps.iter().flat_map(|step| step.changes.iter().cloned()).collect()).with_notes(notes)
    }
}
