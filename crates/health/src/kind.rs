//! Kinds of facility: what people look for (`type`), from the words of each source.

use crate::text::normal;

/// A kind, as the table `type_etablissement` numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub i16);

/// Number, code of the API, French label, family (only facilities of one family can be the same place), rank in search, FHIR code.
const KINDS: [(i16, &str, &str, u8, u8, &str); 16] = [
    (1, "pharmacy", "Pharmacie", 1, 2, "OUTPHARM"),
    (2, "hospital", "Hôpital", 2, 1, "HOSP"),
    (3, "clinic", "Clinique", 2, 3, "HOSP"),
    (4, "health_center", "Centre de santé", 2, 4, "PC"),
    (5, "doctor", "Cabinet médical", 3, 5, "PC"),
    (6, "dentist", "Cabinet dentaire", 4, 6, "DENT"),
    (7, "laboratory", "Laboratoire", 5, 7, "MBL"),
    (8, "maternity", "Maternité", 2, 5, "OB"),
    (9, "infirmary", "Infirmerie", 2, 8, "PC"),
    (10, "school_health", "Santé scolaire et universitaire", 6, 8, "SCHOOL"),
    (11, "specialized_center", "Centre spécialisé", 7, 6, "OF"),
    (12, "blood_bank", "Transfusion sanguine", 8, 6, "OF"),
    (13, "optician", "Optique", 9, 9, "OPH"),
    (14, "physiotherapist", "Kinésithérapie", 10, 9, "RH"),
    (15, "administration", "Administration de la santé", 11, 10, "OF"),
    (99, "other", "Autre établissement", 12, 10, "OF"),
];

impl Kind {
    /// Pharmacies.
    pub const PHARMACY: Self = Self(1);
    /// Hospitals.
    pub const HOSPITAL: Self = Self(2);
    /// Everything that no word tells.
    pub const OTHER: Self = Self(99);

    fn row(self) -> &'static (i16, &'static str, &'static str, u8, u8, &'static str) {
        KINDS.iter().find(|row| row.0 == self.0).unwrap_or(&KINDS[15])
    }

    /// `pharmacy`
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// `Pharmacie`
    pub fn label(self) -> &'static str {
        self.row().2
    }

    /// Two facilities of different families are never one place.
    pub fn family(self) -> u8 {
        self.row().3
    }

    /// What a search shows first when all else is equal; 1 is first.
    pub fn rank(self) -> u8 {
        self.row().4
    }

    /// HL7 v3 ServiceDeliveryLocationRoleType.
    pub fn fhir(self) -> &'static str {
        self.row().5
    }

    /// A type of the API, by code or by French label.
    pub fn parse(code: &str) -> Option<Self> {
        let wanted = normal(code);
        KINDS.iter().find(|row| row.1 == code || normal(row.2) == wanted).map(|row| Self(row.0))
    }

    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|row| Self(row.0))
    }

    /// The Ministry's type, with the name's first word where the type is too wide (CSUS holds CAT, PMI, SSSU and INF).
    pub fn of_ministry(kind: &str, name: &str) -> Self {
        let name = normal(name);
        let says =
            |word: &str| name.split(' ').take(4).any(|one| one.trim_end_matches(|c: char| c.is_ascii_digit()) == word);
        Self(match normal(kind).as_str() {
            "chu"
            | "chr"
            | "chs"
            | "hg"
            | "hopital general"
            | "hopital militaire"
            | "centre hospitalier specialise" => 2,
            "institut specialise" if says("cnts") || says("cts") => 12,
            "institut specialise" => 11,
            "clinique" | "polyclinique" | "polyclinique privee" => 3,
            "csr" | "csu" | "cm" | "cms" | "csi" | "fsu" | "ong" => 4,
            "csus" if says("sssu") => 10,
            "csus" if says("inf") => 9,
            "csus" if says("pmi") => 8,
            "csus" => 11,
            "inf pv" => 9,
            "cabinet dentaire" => 6,
            "cabinet optique" => 13,
            "laboratoire" => 7,
            "cabinet medical" => 5,
            "maternite" => 8,
            "dds" => 15,
            other => return Self::of_words(other),
        })
    }

    /// OSM's `amenity` and `healthcare`.
    pub fn of_osm(amenity: &str, healthcare: &str) -> Self {
        let first = |text: &str| text.split(';').next().unwrap_or("").trim().trim_matches('"').to_owned();
        let (amenity, healthcare) = (first(amenity), first(healthcare));
        // The finer word wins where amenity says only "clinic".
        match healthcare.as_str() {
            "laboratory" | "medical_laboratory" => return Self(7),
            "blood_donation" | "blood_bank" => return Self(12),
            "birthing_center" | "birthing_centre" | "midwife" => return Self(8),
            "physiotherapist" => return Self(14),
            "optometrist" => return Self(13),
            _ => {}
        }
        match amenity.as_str() {
            "pharmacy" => Self(1),
            "hospital" => Self(2),
            "clinic" | "medical_laboratory" => Self(if amenity == "clinic" { 3 } else { 7 }),
            "doctors" => Self(5),
            "dentist" => Self(6),
            "health_post" | "Health Outpost" => Self(4),
            _ => match healthcare.as_str() {
                "pharmacy" => Self(1),
                "hospital" => Self(2),
                "clinic" => Self(3),
                "centre" | "center" => Self(4),
                "doctor" | "doctors" | "general_practitioner" => Self(5),
                "dentist" => Self(6),
                "nurse" | "dispensory" | "dispensary" => Self(9),
                _ => Self::OTHER,
            },
        }
    }

    /// Free words: another country's list, a column of an operator's file.
    pub fn of_words(words: &str) -> Self {
        let words = normal(words);
        if let Some(kind) = Self::parse(&words.replace(' ', "_")) {
            return kind;
        }
        let says = |piece: &str| words.contains(piece);
        let begins = |piece: &str| words.split(' ').any(|word| word == piece);
        Self(if says("pharma") {
            1
        } else if says("hopital") || says("hospital") || ["chu", "chr", "hg", "chs"].iter().any(|w| begins(w)) {
            2
        } else if says("dent") {
            6
        } else if says("labo") {
            7
        } else if says("matern") {
            8
        } else if says("clini") {
            3
        } else if says("sante") || says("health") || says("dispens") || says("medico social") || says("medical cent") {
            4
        } else if says("infirm") || says("nurs") {
            9
        } else if says("medecin") || says("doctor") || says("cabinet") {
            5
        } else {
            99
        })
    }
}

/// Words of a query or a name that tell a kind and not a place, with the kind when they tell one.
pub fn word_kind(word: &str) -> Option<Kind> {
    Some(Kind(match word {
        "pharmacie" | "pharmacies" | "pharma" | "phcie" | "pharmacy" | "officine" => 1,
        "hopital" | "hopitaux" | "hosto" | "hospital" | "chu" | "chr" | "hg" | "chs" => 2,
        "clinique" | "cliniques" | "polyclinique" | "clinic" | "policlinique" => 3,
        "dispensaire" | "csu" | "csr" | "csus" | "cms" | "fsu" => 4,
        "medecin" | "docteur" | "medecins" | "doctor" => 5,
        "dentiste" | "dentistes" | "dentaire" | "dentist" => 6,
        "laboratoire" | "labo" | "laboratory" => 7,
        "maternite" | "maternity" | "pmi" => 8,
        "infirmerie" | "infirmary" => 9,
        "optique" | "opticien" => 13,
        "kine" | "kinesitherapie" => 14,
        _ => return None,
    }))
}

/// Words of names that say nothing about which place it is.
pub fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "de" | "du"
            | "des"
            | "d"
            | "la"
            | "le"
            | "les"
            | "l"
            | "et"
            | "a"
            | "au"
            | "aux"
            | "en"
            | "public"
            | "prive"
            | "privee"
            | "centre"
            | "sante"
            | "medical"
            | "medicale"
            | "medico"
            | "social"
            | "general"
            | "generale"
            | "cabinet"
            | "urbain"
            | "rural"
            | "urbaine"
            | "rurale"
            | "hospitalier"
            | "regional"
            | "universitaire"
            | "dm"
            | "confessionnel"
            | "communautaire"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_each_source() {
        assert_eq!(Kind::of_ministry("HG", "HG PUBLIC de LAKOTA"), Kind::HOSPITAL);
        assert_eq!(Kind::of_ministry("CSUS", "CSUS-SSSU1 PUBLIC de ABOBO").code(), "school_health");
        assert_eq!(Kind::of_ministry("CSUS", "INF-LC PUBLIC Lycée").code(), "infirmary");
        assert_eq!(Kind::of_osm("clinic", "birthing_center").code(), "maternity");
        assert_eq!(Kind::of_osm("", "doctor;pharmacy").code(), "doctor");
        assert_eq!(Kind::of_words("Centre de Santé Rural").code(), "health_center");
        assert_eq!(Kind::of_words("quelque chose"), Kind::OTHER);
    }

    #[test]
    fn codes_and_labels_read_back() {
        for kind in Kind::all() {
            assert_eq!(Kind::parse(kind.code()), Some(kind));
            assert_eq!(Kind::parse(kind.label()), Some(kind));
        }
        assert_eq!(Kind::parse("restaurant"), None);
    }
}
