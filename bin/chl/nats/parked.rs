//! `chl parked`: what came through the queue and is no command.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    output::{Output, Sheet, Sink},
    place::Place,
    servers::Servers,
};
use chl_bus_nats::parked;
use chl_events::Code;
use serde_json::json;

/// Lists what was published to the queue and is no command, with the reason.
///
/// Nothing of it is lost, and nothing of it holds up the queue: mend the sender, and send what was
/// meant under an id of its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Parked {
    /// The servers of the bus, where the ledger itself is embedded.
    #[arg(long, value_name = "URL", env = "CHL_BUS")]
    bus: Option<String>,
}

impl Parked {
    /// Lists it, the oldest first.
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
        let client = connection.client();
        let unread = "what is parked cannot be read";
        let listing = async move { parked(&client, &ledger).await };
        let listed = connection.wait(listing).or_exit(Exit::Unavailable, unread)?;
        let sheet =
            Sheet::new("", &["parked", "at", "actor", "type", "code", "message", "document"]);
        output.begin(&sheet)?;
        for one in listed.or_exit(Exit::Unavailable, unread)? {
            let document = String::from_utf8_lossy(&one.document).into_owned();
            output.row(sheet.values(json!({
                "parked": one.sequence, "at": one.at, "actor": one.actor, "type": one.name,
                "code": one.code, "message": one.message, "document": document,
            })))?;
        }
        output.end()?;
        Ok(Exit::Success)
    }
}
