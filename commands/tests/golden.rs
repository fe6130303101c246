//! The bytes of every command type and version, for ever: duplicates are compared by them.
//!
//! A line of `golden/commands.txt` is `tag, version, name, bytes in hex, JSON`, parted by tabs. A
//! line is added with a new type or version and never changed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chl_commands::Command;
use chl_events::{RecordedCommand, Role};
use data_encoding::HEXLOWER;
use std::collections::BTreeSet;

struct Line {
    recorded: RecordedCommand,
    name: String,
    json: serde_json::Value,
}

fn lines() -> Vec<Line> {
    include_str!("golden/commands.txt")
        .lines()
        .map(|line| {
            let mut fields = line.split('\t');
            let mut next = || fields.next().unwrap();
            let (tag, version) = (next().parse().unwrap(), next().parse().unwrap());
            let name = next().into();
            let data = HEXLOWER.decode(next().as_bytes()).unwrap();
            let json = serde_json::from_str(next()).unwrap();
            Line { recorded: RecordedCommand { tag, version, data }, name, json }
        })
        .collect()
}

#[test]
fn every_line_ever_written_is_read_as_it_was_meant() {
    for line in lines() {
        let command = Command::decode(&line.recorded).unwrap();
        assert_eq!(command.kind().name, line.name);
        assert_eq!(serde_json::to_value(&command).unwrap(), line.json, "{}", line.name);
    }
}

#[test]
fn the_newest_version_is_written_with_the_same_bytes() {
    for line in lines() {
        let command = Command::read_named(&line.name, line.json).unwrap();
        let recorded = command.record().unwrap();
        if recorded.version == line.recorded.version {
            let hex = HEXLOWER.encode(&recorded.data);
            assert_eq!(hex, HEXLOWER.encode(&line.recorded.data), "{}", line.name);
        }
    }
}

#[test]
fn every_type_has_a_line_a_name_and_a_schema_of_its_own() {
    let written: BTreeSet<_> = lines().iter().map(|line| line.recorded.tag).collect();
    let mut names = BTreeSet::new();
    let mut tags = BTreeSet::new();
    for kind in Command::kinds() {
        assert!(written.contains(&kind.tag), "{} has no golden line", kind.name);
        assert!(names.insert(kind.name) && tags.insert(kind.tag), "{} stands twice", kind.name);
        assert!(!kind.doc.trim().is_empty(), "{} has no documentation", kind.name);
        let schema = serde_json::to_value((kind.schema)()).unwrap();
        assert_eq!(schema.get("additionalProperties"), Some(&false.into()), "{}", kind.name);
    }
}

#[test]
fn unknown_fields_are_refused_by_every_type() {
    for mut line in lines() {
        line.json.as_object_mut().unwrap().insert("nonsense".into(), 1.into());
        let error = Command::read_named(&line.name, line.json).unwrap_err();
        assert!(error.to_string().contains("nonsense"), "{}: {error}", line.name);
    }
}

#[test]
fn the_ledgers_own_commands_are_closed_to_people() {
    for kind in Command::kinds() {
        let internal = kind.roles.iter().all(|role| matches!(role, Role::Policy | Role::Clock));
        assert_eq!(kind.allows(Role::Operator), !internal, "{}", kind.name);
        assert!(!kind.allows(Role::Auditor) && !kind.allows(Role::Analyst), "{}", kind.name);
    }
}
