//! Whether a column of the first backend can hold what we write, and how it is made to.

use super::shape::Found;
use super::sql::quoted;
use super::wanted::Column;

/// What becomes of a column that is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    AsIs,
    /// Its type changes and no value does.
    Convert {
        to: String,
        using: String,
    },
    /// To `integer`, when no value is too large for it.
    Narrow,
    /// No rule says how.
    Refused,
}

/// For a column of the brief. TypeORM makes the same property into different types, by its options.
pub(super) fn fit(wanted: &Column, found: &Found) -> Fit {
    let (base, name) = (wanted.base(), quoted(&wanted.name));
    let to = |to: &str, using: String| Fit::Convert { to: to.to_owned(), using };
    match (base.as_str(), found.sql_type.as_str()) {
        ("character varying", "character varying") => match (found.length, wanted.length()) {
            (None, _) => Fit::AsIs,
            (Some(found), Some(wanted)) if found >= wanted => Fit::AsIs,
            _ => to("varchar", name),
        },
        ("text", "text" | "character varying") | ("character varying", "text") => Fit::AsIs,
        ("character varying" | "text", "bpchar") => to("varchar", format!("rtrim({name})")),
        ("character varying" | "text", kind)
            if found.enumerated || found.number() || matches!(kind, "boolean" | "uuid") =>
        {
            to("varchar", format!("{name}::text"))
        }
        ("integer", "bigint") => Fit::Narrow,
        ("integer", "smallint") => to("integer", name),
        ("bigint", "smallint" | "integer") => to("bigint", name),
        ("numeric", "numeric") => Fit::AsIs,
        ("numeric", _) if found.number() => to("numeric", format!("{name}::numeric")),
        ("double precision", "money") => Fit::Refused,
        ("double precision", _) if found.number() => to("double precision", format!("{name}::double precision")),
        ("timestamp without time zone", "timestamp with time zone") => {
            to("timestamp", format!("{name} AT TIME ZONE 'UTC'"))
        }
        ("timestamp without time zone", "date") => to("timestamp", format!("{name}::timestamp")),
        ("json", "jsonb") => Fit::AsIs,
        ("json", "text[]" | "character varying[]") => to("json", format!("to_json({name})")),
        // TypeORM's `simple-json` and `simple-array`.
        ("json", "text" | "character varying") => to(
            "json",
            format!(
                "CASE WHEN {name} ~ '^\\s*[\\[{{]' THEN {name}::json ELSE to_json(string_to_array({name}, ',')) END"
            ),
        ),
        (wanted, found) if wanted == found => Fit::AsIs,
        _ => Fit::Refused,
    }
}
