//! Whether this server, this database and this account can carry our migrations at all.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::Report;

/// The oldest PostgreSQL that has what the migrations use, as `server_version_num` counts.
const OLDEST: i32 = 150_000;

#[derive(Clone, Debug, sqlx::FromRow)]
struct Host {
    version: i32,
    encoding: String,
    standby: bool,
    /// None: the search path names no schema that exists.
    schema: Option<String>,
    may_create: bool,
}

#[derive(Clone, Debug, sqlx::FromRow)]
struct Extension {
    name: String,
    installed: bool,
    available: bool,
    may_install: bool,
    /// Its types are found without naming its schema.
    reachable: bool,
}

pub(super) async fn inspect(
    connection: &mut PgConnection,
    extensions: &BTreeSet<String>,
    report: &mut Report,
) -> sqlx::Result<()> {
    let host: Host = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
                pg_is_in_recovery() AS standby, current_schema()::text AS schema,
                coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create",
    )
    .fetch_one(&mut *connection)
    .await?;
    let names: Vec<&str> = extensions.iter().map(String::as_str).collect();
    let extensions: Vec<Extension> = sqlx::query_as(
        "SELECT name, e.oid IS NOT NULL AS installed,
                EXISTS (SELECT FROM pg_available_extensions a WHERE a.name = n.name) AS available,
                (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                  OR (has_database_privilege(current_database(), 'CREATE')
                      AND EXISTS (SELECT FROM pg_available_extension_versions v WHERE v.name = n.name AND v.trusted)) AS may_install,
                e.oid IS NULL OR EXISTS (SELECT FROM pg_namespace s
                  WHERE s.oid = e.extnamespace AND s.nspname = ANY (current_schemas(true))) AS reachable
           FROM unnest($1::text[]) AS n (name) LEFT JOIN pg_extension e ON e.extname = n.name ORDER BY 1",
    )
    .bind(names)
    .fetch_all(connection)
    .await?;
    faults(&host, &extensions).into_iter().for_each(|fault| report.block(fault));
    Ok(())
}

fn faults(host: &Host, extensions: &[Extension]) -> Vec<String> {
    let mut faults = Vec::new();
    if host.version < OLDEST {
        faults.push(format!("PostgreSQL {} is too old: 15 or later is needed", host.version / 10_000));
    }
    if host.encoding != "UTF8" {
        faults.push(format!("the database is encoded in {}: UTF8 is needed", host.encoding));
    }
    if host.standby {
        faults.push("the server is a standby and cannot be written: name the primary in DATABASE_URL".to_owned());
    }
    match &host.schema {
        None => faults.push("the search path of this account names no schema that exists".to_owned()),
        Some(schema) if !host.may_create => {
            faults.push(format!(
                "this account may not create tables in the schema {schema}: GRANT CREATE ON SCHEMA {schema} to it"
            ));
        }
        Some(_) => {}
    }
    for extension in extensions {
        let name = &extension.name;
        if !extension.available && !extension.installed {
            faults.push(format!(
                "the extension {name} is not installed on the server (Debian: apt-get install postgresql-15-postgis-3)"
            ));
        } else if !extension.installed && !extension.may_install {
            faults.push(format!("this account may not create the extension {name}: a superuser has to run CREATE EXTENSION {name} in this database first"));
        } else if !extension.reachable {
            faults.push(format!("the extension {name} stands in a schema outside of the search path: ALTER EXTENSION {name} SET SCHEMA public, or extend the search path"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_would_stop_a_migration_is_told() {
        let good = Host {
            version: 150_014,
            encoding: "UTF8".into(),
            standby: false,
            schema: Some("public".into()),
            may_create: true,
        };
        let there =
            Extension { name: "postgis".into(), installed: true, available: true, may_install: false, reachable: true };
        assert_eq!(faults(&good, std::slice::from_ref(&there)), Vec::<String>::new());
        let told = |host: Host, extension: Extension| faults(&host, &[extension]).join("\n");
        for (host, expected) in [
            (Host { version: 140_011, ..good.clone() }, "PostgreSQL 14 is too old"),
            (Host { encoding: "LATIN1".into(), ..good.clone() }, "LATIN1"),
            (Host { standby: true, ..good.clone() }, "standby"),
            (Host { schema: None, ..good.clone() }, "search path"),
            (Host { may_create: false, ..good.clone() }, "GRANT CREATE"),
        ] {
            assert!(told(host, there.clone()).contains(expected), "{expected}");
        }
        for (extension, expected) in [
            (Extension { installed: false, available: false, ..there.clone() }, "is not installed"),
            (Extension { installed: false, ..there.clone() }, "superuser has to run"),
            (Extension { reachable: false, ..there.clone() }, "outside of the search path"),
        ] {
            assert!(told(good.clone(), extension).contains(expected), "{expected}");
        }
        assert_eq!(told(good, Extension { installed: false, may_install: true, ..there }), "");
    }
}
