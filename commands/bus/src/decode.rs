//! Decoding: from the bytes of a document to an envelope and a command, or what is wrong with them.
//!
//! Pure, and total: no bytes make it panic. Strict in `data`, whose every field the catalog knows;
//! tolerant in the envelope, where any legal CloudEvents attribute may stand.

mod attributes;
mod strict;

use crate::{
    rejection::{BusRejection, Nearest, Refused},
    trace::TraceParent,
};
use attributes::Attributes;
use chl_commands::{Command, Envelope, MAX_COMMAND_BYTES, MAX_SOURCE_CHARS};
use chl_events::Instant;
use strict::Strict;

/// The deepest nesting of objects and arrays in a document.
pub const MAX_DEPTH: usize = 16;

/// How many slips of the pen a name may differ by to be taken for another.
const MAX_SLIPS: usize = 2;

/// A document that is one of the catalog's commands.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Who sends it, under which key.
    pub envelope: Envelope,
    /// What is asked.
    pub command: Command,
    /// When a ledger recorded it, as its export says; read only by a replay.
    pub recorded_at: Option<Instant>,
    /// The trace it says it belongs to, where that can be read.
    pub trace: Option<TraceParent>,
}

/// A document that is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Undecoded {
    /// The id it was sent under, where that much could be read.
    pub id: Option<String>,
    /// What is wrong.
    pub refused: Refused,
}

/// What the door supplies where a document is silent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Defaults<'a> {
    /// The source; without one a document must name its own.
    pub source: Option<&'a str>,
}

/// Reads a document. `specversion` may be missing, and `source` where the door supplies one.
pub fn decode(bytes: &[u8], defaults: Defaults<'_>) -> Result<Document, Box<Undecoded>> {
    let mut attributes = Attributes::default();
    let refused = match read(bytes, defaults, &mut attributes) {
        Ok(document) => return Ok(document),
        Err(refused) => refused,
    };
    let id = attributes.id.filter(|id| id.chars().count() <= MAX_SOURCE_CHARS);
    Err(Box::new(Undecoded { id: id.map(Into::into), refused }))
}

fn read<'a>(
    bytes: &'a [u8],
    defaults: Defaults<'_>,
    attributes: &mut Attributes<'a>,
) -> Result<Document, Refused> {
    if bytes.len() > MAX_COMMAND_BYTES {
        let (bytes, at_most) = (bytes.len(), MAX_COMMAND_BYTES);
        return Err(BusRejection::TooLarge { bytes, at_most }.into());
    }
    let text = utf8(bytes)?;
    check_depth(bytes)?;
    attributes.read(text)?;
    let data = attributes.data.ok_or_else(|| missing("data"))?;
    let name = attributes.kind.as_deref().ok_or_else(|| missing("type"))?;
    let kind = Command::kind_named(name).ok_or_else(|| {
        let nearest = Nearest(near_commands(name).first().copied());
        let name = name.chars().take(64).collect();
        Refused::from(BusRejection::UnknownType { name, nearest })
    })?;
    let envelope = envelope(attributes, defaults)?;
    let mut from = serde_json::Deserializer::from_str(data.get());
    let command = Command::read(kind, Strict(&mut from)).map_err(|_| misfit(kind, data.get()))?;
    let Attributes { recorded_at, trace, .. } = *attributes;
    Ok(Document { envelope, command, recorded_at, trace })
}

fn envelope(attributes: &Attributes<'_>, defaults: Defaults<'_>) -> Result<Envelope, Refused> {
    if attributes.specversion.as_deref().is_some_and(|version| version != "1.0") {
        return Err(Refused::field("specversion", "only CloudEvents 1.0 is read"));
    }
    let source = attributes.source.as_deref().or(defaults.source);
    let source = source.ok_or_else(|| missing("source"))?;
    let id = attributes.id.as_deref().ok_or_else(|| missing("id"))?;
    Ok(Envelope {
        source: bounded("source", source)?,
        id: bounded("id", id)?,
        time: attributes.time,
        actor: attributes.actor.clone(),
        role: attributes.role,
        partner: attributes.partner.clone(),
        level: attributes.level,
        on_behalf_of: attributes.on_behalf_of.clone(),
        expected_version: attributes.expected_version,
        backfill: attributes.backfill.unwrap_or(false),
        reason: attributes.reason.clone(),
        correlation: maybe("correlationid", attributes.correlation.as_deref())?,
        causation: maybe("causationid", attributes.causation.as_deref())?,
    })
}

/// The text of a document, or where it stops to be one.
fn utf8(bytes: &[u8]) -> Result<&str, Refused> {
    std::str::from_utf8(bytes).map_err(|error| {
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        let problem = format!("the byte {byte:#04x} is no UTF-8");
        attributes::place(bytes, error.valid_up_to(), problem).into()
    })
}

/// The commands that somebody may have meant by a name, the nearest first: those spelt nearly so,
/// and those that hold it or are part of it.
pub fn near_commands(name: &str) -> Vec<&'static str> {
    let asked: String = name.chars().take(64).flat_map(char::to_lowercase).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let distance = |known: &str| {
        let part = known.contains(&asked) || asked.contains(known);
        let edits = strsim::damerau_levenshtein(&asked, known);
        (part || edits <= MAX_SLIPS.max(known.len() / 4)).then_some(edits)
    };
    let known = Command::kinds().map(|kind| kind.name);
    let near = known.filter_map(|name| Some((distance(&name.to_lowercase())?, name)));
    let mut near: Vec<_> = near.collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name).collect()
}

fn missing(attribute: &str) -> Refused {
    Refused::field(attribute, "it is missing")
}

fn maybe(attribute: &str, text: Option<&str>) -> Result<Option<String>, Refused> {
    text.map(|text| bounded(attribute, text)).transpose()
}

fn bounded(attribute: &str, text: &str) -> Result<String, Refused> {
    if text.is_empty() {
        return Err(Refused::field(attribute, "it is empty"));
    }
    if text.chars().count() > MAX_SOURCE_CHARS {
        return Err(Refused::field(attribute, "it has more than 256 characters"));
    }
    if text.chars().any(char::is_control) {
        return Err(Refused::field(attribute, "it holds a control character"));
    }
    Ok(text.into())
}

/// Finds the field of data that its type does not take. Only for the documents that fail: naming
/// the path costs more than reading.
fn misfit(kind: &chl_commands::CommandKind, data: &str) -> Refused {
    let mut from = serde_json::Deserializer::from_str(data);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut from, &mut track);
    let problem = match Command::read(kind, Strict(tracked)) {
        Ok(_) => "it cannot be read".to_string(),
        Err(error) => without_place(&error.to_string()),
    };
    let path = track.path().to_string();
    // Of a field that is missing or stands twice, the path ends at the object around it.
    let named = ["missing field `", "duplicate field `"]
        .iter()
        .find_map(|begin| problem.strip_prefix(begin)?.split('`').next());
    let inner = Some(path.as_str()).filter(|path| *path != ".");
    let parts: Vec<&str> = ["data"].into_iter().chain(inner).chain(named).collect();
    let field = parts.join(".");
    Refused::field(field, problem)
}

/// Cuts off the place, which counts from the start of a part of the document.
fn without_place(problem: &str) -> String {
    let end = problem.rfind(" at line ").unwrap_or(problem.len());
    problem.chars().take(problem.get(..end).unwrap_or(problem).chars().count().min(300)).collect()
}

/// Refuses nesting deeper than [`MAX_DEPTH`] before anything recurses into it.
fn check_depth(bytes: &[u8]) -> Result<(), Refused> {
    // Hardly a document opens so many brackets at all, in texts or not.
    if bytes.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= MAX_DEPTH {
        return Ok(());
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            let problem = "nested more than 16 deep".into();
            return Err(attributes::place(bytes, at, problem).into());
        }
    }
    Ok(())
}

/// Whether a text may name an attribute: lower-case letters and digits (CloudEvents 1.0, 3.1).
fn is_attribute(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !name.is_empty() && name.len() <= MAX_SOURCE_CHARS && name.chars().all(plain)
}
