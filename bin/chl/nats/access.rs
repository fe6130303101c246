//! How the servers are reached, as options of a call.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
};
use chl_log_nats::{Access, Connection, Login, Tls};
use std::path::PathBuf;

/// What this program is called in the servers' lists and logs.
const NAME: &str = "chl";

/// As whom the servers are reached, and how the connection is encrypted.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Reach {
    /// The user's name at the servers; the password comes from CHL_NATS_PASSWORD.
    #[arg(long, value_name = "USER", env = "CHL_NATS_USER", conflicts_with_all = ["nats_nkey", "nats_creds"])]
    nats_user: Option<String>,
    /// A file with the seed of an nkey.
    #[arg(long, value_name = "FILE", env = "CHL_NATS_NKEY", conflicts_with = "nats_creds")]
    nats_nkey: Option<PathBuf>,
    /// A credentials file: a JWT and its seed.
    #[arg(long, value_name = "FILE", env = "CHL_NATS_CREDS")]
    nats_creds: Option<PathBuf>,
    /// Certificates to trust beside the system's; refuses servers that do not encrypt.
    #[arg(long, value_name = "FILE", env = "CHL_NATS_CA")]
    nats_ca: Option<PathBuf>,
    /// This program's own certificate.
    #[arg(long, value_name = "FILE", env = "CHL_NATS_CERT", requires = "nats_key")]
    nats_cert: Option<PathBuf>,
    /// The key of that certificate.
    #[arg(long, value_name = "FILE", env = "CHL_NATS_KEY", requires = "nats_cert")]
    nats_key: Option<PathBuf>,
}

impl Reach {
    /// Connects to servers, separated by commas.
    pub(crate) fn connect(&self, servers: &str) -> Outcome<Connection> {
        let access = self.access(servers)?;
        Connection::open(&access).or_exit(Exit::Unavailable, "NATS cannot be reached")
    }

    fn access(&self, servers: &str) -> Outcome<Access> {
        let servers: Vec<String> = servers.split(',').map(|one| one.trim().to_owned()).collect();
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
