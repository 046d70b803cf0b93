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
        (wanted, found) if wanted == found => Fit::AsIs,
        ("text", "character varying") | ("character varying", "text") => Fit::AsIs,
        ("character varying" | "text", "bpchar") => to("varchar", format!("rtrim({name})")),
        ("character varying" | "text", kind)
            if found.enumerated || found.number() || matches!(kind, "boolean" | "uuid") =>
        {
            to("varchar", format!("{name}::text"))
        }
        ("integer", "bigint") => Fit::Narrow,
        ("integer", "smallint") => to("integer", name),
        ("bigint", "smallint" | "integer") => to("bigint", name),
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
        _ => Fit::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_holds_the_same_values_is_changed_and_another_is_refused() {
        let fitted = |wanted: &str, found: &str, length| fit(&Column::of("c", wanted), &Found::of(found, length));
        for (wanted, found, length) in [
            ("double precision", "double precision", None),
            ("varchar", "text", None),
            ("varchar(10)", "character varying", Some(20)),
            ("numeric(20, 2)", "numeric", None),
            ("json", "jsonb", None),
        ] {
            assert_eq!(fitted(wanted, found, length), Fit::AsIs, "{wanted} {found}");
        }
        for (wanted, found, length, using) in [
            ("varchar", "character varying", Some(60), "\"c\""),
            ("varchar", "integer", None, "\"c\"::text"),
            ("timestamp", "timestamp with time zone", None, "\"c\" AT TIME ZONE 'UTC'"),
            ("numeric(15, 2)", "money", None, "\"c\"::numeric"),
            ("double precision", "numeric", None, "\"c\"::double precision"),
        ] {
            let converted = fitted(wanted, found, length);
            assert!(
                matches!(&converted, Fit::Convert { using: how, .. } if how == using),
                "{wanted} {found}: {converted:?}"
            );
        }
        assert_eq!(fitted("integer", "bigint", None), Fit::Narrow);
        for (wanted, found) in [
            ("integer", "uuid"),
            ("timestamp", "character varying"),
            ("boolean", "integer"),
            ("numeric(15, 2)", "text"),
        ] {
            assert_eq!(fitted(wanted, found, None), Fit::Refused, "{wanted} {found}");
        }
    }
}
