//! No circle between the files of a crate: whoever follows what a file names never comes back to it.
//!
//! A file names another when a path in it, imported or written out, leads to what the other
//! defines; a re-export leads to the file it comes from. Test modules do not count. Two things are
//! no circle:
//!
//! - a module and the modules within it: one thought in several files, of which the outer one has
//!   the list and the dispatch;
//! - what a *register* lists. A register is a file that has the one list of all events, commands,
//!   kinds of rows or tasks, from which the compiler tells what a new one touches; it must name
//!   what it lists, and what it lists is made by its macro or kept by it. All of them are named
//!   here, and each must be needed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The folders of sources, each with the file it begins with.
const CRATES: &[(&str, &str)] = &[
    ("events/src", "lib"),
    ("commands/src", "lib"),
    ("aggregates/src", "lib"),
    ("projections/src", "lib"),
    ("projections/likeness/src", "lib"),
    ("projections/runtime/src", "lib"),
    ("events/log/src", "lib"),
    ("events/log-files/src", "lib"),
    ("events/log-nats/src", "lib"),
    ("events/log-sled/src", "lib"),
    ("events/proofs/src", "lib"),
    ("commands/bus/src", "lib"),
    ("commands/bus-nats/src", "lib"),
    ("bin/chl", "main"),
];

/// The registers, and what each lists.
const REGISTERS: &[(&str, &str, &str)] = &[
    ("events/src", "event", "every event; areas are made by its macro"),
    ("commands/src", "catalog", "every command; areas are made by its macro"),
    ("aggregates/src", "rows", "every kind of state, which areas load and keep through it"),
    ("events/log/src", "port", "what a log hands out: chains to append by, subscriptions"),
    ("bin/chl", "demo::world", "the tasks of the year, which flows put on its agenda"),
];

type Module = Vec<String>;

/// A crate's files by their module's path, with their code.
fn modules(folder: &Path, first: &str) -> BTreeMap<Module, String> {
    let mut files = Vec::new();
    rust_files(folder, &mut files);
    let module = |path: &PathBuf| -> Module {
        let path = path.strip_prefix(folder).unwrap().with_extension("");
        let parts = path.iter().map(|part| part.to_str().unwrap().to_owned());
        let mut parts: Module = parts.collect();
        if parts.last().is_some_and(|last| last == "mod") || parts == [first] {
            parts.pop();
        }
        parts
    };
    let read = |path: &PathBuf| code(&std::fs::read_to_string(path).unwrap());
    let all: BTreeMap<_, _> = files.iter().map(|path| (module(path), read(path))).collect();
    let is_test = |module: &Module| module.iter().any(|part| part == "tests");
    let helps_tests = |module: &Module| {
        let Some((name, outer)) = module.split_last() else { return false };
        let text = std::fs::read_to_string(file_of(folder, outer, first)).unwrap_or_default();
        text.contains(&format!("#[cfg(test)]\nmod {name};"))
    };
    all.into_iter().filter(|(module, _)| !is_test(module) && !helps_tests(module)).collect()
}

fn file_of(folder: &Path, module: &[String], first: &str) -> PathBuf {
    if module.is_empty() {
        return folder.join(first).with_extension("rs");
    }
    let path: PathBuf = folder.join(module.iter().collect::<PathBuf>());
    let alone = path.with_extension("rs");
    if alone.exists() { alone } else { path.join("mod.rs") }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|one| one == "rs") {
            found.push(path);
        }
    }
}

/// A source without its comments and its test module at the end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// What a file imports, each path under the name it has here, and whether it passes it on; and
/// the paths that it writes out.
struct Names {
    imports: Vec<(Vec<String>, String, bool)>,
    written: BTreeSet<Vec<String>>,
    words: BTreeSet<String>,
}

fn names(code: &str) -> Names {
    let (mut imports, mut rest) = (Vec::new(), String::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        let at = trimmed.find("use ").filter(|at| *at == 0 || trimmed.starts_with("pub"));
        let Some(at) = at.filter(|at| trimmed.get(..*at).is_some_and(is_visibility)) else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut statement = trimmed.get(at + 4..).unwrap().to_owned();
        while !statement.contains(';') {
            statement.push_str(lines.next().expect("a use ends with a semicolon"));
        }
        let tree = statement.split(';').next().unwrap();
        for path in expanded(tree) {
            let (path, alias) =
                path.split_once(" as ").map_or((path.as_str(), None), |(p, a)| (p, Some(a)));
            let parts = path.trim().split("::").map(|part| part.trim().to_owned());
            let mut parts: Vec<String> = parts.collect();
            if parts.last().is_some_and(|last| last == "self") {
                parts.pop();
            }
            let name = alias.map(|alias| alias.trim().to_owned());
            let name = name.or_else(|| parts.last().cloned()).unwrap_or_default();
            imports.push((parts, name, at > 0));
        }
    }
    let (written, words) = paths(&rest);
    Names { imports, written, words }
}

fn is_visibility(text: &str) -> bool {
    text.is_empty() || (text.starts_with("pub") && text.ends_with(' ') && !text.contains('='))
}

/// The single paths of a tree of imports.
fn expanded(tree: &str) -> Vec<String> {
    let Some((before, rest)) = tree.split_once('{') else {
        return Vec::from([tree.trim().to_owned()]).into_iter().filter(|p| !p.is_empty()).collect();
    };
    let inner = rest.rsplit_once('}').unwrap().0;
    let (mut depth, mut one, mut all) = (0, String::new(), Vec::new());
    for c in inner.chars().chain([',']) {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            let ones = expanded(&std::mem::take(&mut one));
            all.extend(ones.into_iter().map(|one| format!("{}{one}", before.trim())));
        } else {
            one.push(c);
        }
    }
    all
}

/// The paths of two and more parts in a text, and all of its words.
fn paths(text: &str) -> (BTreeSet<Vec<String>>, BTreeSet<String>) {
    let (mut found, mut words) = (BTreeSet::new(), BTreeSet::new());
    let mut path: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
        let from = rest.get(begin..).unwrap();
        let end = from.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        words.insert(word.to_owned());
        path.push(word.to_owned());
        let goes_on = after.strip_prefix("::");
        let next = goes_on.filter(|next| next.starts_with(|c: char| c.is_alphabetic() || c == '_'));
        if next.is_none() {
            let whole = std::mem::take(&mut path);
            if whole.len() > 1 {
                found.insert(whole);
            }
        }
        rest = next.unwrap_or(after);
    }
    (found, words)
}

/// The files of a crate and, for each, which others it names.
struct Crate {
    names: BTreeMap<Module, Names>,
}

impl Crate {
    fn read(folder: &Path, first: &str) -> Self {
        let modules = modules(folder, first);
        Self { names: modules.iter().map(|(module, code)| (module.clone(), names(code))).collect() }
    }

    /// A path as seen from the crate's root; none when it leads out of the crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let mut base = module.clone();
        match first.as_str() {
            "crate" => return Some(rest.to_vec()),
            "self" => {}
            "super" => {
                base.pop();
                let supers = rest.iter().take_while(|part| *part == "super").count();
                base.truncate(base.len().saturating_sub(supers));
                return Some([base, rest.get(supers..)?.to_vec()].concat());
            }
            _ => {
                base.push(first.clone());
                let child = self.names.contains_key(&base);
                if !child {
                    let import = self.names[module].imports.iter().find(|one| one.1 == *first);
                    let import = import.filter(|one| one.0 != path)?;
                    let start = self.absolute(module, &import.0)?;
                    return Some([start, rest.to_vec()].concat());
                }
            }
        }
        Some([base, rest.to_vec()].concat())
    }

    /// The file that defines what a path names.
    fn definer(&self, path: &[String], seen: &mut Vec<Vec<String>>) -> Option<Module> {
        if seen.iter().any(|one| one == path) {
            return None;
        }
        seen.push(path.to_vec());
        let length = (0..=path.len()).rev().find(|n| self.names.contains_key(&path[..*n]))?;
        let module = path[..length].to_vec();
        let Some(item) = path.get(length) else { return Some(module) };
        let import = self.names[&module].imports.iter().find(|one| one.1 == *item);
        let target = import.and_then(|one| self.absolute(&module, &one.0));
        match target {
            Some(target) if target != path => {
                self.definer(&[target, path[length + 1..].to_vec()].concat(), seen)
            }
            _ => Some(module),
        }
    }

    /// Which other files each names, without those of its own module's inside and outside.
    fn edges(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let mut edges = BTreeMap::new();
        for (module, names) in &self.names {
            // What is only passed on is not named here.
            let imported =
                names.imports.iter().filter(|one| !one.2 || names.words.contains(&one.1));
            let all = imported.map(|one| &one.0).chain(&names.written);
            let mut named = BTreeSet::new();
            for path in all {
                let Some(path) = self.absolute(module, path) else { continue };
                let definer = self.definer(&path, &mut Vec::new());
                // A module's own name leads nowhere by itself; what is taken from it does.
                named.extend(definer.filter(|definer| *definer != path && definer != module));
            }
            let within = |one: &Module| {
                (!module.is_empty() && one.starts_with(module))
                    || (!one.is_empty() && module.starts_with(one))
            };
            named.retain(|one| !within(one));
            edges.insert(module.clone(), named);
        }
        edges
    }
}

/// The files from which one comes back to oneself.
fn circle(edges: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<String> {
    let reaches = |from: &Module| -> BTreeSet<Module> {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![from]);
        while let Some(next) = waiting.pop() {
            for one in edges.get(next).into_iter().flatten() {
                if seen.insert(one.clone()) {
                    waiting.push(one);
                }
            }
        }
        seen
    };
    edges.keys().filter(|one| reaches(one).contains(*one)).map(|one| one.join("::")).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn no_file_comes_back_to_itself() {
    for (folder, first) in CRATES {
        let mut edges = Crate::read(&root().join(folder), first).edges();
        assert!(edges.values().map(BTreeSet::len).sum::<usize>() > 5, "{folder} names nothing");
        for (_, register, _) in REGISTERS.iter().filter(|(of, ..)| of == folder) {
            let module: Module = register.split("::").map(str::to_owned).collect();
            let listed = edges.insert(module.clone(), BTreeSet::new());
            let listed = listed.unwrap_or_else(|| panic!("{folder} has no {register}"));
            let needed = BTreeMap::from_iter(edges.clone().into_iter().chain([(module, listed)]));
            assert!(!circle(&needed).is_empty(), "{register} of {folder} is no register any more");
        }
        let circle = circle(&edges);
        assert!(circle.is_empty(), "files of {folder} come back to themselves: {circle:?}");
    }
}

#[test]
fn a_circle_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let circle = || circle(&Crate::read(folder.path(), "lib").edges());
    write("lib.rs", "mod a;\nmod b;\nmod c;\npub use a::A;\npub use b::{B, make};\n");
    write("a.rs", "use crate::B;\npub struct A(B);\n");
    write("b.rs", "pub struct B;\npub fn make() {}\n");
    write("c.rs", "fn c() { crate::make(); }\n");
    assert!(circle().is_empty(), "{:?}", circle());
    // Through a re-export and a path that is written out.
    write("b.rs", "pub struct B;\npub fn make() { crate::c::c() }\n");
    write("c.rs", "pub fn c() { let _ = super::a::A; }\n");
    assert_eq!(circle(), ["a", "b", "c"]);
    // A test module names whatever it likes.
    write("c.rs", "pub fn c() {}\n#[cfg(test)]\nmod tests {\n    use super::super::a::A;\n}\n");
    assert!(circle().is_empty(), "{:?}", circle());
}
