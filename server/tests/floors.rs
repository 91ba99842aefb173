//! The architecture as a test: imports go down only, and the wire is named in its own places only.
//!
//! It reads the sources as text: every `crate::module` outside comments is an import.

use std::path::{Path, PathBuf};

/// Floor of each top module of the server, and what it never sees beside what lies above it.
const FLOORS: [(&str, u8, &[&str]); 13] = [
    ("base", 0, &[]),
    ("catalog", 1, &["storage"]),
    ("storage", 1, &["catalog"]),
    ("consensus", 2, &["sql"]),
    ("sql", 2, &["consensus", "storage"]),
    ("service", 3, &["storage"]),
    ("frontend", 4, &["storage", "catalog"]),
    ("config", 5, &[]),
    ("node", 5, &[]),
    ("demo", 5, &[]),
    ("check", 5, &[]),
    ("join", 5, &[]),
    ("publish", 5, &[]),
];

/// The only places that may name `wire`.
const WIRE: [&str; 5] = [
    "proto/src/",
    "server/src/frontend/",
    "server/src/consensus/transport/",
    "client/src/transport/",
    // Sends what the SDK never would.
    "chaos-tests/src/traffic/echoes.rs",
];

fn root() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a readable directory") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file without comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The top modules that a file names as `crate::module` or in `use crate::{module…, module…}`.
fn imports(code: &str) -> Vec<String> {
    let ident = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.push(ident(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut part_start = true;
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => part_start = true,
                        c if part_start && c.is_alphabetic() => {
                            found.push(ident(&group[at..]));
                            part_start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

/// What is wrong with the imports of one file of the server's `module`.
fn violations(module: &str, text: &str) -> Vec<String> {
    let floor = |name: &str| FLOORS.iter().find(|(module, ..)| *module == name);
    let Some((_, own_floor, never)) = floor(module) else { return Vec::new() };
    let wrong = |import: &String| match floor(import) {
        Some((name, other, _)) => *name != module && (other > own_floor || never.contains(name)),
        None => false,
    };
    imports(&code(text)).into_iter().filter(wrong).map(|import| format!("{module} imports {import}")).collect()
}

/// Whether a file names the wire, and may not.
fn names_wire(path: &str, text: &str) -> bool {
    let named = code(text).contains("wire::") || code(text).contains("unum_proto::wire");
    named && !WIRE.iter().any(|allowed| path.starts_with(allowed))
}

fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("server/src/")?;
    Some(inside.split('/').next()?.trim_end_matches(".rs"))
}

#[test]
fn imports_between_floors_go_down_only() {
    let root = root();
    let mut files = Vec::new();
    for crate_dir in ["server/src", "client/src", "chaos-tests/src", "chaos-tests/tests"] {
        sources(&root.join(crate_dir), &mut files);
    }
    assert!(files.len() > 50, "the sources were not found");
    let mut wrong = Vec::new();
    for file in files {
        let path = file.strip_prefix(&root).expect("a file of the workspace").to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(&file).expect("a readable source");
        if let Some(module) = module_of(&path) {
            wrong.extend(violations(module, &text).into_iter().map(|what| format!("{path}: {what}")));
        }
        if names_wire(&path, &text) {
            wrong.push(format!("{path}: names wire"));
        }
        if !path.starts_with("server/") && code(&text).contains("unum_server") {
            wrong.push(format!("{path}: uses the server"));
        }
        if !path.starts_with("server/src/consensus/") && code(&text).contains("openraft::") {
            wrong.push(format!("{path}: names openraft"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_of_the_server_has_a_floor() {
    for entry in std::fs::read_dir(root().join("server/src")).expect("a readable directory") {
        let name = entry.expect("a readable entry").file_name().to_string_lossy().trim_end_matches(".rs").to_owned();
        let known =
            FLOORS.iter().any(|(module, ..)| *module == name) || ["main", "lib", "bin"].contains(&name.as_str());
        assert!(known, "server/src/{name} has no floor in this test");
    }
}

#[test]
fn planted_violations_are_seen() {
    for (module, text) in [
        ("catalog", "use crate::storage::Store;"),
        ("sql", "use crate::{catalog::State, consensus::Group};"),
        ("storage", "fn f() { crate::service::query::run() }"),
    ] {
        assert_eq!(violations(module, text).len(), 1, "{text}");
    }
    assert!(violations("service", "use crate::consensus::Group; // crate::frontend").is_empty());
    assert!(names_wire("server/src/service/query.rs", "use unum_proto::wire;"));
    assert!(!names_wire("server/src/frontend/grpc/query.rs", "use unum_proto::wire;"));
}
