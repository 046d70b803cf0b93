//! What the private server is told in `hostolink.conf`, which is written anew at each start.

use crate::{ClusterError, Options, binaries::Binaries, folder::Folder};
use std::{fs, path::Path};

/// The file beside `postgresql.conf`, which includes it.
pub(crate) const FILE: &str = "hostolink.conf";

/// Defaults that `Options::settings` may change.
const DEFAULTS: &[(&str, &str)] = &[
    ("max_connections", "200"),
    ("shared_buffers", "128MB"),
    // Change data capture can be added later without a restart.
    ("wal_level", "logical"),
    // Compiling a plan takes longer than any of our queries.
    ("jit", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    // A forgotten transaction holds locks and keeps the vacuum from cleaning.
    ("idle_in_transaction_session_timeout", "60s"),
    ("log_checkpoints", "off"),
];

/// What no caller may change: where the server is reached, and what it writes down.
///
/// Statements hold telephone numbers and codes, and the message of a failed one repeats its values. So no statement,
/// no parameter, no error of a statement ("log" as the lowest level leaves errors out) and no DETAIL line is written.
const FIXED: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("logging_collector", "off"),
    ("log_destination", "stderr"),
    ("log_line_prefix", ""),
    ("log_min_messages", "log"),
    ("log_error_verbosity", "terse"),
    ("log_statement", "none"),
    ("log_min_duration_statement", "-1"),
    ("log_min_duration_sample", "-1"),
    ("log_transaction_sample_rate", "0"),
    ("log_min_error_statement", "panic"),
    ("log_parameter_max_length", "0"),
    ("log_parameter_max_length_on_error", "0"),
    ("log_lock_waits", "off"),
    ("log_temp_files", "-1"),
    ("debug_print_parse", "off"),
    ("debug_print_rewritten", "off"),
    ("debug_print_plan", "off"),
];

/// Names that the supervisor keeps for itself besides those of `FIXED`.
const RESERVED: &[&str] = &[
    "port",
    "unix_socket_directories",
    "unix_socket_group",
    "data_directory",
    "hba_file",
    "ident_file",
    "config_file",
    "external_pid_file",
    "shared_preload_libraries",
    "fsync",
    "full_page_writes",
    "include",
    "include_dir",
    "include_if_exists",
    "event_source",
    "log_directory",
    "log_filename",
];

/// Writes the file for this start.
pub(crate) fn write(
    cluster_dir: &Path,
    options: &Options,
    folder: &Folder,
    binaries: &Binaries,
) -> Result<(), ClusterError> {
    let path = cluster_dir.join(FILE);
    let text = render(options, &folder.socket_dir, binaries.has_statement_statistics)?;
    fs::write(&path, text).map_err(ClusterError::io("cannot write", &path))?;
    folder.give(&path)
}

fn render(options: &Options, socket_dir: &Path, has_statement_statistics: bool) -> Result<String, ClusterError> {
    let mut text = String::from("# Written by hostolink at each start: changes made here are lost.\n");
    let mut add = |name: &str, value: &str| {
        text.push_str(&format!("{name} = '{}'\n", value.replace('\\', "\\\\").replace('\'', "''")));
    };
    for (name, value) in DEFAULTS {
        add(name, value);
    }
    for (name, value) in &options.settings {
        if !is_allowed(name, value) {
            return Err(ClusterError::Setting { name: name.clone() });
        }
        add(name, value);
    }
    for (name, value) in FIXED {
        add(name, value);
    }
    add("port", &crate::folder::PORT.to_string());
    // A list: in double quotes a comma or a space belongs to the path.
    add("unix_socket_directories", &format!("\"{}\"", socket_dir.display().to_string().replace('"', "\"\"")));
    let safe = if options.fsync { "on" } else { "off" };
    add("fsync", safe);
    add("full_page_writes", safe);
    if has_statement_statistics {
        add("shared_preload_libraries", "pg_stat_statements");
        // It replaces the constants of queries by $1, but not those of other statements.
        add("pg_stat_statements.track_utility", "off");
    }
    Ok(text)
}

fn is_allowed(name: &str, value: &str) -> bool {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
    let lower = name.to_ascii_lowercase();
    let is_ours = RESERVED.contains(&lower.as_str()) || FIXED.iter().any(|(fixed, _)| *fixed == lower);
    is_name && !is_ours && !value.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn options(name: &str, value: &str) -> Options {
        Options { data_dir: PathBuf::from("/d"), fsync: true, settings: vec![(name.to_owned(), value.to_owned())] }
    }

    #[test]
    fn a_given_setting_comes_after_the_default() {
        let text = render(&options("shared_buffers", "1GB"), Path::new("/d/run"), true).unwrap();
        assert!(text.find("'128MB'").unwrap() < text.find("'1GB'").unwrap());
        assert!(text.contains("fsync = 'on'\n"));
        assert!(text.contains("pg_stat_statements"));
    }

    #[test]
    fn values_and_paths_are_quoted() {
        let text = render(&options("application_name", "l'été \\n"), Path::new("/d/a, \"b\"'/run"), false).unwrap();
        assert!(text.contains("application_name = 'l''été \\\\n'\n"), "{text}");
        assert!(text.contains("unix_socket_directories = '\"/d/a, \"\"b\"\"''/run\"'\n"), "{text}");
        assert!(!text.contains("pg_stat_statements"));
    }

    #[test]
    fn what_would_write_personal_data_or_open_a_port_is_refused() {
        for name in
            ["log_statement", "LOG_MIN_ERROR_STATEMENT", "listen_addresses", "fsync", "include", "", "a b", "x\n"]
        {
            let error = render(&options(name, "all"), Path::new("/d/run"), false).unwrap_err();
            assert_eq!(error.code(), "cluster_setting", "{name:?}");
        }
        assert!(render(&options("work_mem", "1MB\nfsync=off"), Path::new("/d/run"), false).is_err());
    }
}
