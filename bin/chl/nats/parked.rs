//! `chl parked`: what came through the queue and is no command, and what to do with it.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    input::Input,
    output::{Output, Sheet, Sink},
    place::Place,
    servers::Servers,
    user,
};
use chl_bus_nats::{Deal, Parking, ParkingError};
use chl_events::{ActorId, Code};
use chl_log_nats::Connection;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{future::Future, io::Read, path::PathBuf};

/// A document is read no further: no command is larger.
const MAX_DOCUMENT_BYTES: u64 = 64 * 1024;

/// Lists what was published to the queue and is no command, with the reason, and deals with it.
///
/// Nothing of it is lost, and nothing of it holds up the queue. Without more said, lists what is
/// parked.
#[derive(Debug, clap::Args)]
pub(crate) struct Parked {
    /// The servers of the bus, where the ledger itself is embedded.
    #[arg(long, value_name = "URL", env = "CHL_BUS", global = true)]
    bus: Option<String>,
    #[command(subcommand)]
    what: Option<What>,
}

/// What to do with it.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Shows one.
    Show {
        /// Its number.
        parked: u64,
    },
    /// Puts one into the queue again: as it was, where something else has been mended since, or a
    /// mended document.
    Send {
        /// Its number.
        parked: u64,
        /// The mended document; `-` is standard input.
        file: Option<PathBuf>,
        /// Sends it under this actor's name, where the servers permit that; without it under the
        /// name it came by.
        #[arg(long = "as", value_name = "ACTOR")]
        sent_as: Option<ActorId>,
    },
    /// Takes one out.
    Drop {
        /// Its number.
        parked: u64,
        /// Why, for those who look later.
        #[arg(long)]
        reason: String,
    },
    /// Lists what became of those that were dealt with, for a year.
    Settled,
}

/// What of a document says where it goes.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "type")]
    name: Code,
}

impl Parked {
    /// Does it.
    pub(crate) fn run(
        &self,
        place: &Place,
        servers: &Servers,
        mut output: Output,
    ) -> Outcome<Exit> {
        let urls = self.bus.as_deref().or(servers.nats.as_deref());
        let urls = urls.ok_or_else(|| Failure::usage("say where the bus is: --bus or --nats"))?;
        let connection = servers.connect(urls)?;
        let ledger = Code::new(place.ledger()).or_exit(Exit::Usage, "--ledger")?;
        let nats = connection.client();
        let parking = wait(&connection, async move { Ok(Parking::of(&nats, &ledger)) })?;
        match &self.what {
            None => {
                let listed = wait(&connection, async move { parking.list().await })?;
                show(listed.iter(), &mut output)?;
            }
            Some(What::Show { parked }) => {
                let parked = *parked;
                let one = wait(&connection, async move { parking.one(parked).await })?;
                show([&one].into_iter(), &mut output)?;
            }
            Some(What::Send { parked, file, sent_as }) => {
                let mended = file.as_deref().map(document).transpose()?;
                send(&connection, parking, *parked, mended, sent_as.clone())?;
            }
            Some(What::Drop { parked, reason }) => {
                let (parked, reason, by) = (*parked, reason.clone(), user::actor()?);
                wait(&connection, async move {
                    let one = parking.one(parked).await?;
                    parking.settle(&one, &Deal::Drop { reason: &reason }, &by).await
                })?;
            }
            Some(What::Settled) => {
                let listed = wait(&connection, async move { parking.settled().await })?;
                show_settled(&listed, &mut output)?;
            }
        }
        output.end()?;
        Ok(Exit::Success)
    }
}

fn wait<T: Send + 'static>(
    connection: &Connection,
    work: impl Future<Output = Result<T, ParkingError>> + Send + 'static,
) -> Outcome<T> {
    let what = "what is parked";
    connection.wait(work).or_exit(Exit::Unavailable, what)?.map_err(|error| {
        let exit = match &error {
            ParkingError::Unknown(_) => Exit::Usage,
            ParkingError::Stream { .. } | ParkingError::Queue(_) | ParkingError::Note(_) => {
                Exit::Unavailable
            }
        };
        Failure::Told { exit, error: anyhow::Error::new(error).context(what) }
    })
}

fn document(file: &std::path::Path) -> Outcome<Vec<u8>> {
    let Input { from, name } = Input::open(Some(file))?;
    let mut document = Vec::new();
    let read = from.take(MAX_DOCUMENT_BYTES).read_to_end(&mut document);
    read.or_exit(Exit::Usage, format_args!("{name} cannot be read"))?;
    Ok(document)
}

/// Puts one into the queue again. The type on its subject is what the document itself says: a
/// document that names none would only be parked again.
fn send(
    connection: &Connection,
    parking: Parking,
    number: u64,
    mended: Option<Vec<u8>>,
    sent_as: Option<ActorId>,
) -> Outcome {
    let asked = parking.clone();
    let one = wait(connection, async move { asked.one(number).await })?;
    let document = mended.unwrap_or_else(|| one.document.clone());
    let Named { name } = serde_json::from_slice(&document).or_exit(
        Exit::Usage,
        format_args!("the document of {number} is no command yet: mend it, and name the file"),
    )?;
    let own = || one.actor.parse::<ActorId>();
    let sent_as = sent_as.map_or_else(own, Ok).or_exit(Exit::Usage, "--as")?;
    let by = user::actor()?;
    wait(connection, async move {
        let deal = Deal::Send { sent_as: &sent_as, name: name.as_str(), document: &document };
        parking.settle(&one, &deal, &by).await
    })
}

fn row(one: &chl_bus_nats::Parked) -> Value {
    let document = String::from_utf8_lossy(&one.document).into_owned();
    json!({ "parked": one.sequence, "at": one.at, "actor": one.actor, "type": one.name,
        "code": one.code, "message": one.message, "document": document })
}

fn show<'a>(
    listed: impl Iterator<Item = &'a chl_bus_nats::Parked>,
    output: &mut Output,
) -> Outcome {
    let sheet = Sheet::new("", &["parked", "at", "actor", "type", "code", "message", "document"]);
    output.begin(&sheet)?;
    for one in listed {
        output.row(sheet.values(row(one)))?;
    }
    Ok(())
}

fn show_settled(listed: &[chl_bus_nats::Settled], output: &mut Output) -> Outcome {
    let columns = [
        "parked", "at", "done", "by", "reason", "sent_as", "actor", "type", "code", "message",
        "document",
    ];
    let sheet = Sheet::new("", &columns);
    output.begin(&sheet)?;
    for one in listed {
        let mut row = row(&one.parked);
        if let Value::Object(cells) = &mut row {
            cells.insert("done".into(), json!(one.done));
            cells.insert("by".into(), json!(one.by));
            cells.insert("reason".into(), json!(one.reason));
            cells.insert("sent_as".into(), json!(one.sent_as));
        }
        output.row(sheet.values(row))?;
    }
    Ok(())
}
