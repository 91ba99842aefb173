//! The modules of a crate and what they import of each other, read from their sources as text.
//!
//! A name that a module only passes on (`pub use`) leads to the file that defines it: who imports it depends on that
//! file, and the module that passes it on does only if its own code uses the name. What is below `#[cfg(test)]` takes no
//! part.

use std::collections::{BTreeMap, BTreeSet};

/// The sources of a crate, by path below its `src`.
pub type Sources = BTreeMap<String, String>;

/// A module: its file, its imports, and the names that it passes on or has in scope.
#[derive(Debug, Default)]
struct Module {
    file: String,
    /// Paths that its code names or imports.
    uses: Vec<Vec<String>>,
    /// Where names in its scope come from.
    names: BTreeMap<String, Vec<String>>,
}

/// The files that each file imports from.
pub fn imports(sources: &Sources) -> BTreeMap<String, BTreeSet<String>> {
    let modules: BTreeMap<Vec<String>, Module> = sources
        .iter()
        .filter(|(path, _)| !path.ends_with("tests.rs"))
        .map(|(path, text)| (module_path(path), module(path, text)))
        .collect();
    let mut imports = BTreeMap::new();
    for (path, module) in &modules {
        let of = module.uses.iter().filter_map(|used| resolve(&modules, path, used, 0));
        let files: BTreeSet<String> = of.filter(|file| *file != module.file).collect();
        imports.insert(module.file.clone(), files);
    }
    imports
}

/// Groups of files that import each other, directly or through others.
pub fn circles(imports: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        imports.keys().map(|file| (file, reachable(imports, file))).collect();
    let mut circles: Vec<Vec<String>> = Vec::new();
    for (file, from_here) in &reached {
        let back = from_here.iter().filter(|other| reached.get(*other).is_some_and(|there| there.contains(file)));
        let mut circle: Vec<String> = back.map(|file| (*file).clone()).collect();
        circle.sort();
        if !circle.is_empty() && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

fn reachable<'a>(imports: &'a BTreeMap<String, BTreeSet<String>>, from: &String) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&String> = imports[from].iter().collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(imports.get(file).into_iter().flatten());
        }
    }
    reached
}

/// `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn module_path(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    let root = ["lib", "main", "mod"].contains(&path);
    if root { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

fn module(file: &str, text: &str) -> Module {
    let code = code(text);
    let (statements, rest) = split_uses(&code);
    let mut module = Module { file: file.to_owned(), ..Module::default() };
    for (passed_on, path) in statements {
        let (name, path) = match path.iter().position(|part| part == "as") {
            Some(at) => (path[at + 1].clone(), path[..at].to_vec()),
            None => (path.last().cloned().unwrap_or_default(), path),
        };
        let path = if path.last().is_some_and(|last| last == "self") { path[..path.len() - 1].to_vec() } else { path };
        let name = if name == "self" { path.last().cloned().unwrap_or_default() } else { name };
        if !passed_on || has_word(&rest, &name) {
            module.uses.push(path.clone());
        }
        module.names.insert(name, path);
    }
    module.uses.extend(inline_paths(&rest));
    module
}

/// The code of a file without comments, and without its tests.
fn code(text: &str) -> String {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = without_visibilities(&code.join("\n"));
    // Tests stand at the end of a file.
    match code.find("#[cfg(test)]\nmod ") {
        Some(tests) if code[tests..].contains('{') => code[..tests].to_owned(),
        _ => code,
    }
}

/// `pub(in crate::a)` imports nothing.
fn without_visibilities(code: &str) -> String {
    let mut parts = code.split("pub(in ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |code, part| code + "pub" + part.split_once(')').map_or("", |(_, rest)| rest))
}

/// Every path of every `use`, and whether it is passed on; and the code without them.
fn split_uses(code: &str) -> (Vec<(bool, Vec<String>)>, String) {
    let (mut paths, mut rest) = (Vec::new(), String::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        let statement = start.strip_prefix("use ").map(|tree| (false, tree)).or_else(|| {
            let (visibility, tree) = start.split_once(" use ")?;
            let public = visibility == "pub" || (visibility.starts_with("pub(") && visibility.ends_with(')'));
            public.then_some((true, tree))
        });
        let Some((passed_on, tree)) = statement else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            tree.push_str(lines.next().unwrap_or(";"));
        }
        expand(tree.trim_end_matches(';').trim(), &[], &mut |path| paths.push((passed_on, path)));
    }
    (paths, rest)
}

/// `a::{b, c::{self, d}}` is three paths.
fn expand(tree: &str, prefix: &[String], found: &mut impl FnMut(Vec<String>)) {
    let tree = tree.trim();
    let part = |part: &str| part.split(" as ").collect::<Vec<_>>().join("::as::");
    match tree.split_once('{') {
        None => {
            let parts = part(tree);
            let parts = parts.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned);
            let path: Vec<String> = prefix.iter().cloned().chain(parts).collect();
            if path.len() > prefix.len() {
                found(path);
            }
        }
        Some((before, group)) => {
            let parts = before.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned);
            let prefix: Vec<String> = prefix.iter().cloned().chain(parts).collect();
            let group = &group[..group.rfind('}').unwrap_or(group.len())];
            let (mut depth, mut start) = (0, 0);
            for (at, sign) in group.char_indices() {
                match sign {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        expand(&group[start..at], &prefix, found);
                        start = at + 1;
                    }
                    _ => {}
                }
            }
            expand(&group[start..], &prefix, found);
        }
    }
}

/// Paths in code: `crate::a::B`, `super::c::d()`, `sql::Error`.
fn inline_paths(code: &str) -> Vec<Vec<String>> {
    let is_part = |sign: char| sign.is_alphanumeric() || sign == '_' || sign == ':';
    code.split(|sign| !is_part(sign))
        .filter(|word| word.contains("::"))
        .map(|word| word.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect())
        .collect()
}

fn has_word(code: &str, word: &str) -> bool {
    code.split(|sign: char| !sign.is_alphanumeric() && sign != '_').any(|part| part == word)
}

/// The file that defines what a path names; none if it is of another crate.
fn resolve(modules: &BTreeMap<Vec<String>, Module>, from: &[String], path: &[String], depth: u32) -> Option<String> {
    let module = modules.get(from)?;
    let mut at = from.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            at.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|part| part == "super") {
                at.pop();
                rest = &rest[1..];
            }
        }
        first => {
            let child: Vec<String> = from.iter().cloned().chain([first.to_owned()]).collect();
            if !modules.contains_key(&child) {
                // A name of the module's scope, or another crate.
                let known = module.names.get(first).filter(|known| depth < 8 && known.as_slice() != path)?;
                let path: Vec<String> = known.iter().chain(&path[1..]).cloned().collect();
                return resolve(modules, from, &path, depth + 1);
            }
        }
    }
    while let Some(part) = rest.first() {
        at.push(part.clone());
        if !modules.contains_key(&at) {
            at.pop();
            break;
        }
        rest = &rest[1..];
    }
    let found = modules.get(&at)?;
    match rest.first().and_then(|name| found.names.get(name)).filter(|_| depth < 8 && at != from) {
        Some(passed_on) => {
            let path: Vec<String> = passed_on.iter().chain(&rest[1..]).cloned().collect();
            resolve(modules, &at, &path, depth + 1)
        }
        None => Some(found.file.clone()),
    }
}
