//! Finding a place by what people type: wrong letters, missing accents, familiar names, a kind and a town in one line.

use std::collections::HashMap;

use super::{Atlas, Moment, Town, Wish};
use crate::geo::Place;
use crate::kind::{Kind, is_filler, word_kind};
use crate::text::{likeness, normal, trigrams};

/// The longest query that is read, in characters.
pub(crate) const MAX_QUERY: usize = 120;
/// Words of a query that count.
const MAX_WORDS: usize = 8;
/// Names that are compared letter by letter for one query.
const CANDIDATES: usize = 250;
/// Names below this are no answer at all.
const LEAST: f32 = 0.42;
/// How far a town reaches, in kilometres: at this distance nearness counts for a third.
const REACH_KM: f64 = 8.0;

/// Quarters and communes that no gazetteer of ours places, and names that people really say. Middles to a few hundred metres.
const FAMILIAR: [(&str, &str, f64, f64); 34] = [
    ("abobo", "Abobo", 5.416, -4.016),
    ("adjame", "Adjamé", 5.365, -4.024),
    ("attecoube", "Attécoubé", 5.336, -4.041),
    ("cocody", "Cocody", 5.360, -3.967),
    ("koumassi", "Koumassi", 5.299, -3.946),
    ("marcory", "Marcory", 5.303, -3.980),
    ("plateau", "Le Plateau", 5.323, -4.024),
    ("port bouet", "Port-Bouët", 5.256, -3.964),
    ("treichville", "Treichville", 5.305, -4.013),
    ("trechville", "Treichville", 5.305, -4.013),
    ("treich", "Treichville", 5.305, -4.013),
    ("yopougon", "Yopougon", 5.340, -4.080),
    ("yop", "Yopougon", 5.340, -4.080),
    ("poy", "Yopougon", 5.340, -4.080),
    ("songon", "Songon", 5.317, -4.258),
    ("ii plateaux", "II Plateaux", 5.370, -3.998),
    ("2 plateaux", "II Plateaux", 5.370, -3.998),
    ("deux plateaux", "II Plateaux", 5.370, -3.998),
    ("vallon", "II Plateaux Vallon", 5.367, -3.993),
    ("angre", "Angré", 5.401, -3.980),
    ("riviera", "Riviera", 5.358, -3.950),
    ("palmeraie", "Riviera Palmeraie", 5.370, -3.955),
    ("williamsville", "Williamsville", 5.372, -4.020),
    ("vridi", "Vridi", 5.263, -4.010),
    ("gonzagueville", "Gonzagueville", 5.238, -3.890),
    ("zone 4", "Marcory Zone 4", 5.290, -3.980),
    ("biétry", "Biétry", 5.275, -3.975),
    ("bassam", "Grand-Bassam", 5.211, -3.739),
    ("yakro", "Yamoussoukro", 6.820, -5.276),
    ("babi", "Abidjan", 5.340, -4.020),
    ("san pedro", "San-Pédro", 4.748, -6.636),
    ("sanpedro", "San-Pédro", 4.748, -6.636),
    ("bouake", "Bouaké", 7.690, -5.030),
    ("adjouffou", "Adjouffou", 5.245, -3.920),
];

/// Names by their pieces, towns by their names.
#[derive(Debug, Default)]
pub struct Index {
    pieces: HashMap<[u8; 3], Vec<u32>>,
    /// By facility: the words of its name in normal form and how many pieces it has.
    words: HashMap<u32, (Vec<String>, u16)>,
    towns: HashMap<String, Town>,
    /// Large towns once more, for names with a wrong letter.
    large: Vec<(String, Town)>,
}

/// What was understood of a query.
#[derive(Debug, Default)]
pub struct Understood {
    kinds: Vec<Kind>,
    /// Words that tell which place it is.
    words: Vec<String>,
    /// The town that was named.
    pub town: Option<Town>,
}

impl Index {
    /// Towns come by falling population: of two with one name the larger is meant.
    pub fn with_towns(towns: Vec<(Town, Vec<String>)>) -> Self {
        let mut index = Self::default();
        for (key, name, lat, lng) in FAMILIAR {
            index.towns.insert(
                normal(key),
                Town { name: name.to_owned(), place: Some(Place { lat, lng }), population: 100_000 },
            );
        }
        for (town, aliases) in towns {
            for name in std::iter::once(&town.name).chain(&aliases) {
                let key = normal(name);
                if key.len() >= 3 && word_kind(&key).is_none() && !is_filler(&key) {
                    let known = index.towns.entry(key).or_insert_with(|| town.clone());
                    if known.place.is_none() {
                        known.place = town.place;
                    }
                }
            }
        }
        index.large = index
            .towns
            .iter()
            .filter(|(key, town)| town.population >= 20_000 && key.len() >= 5)
            .map(|(key, town)| (key.clone(), town.clone()))
            .collect();
        index
    }

    /// Adds the names of facilities.
    pub fn add_names<'a>(&mut self, names: impl Iterator<Item = (u32, &'a str)>) {
        for (index, name) in names {
            let text = normal(name);
            let pieces = trigrams(&text);
            self.words.insert(
                index,
                (text.split(' ').map(str::to_owned).collect(), u16::try_from(pieces.len()).unwrap_or(u16::MAX)),
            );
            for piece in pieces {
                self.pieces.entry(piece).or_default().push(index);
            }
        }
    }

    /// Parts a query into kind, town and name.
    pub fn understand(&self, query: &str) -> Understood {
        let text = normal(&query.chars().take(MAX_QUERY).collect::<String>());
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).take(MAX_WORDS).collect();
        let mut out = Understood::default();
        for length in (1..=3).rev() {
            for run in words.windows(length) {
                if out.town.is_none() {
                    out.town = self.towns.get(&run.join(" ")).cloned();
                }
            }
        }
        for word in &words {
            match word_kind(word) {
                Some(kind) if !out.kinds.contains(&kind) => out.kinds.push(kind),
                Some(_) => {}
                None if is_filler(word) && words.len() > 1 => {}
                None => out.words.push((*word).to_owned()),
            }
        }
        if out.town.is_none() {
            let close = |word: &String| {
                self.large
                    .iter()
                    .map(|(key, town)| (likeness(word, key), town))
                    .filter(|(same, _)| *same >= 0.8)
                    .max_by(|a, b| a.0.total_cmp(&b.0))
            };
            out.town = out
                .words
                .iter()
                .filter(|word| word.len() >= 5)
                .find_map(|word| close(word).map(|(_, town)| town.clone()));
        }
        out
    }

    /// Facilities that share the most pieces with the words, with the share.
    fn candidates(&self, words: &[String]) -> Vec<u32> {
        let wanted = trigrams(&words.join(" "));
        let mut shared: HashMap<u32, u16> = HashMap::new();
        for piece in &wanted {
            for index in self.pieces.get(piece).into_iter().flatten() {
                *shared.entry(*index).or_default() += 1;
            }
        }
        let mut scored: Vec<(f32, u32)> = shared
            .into_iter()
            .map(|(index, count)| {
                let own = self.words.get(&index).map_or(1, |(_, pieces)| *pieces);
                // Mostly how much of the query is there; a short name that is all there comes before a long one.
                let (count, own) = (f32::from(count), f32::from(own));
                #[expect(clippy::cast_precision_loss, reason = "a query has at most some hundred pieces")]
                let asked = wanted.len().max(1) as f32;
                (0.8 * count / asked + 0.2 * count / own.max(1.0), index)
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.truncate(CANDIDATES);
        scored.into_iter().map(|(_, index)| index).collect()
    }

    /// How well a name answers the words, 0 to 1.
    fn name_score(&self, words: &[String], index: u32) -> f32 {
        let Some((name, _)) = self.words.get(&index) else { return 0.0 };
        let (mut sum, mut weight) = (0.0, 0.0);
        for word in words {
            #[expect(clippy::cast_precision_loss, reason = "words are short")]
            let length = word.len() as f32;
            let best = name.iter().map(|other| word_score(word, other)).fold(0.0_f32, f32::max);
            sum += best * length;
            weight += length;
        }
        let found = if weight > 0.0 { sum / weight } else { 0.0 };
        let own = name.iter().filter(|word| !is_filler(word) && word_kind(word).is_none());
        let (met, all) = own.fold((0.0_f32, 0.0_f32), |(met, all), word| {
            let best = words.iter().map(|wanted| word_score(wanted, word)).fold(0.0_f32, f32::max);
            (met + best, all + 1.0)
        });
        let covered = if all > 0.0 { met / all } else { 0.5 };
        found * (0.85 + 0.15 * covered)
    }
}

/// A word that is being typed is nearly the word it begins.
fn word_score(typed: &str, word: &str) -> f32 {
    let same = likeness(typed, word);
    if typed.len() >= 3 && word.starts_with(typed) { same.max(0.9) } else { same }
}

impl Atlas {
    /// The best answers, best first, with their scores.
    pub fn search(
        &self,
        query: &str,
        near: Option<Place>,
        wish: &Wish,
        n: usize,
        moment: Moment,
    ) -> (Understood, Vec<u32>) {
        let understood = self.index.understand(query);
        let from = understood.town.as_ref().and_then(|town| town.place).or(near);
        let only_where = understood.words.is_empty()
            || understood
                .town
                .as_ref()
                .is_some_and(|town| understood.words.iter().all(|word| is_town_word(word, town)));
        let mut found = if only_where && !understood.kinds.is_empty() {
            self.of_kind(&understood.kinds, from, wish, n, moment)
        } else {
            Vec::new()
        };
        let words = if understood.words.is_empty() {
            normal(query).split(' ').map(str::to_owned).take(MAX_WORDS).collect()
        } else {
            understood.words.clone()
        };
        let mut scored: Vec<(f32, u32)> = self
            .index
            .candidates(&words)
            .into_iter()
            .filter_map(|index| self.scored(index, &words, &understood.kinds, from, wish, moment))
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        for (_, index) in scored {
            if found.len() >= n {
                break;
            }
            if !found.contains(&index) {
                found.push(index);
            }
        }
        found.truncate(n);
        (understood, found)
    }

    fn scored(
        &self,
        index: u32,
        words: &[String],
        kinds: &[Kind],
        from: Option<Place>,
        wish: &Wish,
        moment: Moment,
    ) -> Option<(f32, u32)> {
        let facility = self.at(index)?;
        if !(wish.kinds.is_empty() || wish.kinds.contains(&facility.kind)) || !self.fits(index, facility, wish, moment)
        {
            return None;
        }
        let name = self.index.name_score(words, index);
        if name < LEAST {
            return None;
        }
        let nearness = match (from, facility.place) {
            #[expect(clippy::cast_possible_truncation, reason = "0 to 1")]
            (Some(from), Some(place)) => (-from.metres_to(place) / 1000.0 / REACH_KM).exp() as f32,
            _ => 0.0,
        };
        let kind = if kinds.contains(&facility.kind) { 1.0 } else { 0.0 };
        Some((0.70 * name + 0.10 * nearness + 0.12 * kind + 0.08 / f32::from(facility.kind.rank()), index))
    }

    /// "pharmacie yopougon": the nearest of the kind to the middle of the place, or the best known without a place.
    fn of_kind(&self, kinds: &[Kind], from: Option<Place>, wish: &Wish, n: usize, moment: Moment) -> Vec<u32> {
        let wish = Wish {
            kinds: kinds.iter().filter(|kind| wish.kinds.is_empty() || wish.kinds.contains(kind)).copied().collect(),
            ..wish.clone()
        };
        if wish.kinds.is_empty() {
            return Vec::new();
        }
        if let Some(from) = from {
            return self.nearest(from, n, &wish, moment).into_iter().map(|(index, _)| index).collect();
        }
        let mut all: Vec<(i16, u32)> = self
            .facilities
            .iter()
            .zip(0..)
            .filter(|(facility, index)| {
                facility.on_map() && wish.kinds.contains(&facility.kind) && self.fits(*index, facility, &wish, moment)
            })
            .map(|(facility, index)| (-facility.confidence, index))
            .collect();
        all.sort_unstable();
        all.truncate(n);
        all.into_iter().map(|(_, index)| index).collect()
    }
}

fn is_town_word(word: &str, town: &Town) -> bool {
    let name = normal(&town.name);
    name.split(' ').any(|part| likeness(part, word) >= 0.8)
        || FAMILIAR
            .iter()
            .any(|(key, shown, ..)| *shown == town.name && normal(key).split(' ').any(|part| part == word))
}
