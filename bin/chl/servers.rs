//! The servers a ledger lives on, as options of every call.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
};
use chl_log_nats::{Access, Connection, Login, Tls};
use std::path::PathBuf;

/// What this program is called in the servers' lists and logs.
const NAME: &str = "chl";

/// Where the ledger lives when it is not embedded, and how the servers are reached.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Servers {
    /// The ledger lives on these servers (nats://HOST:PORT, separated by commas), as a stream.
    #[arg(long, value_name = "URL", global = true, env = "CHL_NATS", help_heading = HEADING)]
    pub(crate) nats: Option<String>,
    /// How many servers keep the stream.
    #[arg(long, value_name = "N", global = true, default_value_t = 1, env = "CHL_NATS_REPLICAS", help_heading = HEADING)]
    pub(crate) nats_replicas: usize,
    /// Where the servers show how they are (http://HOST:PORT, separated by commas): whether they
    /// sync what they acknowledge is read there.
    #[arg(long, value_name = "URL", global = true, value_delimiter = ',', env = "CHL_NATS_MONITOR", help_heading = HEADING)]
    pub(crate) nats_monitor: Vec<String>,
    /// Takes servers that may acknowledge what is not on disk yet.
    #[arg(long, global = true, help_heading = HEADING)]
    pub(crate) accept_unsynced: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Under which heading these options stand in the help.
const HEADING: &str = "NATS";

/// As whom the servers are reached, and how the connection is encrypted.
#[derive(Debug, Clone, clap::Args)]
struct Reach {
    /// The user's name at the servers; the password comes from CHL_NATS_PASSWORD.
    #[arg(long, value_name = "USER", global = true, env = "CHL_NATS_USER", conflicts_with_all = ["nats_nkey", "nats_creds"], help_heading = HEADING)]
    nats_user: Option<String>,
    /// A file with the seed of an nkey.
    #[arg(long, value_name = "FILE", global = true, env = "CHL_NATS_NKEY", conflicts_with = "nats_creds", help_heading = HEADING)]
    nats_nkey: Option<PathBuf>,
    /// A credentials file: a JWT and its seed.
    #[arg(long, value_name = "FILE", global = true, env = "CHL_NATS_CREDS", help_heading = HEADING)]
    nats_creds: Option<PathBuf>,
    /// Certificates to trust beside the system's; refuses servers that do not encrypt.
    #[arg(long, value_name = "FILE", global = true, env = "CHL_NATS_CA", help_heading = HEADING)]
    nats_ca: Option<PathBuf>,
    /// This program's own certificate.
    #[arg(long, value_name = "FILE", global = true, env = "CHL_NATS_CERT", requires = "nats_key", help_heading = HEADING)]
    nats_cert: Option<PathBuf>,
    /// The key of that certificate.
    #[arg(long, value_name = "FILE", global = true, env = "CHL_NATS_KEY", requires = "nats_cert", help_heading = HEADING)]
    nats_key: Option<PathBuf>,
}

impl Servers {
    /// Connects to the servers the ledger lives on.
    pub(crate) fn connect_home(&self) -> Outcome<Connection> {
        self.connect(self.nats.as_deref().unwrap_or_default())
    }

    /// Connects to servers, separated by commas.
    pub(crate) fn connect(&self, urls: &str) -> Outcome<Connection> {
        let access = self.reach.access(urls)?;
        Connection::open(&access).or_exit(Exit::Unavailable, "NATS cannot be reached")
    }
}

impl Reach {
    fn access(&self, urls: &str) -> Outcome<Access> {
        let servers: Vec<String> = urls.split(',').map(|one| one.trim().to_owned()).collect();
        let login = match (&self.nats_user, &self.nats_nkey, &self.nats_creds) {
            (Some(user), _, _) => Login::Password { user: user.clone(), password: password()? },
            (None, Some(seed), _) => Login::Nkey { seed: seed.clone() },
            (None, None, Some(file)) => Login::Credentials { file: file.clone() },
            (None, None, None) => Login::Nobody,
        };
        let tls = Tls {
            required: self.nats_ca.is_some() || self.nats_cert.is_some(),
            roots: self.nats_ca.clone(),
            client: self.nats_cert.clone().zip(self.nats_key.clone()),
        };
        Ok(Access { login, tls, ..Access::new(servers, NAME) })
    }
}

/// Never an option: those are seen by everybody on the machine.
fn password() -> Outcome<String> {
    let unset = |_| Failure::usage("--nats-user needs a password in CHL_NATS_PASSWORD");
    std::env::var("CHL_NATS_PASSWORD").map_err(unset)
}
