//! The architecture as a test: imports go down only, in no crate do files go in a circle, and what few may name they name.
//!
//! It reads the sources as text: every `crate::module` outside comments is an import.

mod modules;

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

/// What only some places may name, and which.
const ONLY: [(&str, &[&str]); 5] = [
    (
        "wire",
        &[
            "proto/src/",
            "server/src/frontend/",
            "server/src/consensus/transport/",
            "client/src/transport/",
            // Sends what the SDK never would.
            "chaos-tests/src/traffic/duplicate_pushes.rs",
        ],
    ),
    ("openraft", &["server/src/consensus/"]),
    ("datafusion", &["server/src/sql/"]),
    ("sled", &["server/src/storage/sled.rs"]),
    (
        "tonic",
        &[
            "server/src/frontend/",
            "server/src/consensus/transport/",
            "client/src/transport/",
            "chaos-tests/src/traffic/duplicate_pushes.rs",
        ],
    ),
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

/// What a file names, and may not.
fn names(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let is_named = |name: &str| {
        code.match_indices(&format!("{name}::")).any(|(at, _)| {
            let before = code[..at].chars().next_back();
            // `self::sled` is a module of ours.
            !before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':')
        }) || code.contains(&format!("unum_proto::{name}"))
    };
    let wrong =
        |(name, allowed): &&(&str, &[&str])| is_named(name) && !allowed.iter().any(|allowed| path.starts_with(allowed));
    ONLY.iter().filter(wrong).map(|(name, _)| format!("{path}: names {name}")).collect()
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
        wrong.extend(names(&path, &text));
        if !path.starts_with("server/") && code(&text).contains("unum_server") {
            wrong.push(format!("{path}: uses the server"));
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
    let use_wire = "use unum_proto::wire;";
    assert_eq!(names("server/src/service/query.rs", use_wire), ["server/src/service/query.rs: names wire"]);
    assert!(names("server/src/frontend/grpc/query.rs", use_wire).is_empty());
    assert_eq!(names("server/src/service/query.rs", "use datafusion::common::Result;").len(), 1);
    assert_eq!(names("server/src/storage/store.rs", "fn f(db: sled::Db) {}").len(), 1);
    assert!(names("server/src/storage/mod.rs", "mod sled; use self::sled::SledEngine; // sled::Db").is_empty());
}

/// The sources of a crate.
fn crate_sources(name: &str) -> modules::Sources {
    let dir = root().join(name).join("src");
    let mut files = Vec::new();
    sources(&dir, &mut files);
    let source = |file: PathBuf| {
        let path = file.strip_prefix(&dir).expect("a file of the crate").to_string_lossy().replace('\\', "/");
        (path, std::fs::read_to_string(&file).expect("a readable source"))
    };
    files.into_iter().map(source).collect()
}

#[test]
fn no_files_go_in_a_circle() {
    let mut circles = Vec::new();
    for name in ["proto", "server", "client", "chaos-tests"] {
        let imports = modules::imports(&crate_sources(name));
        assert!(
            imports.values().map(std::collections::BTreeSet::len).sum::<usize>() > 5,
            "{name}: no imports were found"
        );
        circles.extend(modules::circles(&imports).into_iter().map(|files| format!("{name}: {}", files.join(", "))));
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn planted_circles_are_seen() {
    let circle = |files: &[(&str, &str)]| {
        let sources = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        modules::circles(&modules::imports(&sources))
    };
    let (a, b) = ("use crate::x::{self, Y};", "use super::a;\nfn f() { a::g() }");
    assert_eq!(circle(&[("lib.rs", ""), ("a.rs", a), ("x.rs", b)]), [["a.rs", "x.rs"]]);
    // Through what a third one passes on, by a path in the code, and through a name in scope.
    let passes_on = ("m/mod.rs", "mod b;\npub use b::B;");
    assert_eq!(
        circle(&[("a.rs", "use crate::m::B;"), passes_on, ("m/b.rs", "fn f() { crate::a::g() }")]),
        [["a.rs", "m/b.rs"]]
    );
    let in_scope = ("m/b.rs", "use crate::c;\nfn f() { c::A::g() }");
    assert_eq!(
        circle(&[("a.rs", "use crate::m::B;"), ("c.rs", "pub use crate::a::A;"), passes_on, in_scope]),
        [["a.rs", "m/b.rs"]]
    );
    // A module that passes a name on, and whose child uses what it defines, is tied only if its code uses the name.
    let child = ("m/b.rs", "use super::Own;");
    assert!(circle(&[("m/mod.rs", "mod b;\npub use b::B;\nstruct Own;"), child]).is_empty());
    assert_eq!(circle(&[("m/mod.rs", "mod b;\npub use b::B;\nstruct Own(B);"), child]).len(), 1);
    // Tests may do what they like.
    assert!(
        circle(&[("a.rs", "use crate::b::B;"), ("b.rs", "#[cfg(test)]\nmod tests {\n use crate::a::A;\n}")]).is_empty()
    );
}
