//! What our migrations make of a database, read from their own text: a list of tables beside them would be forgotten one
//! day. A test holds it against the catalogue of a database that they made.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::migrate::Migrator;

use super::sql::{bare, body, list, statements, words};

/// The migration that says how the brief's tables are; all others add to them.
const BRIEF: i64 = 1;

/// Words that end the type of a column.
const AFTER_TYPE: [&str; 10] =
    ["NOT", "NULL", "DEFAULT", "CONSTRAINT", "CHECK", "REFERENCES", "PRIMARY", "UNIQUE", "GENERATED", "COLLATE"];

/// Words that begin something else than a column.
const NO_COLUMN: [&str; 7] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE"];

/// Everything that the migrations make.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) tables: BTreeMap<String, Table>,
    /// Views, indexes and sequences with a name of their own.
    pub(super) relations: BTreeSet<String>,
    pub(super) functions: BTreeSet<String>,
    pub(super) extensions: BTreeSet<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// One of the brief's, which the first backend may have made.
    pub(super) brief: bool,
    pub(super) columns: Vec<Column>,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// As it is written: `numeric(15, 2)`.
    pub(super) sql_type: String,
    pub(super) not_null: bool,
    /// The brief itself forbids NULL: old rows cannot do without it.
    pub(super) required: bool,
    pub(super) default: Option<String>,
    /// The key of its table, by itself.
    pub(super) key: bool,
    /// A CHECK or a reference says which values it may hold, or an expression makes them.
    pub(super) bound: bool,
    /// Of the brief; else ours, added beside.
    pub(super) brief: bool,
}

impl Table {
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub(super) fn key(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.key)
    }
}

impl Column {
    /// Its type as the catalogue names it, without length.
    pub(super) fn base(&self) -> String {
        let lower = self.sql_type.to_lowercase();
        let plain = match (lower.find('('), lower.find(')')) {
            (Some(open), Some(close)) => format!("{}{}", &lower[..open], &lower[close + 1..]),
            _ => lower,
        };
        let (element, list) = plain.trim().strip_suffix("[]").map_or((plain.trim(), ""), |element| (element, "[]"));
        let element = match element {
            "serial" | "int" => "integer",
            "bigserial" => "bigint",
            "varchar" => "character varying",
            "char" => "bpchar",
            "timestamptz" => "timestamp with time zone",
            "timestamp" => "timestamp without time zone",
            other => other,
        };
        format!("{element}{list}")
    }

    /// The length of a varchar.
    pub(super) fn length(&self) -> Option<i32> {
        body(&self.sql_type)
            .filter(|_| self.base() == "character varying")
            .and_then(|length| length.trim().parse().ok())
    }

    #[cfg(test)]
    pub(super) fn of(name: &str, sql_type: &str) -> Self {
        let (name, sql_type) = (name.to_owned(), sql_type.to_owned());
        Self { name, sql_type, not_null: false, required: false, default: None, key: false, bound: false, brief: true }
    }

    fn read(definition: &str, brief: bool) -> Option<Self> {
        let words = words(definition);
        let (name, rest) = words.split_first()?;
        if NO_COLUMN.contains(&name.to_uppercase().as_str()) {
            return None;
        }
        let keyword = |word: &&str| AFTER_TYPE.contains(&bare(word).to_uppercase().as_str());
        let until = |words: &[&str]| words.iter().position(keyword).unwrap_or(words.len());
        let typed = until(rest);
        let upper: Vec<String> = rest[typed..].iter().map(|word| bare(word).to_uppercase()).collect();
        let has = |first: &str, second: &str| upper.windows(2).any(|pair| pair[0] == first && pair[1] == second);
        let is = |word: &str| upper.iter().any(|known| known == word);
        let sql_type = rest[..typed].join(" ");
        let serial = sql_type.to_lowercase().ends_with("serial");
        let default = upper.iter().position(|word| word == "DEFAULT").map(|at| {
            let value = &rest[typed + at + 1..];
            value[..until(value)].join(" ")
        });
        let not_null = has("NOT", "NULL") || has("PRIMARY", "KEY") || serial || has("AS", "IDENTITY");
        Some(Self {
            name: bare(name),
            not_null,
            required: brief && not_null,
            key: has("PRIMARY", "KEY"),
            bound: is("CHECK") || is("GENERATED") || is("REFERENCES"),
            sql_type,
            default,
            brief,
        })
    }
}

impl Wanted {
    pub(super) fn of(migrations: &Migrator) -> Self {
        let mut wanted = Self::default();
        for migration in migrations.iter() {
            for statement in statements(migration.sql.as_str()) {
                wanted.apply(&statement, migration.version == BRIEF);
            }
        }
        wanted
    }

    /// The brief's tables by name.
    pub(super) fn brief(&self) -> impl Iterator<Item = (&String, &Table)> {
        self.tables.iter().filter(|(_, table)| table.brief)
    }

    fn apply(&mut self, statement: &str, brief: bool) {
        let all = words(statement);
        let upper: Vec<String> = all.iter().map(|word| bare(word).to_uppercase()).collect();
        // `OR REPLACE`, `UNIQUE` and `IF [NOT] EXISTS` say nothing about the name.
        let plain = |word: &str| !matches!(word, "OR" | "REPLACE" | "UNIQUE" | "IF" | "NOT" | "EXISTS" | "ONLY");
        let mut meant = upper.iter().zip(&all).filter(|(word, _)| plain(word));
        let (Some((verb, _)), Some((what, _)), Some((_, name))) = (meant.next(), meant.next(), meant.next()) else {
            return;
        };
        let name = bare(name);
        match (verb.as_str(), what.as_str()) {
            ("CREATE", "TABLE") => {
                let columns = body(statement).map(list).unwrap_or_default();
                let columns = columns.into_iter().filter_map(|part| Column::read(part, brief)).collect();
                self.tables.entry(name).or_insert(Table { brief, columns });
            }
            ("CREATE", "VIEW" | "INDEX" | "SEQUENCE") => {
                self.relations.insert(name);
            }
            ("CREATE", "FUNCTION") => {
                self.functions.insert(name);
            }
            ("CREATE", "EXTENSION") => {
                self.extensions.insert(name);
            }
            ("DROP", "TABLE") => drop(self.tables.remove(&name)),
            ("DROP", "VIEW" | "INDEX" | "SEQUENCE") => drop(self.relations.remove(&name)),
            ("ALTER", "TABLE") => self.alter(&name, statement, brief),
            _ => {}
        }
    }

    fn alter(&mut self, name: &str, statement: &str, brief: bool) {
        let Some(table) = self.tables.get_mut(name) else { return };
        let actions = statement.split_once(name).map_or("", |(_, actions)| actions);
        for action in list(actions) {
            let words: Vec<&str> = words(action)
                .into_iter()
                .filter(|word| !matches!(word.to_uppercase().as_str(), "COLUMN" | "IF" | "EXISTS"))
                .collect();
            let upper: Vec<String> = words.iter().map(|word| word.to_uppercase()).collect();
            match upper.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["ADD", "NOT", ..] => table.add(&words[2..], brief),
                ["ADD", ..] => table.add(&words[1..], brief),
                ["DROP", _] => table.columns.retain(|column| column.name != bare(words[1])),
                ["ALTER", _, "TYPE", ..] => {
                    let until = upper.iter().position(|word| word == "USING").unwrap_or(words.len());
                    table.change(words[1], |column| column.sql_type = words[3..until].join(" "));
                }
                ["ALTER", _, "SET", "NOT", "NULL"] => table.change(words[1], |column| column.not_null = true),
                ["ALTER", _, "DROP", "NOT", "NULL"] => table.change(words[1], |column| column.not_null = false),
                ["ALTER", _, "SET", "DEFAULT", ..] => {
                    table.change(words[1], |column| column.default = Some(words[4..].join(" ")));
                }
                _ => {}
            }
        }
    }
}

impl Table {
    fn add(&mut self, definition: &[&str], brief: bool) {
        if let Some(column) = Column::read(&definition.join(" "), brief)
            && self.column(&column.name).is_none()
        {
            self.columns.push(column);
        }
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Column)) {
        if let Some(column) = self.columns.iter_mut().find(|column| column.name == bare(name)) {
            change(column);
        }
    }
}
