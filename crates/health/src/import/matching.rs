//! Whether two facilities of two sources are one place. Name and distance together never reach the bar of an automatic
//! link: of 50 pairs that stand close and sound alike about 4 are one place, the others are services of one hospital.

use std::collections::BTreeSet;

use crate::geo::Place;
use crate::kind::{Kind, is_filler, word_kind};
use crate::text::{likeness, normal};

/// Linked without a person: needs a shared number, code or OSM reference beside name and distance.
pub(super) const LINK: f32 = 0.92;
/// Shown to a moderator.
pub(super) const REVIEW: f32 = 0.70;
/// Farther apart than this, two places are two, in metres.
pub(super) const REACH_M: f64 = 300.0;
/// Neighbours that are compared with a new facility.
pub(super) const CANDIDATES: usize = 5;

/// What is compared.
#[derive(Clone, Debug)]
pub(super) struct Likely {
    pub(super) kind: Kind,
    pub(super) place: Place,
    core: String,
    marks: BTreeSet<String>,
    /// E.164 numbers, `msp:` codes and OSM references: a shared one is evidence of its own.
    pub(super) evidence: BTreeSet<String>,
}

/// Words that name a service of a hospital: where both names have one, it must be the same.
const MARKS: [&str; 16] = [
    "hg", "chr", "chu", "chs", "cat", "pmi", "sssu", "inf", "cdv", "inhp", "cnts", "cts", "ces", "dds", "lycee",
    "college",
];

impl Likely {
    pub(super) fn new(name: &str, kind: Kind, place: Place, evidence: BTreeSet<String>) -> Self {
        let text = expand(&normal(name));
        let words: Vec<&str> = text.split(' ').collect();
        let marks = words
            .iter()
            .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()))
            .filter(|word| MARKS.contains(word))
            .map(str::to_owned)
            .collect();
        let mut core: Vec<&str> = words
            .iter()
            .copied()
            .filter(|word| !is_filler(word) && word_kind(word).is_none() && !MARKS.contains(word))
            .collect();
        core.sort_unstable();
        Self { kind, place, core: core.join(" "), marks, evidence }
    }

    /// 0 to 1; 0 when something contradicts.
    pub(super) fn score(&self, other: &Self) -> f32 {
        let metres = self.place.metres_to(other.place);
        let contradict = !self.marks.is_empty() && !other.marks.is_empty() && self.marks != other.marks;
        if metres > REACH_M || self.kind.family() != other.kind.family() || contradict {
            return 0.0;
        }
        let name = if self.core.is_empty() || other.core.is_empty() { 0.0 } else { likeness(&self.core, &other.core) };
        #[expect(clippy::cast_possible_truncation, reason = "0 to 1")]
        let near = (1.0 - metres / REACH_M) as f32;
        let shared = if self.evidence.is_disjoint(&other.evidence) { 0.0 } else { 1.0 };
        0.55 * name + 0.30 * near + 0.15 * shared
    }
}

/// Long forms of what lists abbreviate.
fn expand(normal: &str) -> String {
    normal
        .replace("centre hospitalier universitaire", "chu")
        .replace("centre hospitalier regional", "chr")
        .replace("centre hospitalier specialise", "chs")
        .replace("hopital general", "hg")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likely(name: &str, lat: f64, evidence: &[&str]) -> Likely {
        let evidence = evidence.iter().map(|one| (*one).to_owned()).collect();
        Likely::new(name, Kind::HOSPITAL, Place { lat, lng: -4.0 }, evidence)
    }

    #[test]
    fn name_and_distance_alone_never_link() {
        let same = likely("HG PUBLIC de LAKOTA", 5.0, &[]).score(&likely("Hôpital général de Lakota", 5.0, &[]));
        assert!((REVIEW..LINK).contains(&same), "{same}");
        let shared = likely("HG PUBLIC de LAKOTA", 5.0, &["msp:0993"]).score(&likely(
            "Hôpital général de Lakota",
            5.0002,
            &["msp:0993"],
        ));
        assert!(shared >= LINK, "{shared}");
    }

    #[test]
    fn services_of_one_hospital_are_places_of_their_own() {
        let score =
            likely("CSUS-CAT PUBLIC de ABOISSO", 5.0, &["x"]).score(&likely("HG PUBLIC de ABOISSO", 5.0, &["x"]));
        assert!(score.abs() < f32::EPSILON);
    }

    #[test]
    fn far_apart_is_another_place() {
        assert!(likely("HG de X", 5.0, &["x"]).score(&likely("HG de X", 5.01, &["x"])).abs() < f32::EPSILON);
    }
}
