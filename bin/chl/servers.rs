//! The servers a ledger lives on, as options of every call.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
};
use chl_events::Code;
use chl_log_nats::{Access, ConnectError, Connection, Login, Tls};
use std::path::{Path, PathBuf};

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

/// As whom the servers are reached, and how the connection is encrypted. A secret is never an
/// option: everybody on the machine sees those.
#[derive(Debug, Clone, clap::Args)]
struct Reach {
    /// The user's name at the servers; the password comes from CHL_NATS_PASSWORD, or from the file
    /// of --nats-password-file.
    #[arg(long, value_name = "USER", global = true, env = "CHL_NATS_USER", conflicts_with_all = ["nats_token_file", "nats_nkey", "nats_creds"], help_heading = HEADING)]
    nats_user: Option<String>,
    /// A file with that user's password.
    #[arg(long, value_name = "FILE", global = true, env = "CHL_NATS_PASSWORD_FILE", requires = "nats_user", help_heading = HEADING)]
    nats_password_file: Option<PathBuf>,
    /// A file with the token that all clients of the servers share.
    #[arg(long, value_name = "FILE", global = true, env = "CHL_NATS_TOKEN_FILE", conflicts_with_all = ["nats_nkey", "nats_creds"], help_heading = HEADING)]
    nats_token_file: Option<PathBuf>,
    /// A file with the seed of an nkey.
    #[arg(long, value_name = "FILE", global = true, env = "CHL_NATS_NKEY", conflicts_with = "nats_creds", help_heading = HEADING)]
    nats_nkey: Option<PathBuf>,
    /// A credentials file: a JWT and its seed.
    #[arg(long, value_name = "FILE", global = true, env = "CHL_NATS_CREDS", help_heading = HEADING)]
    nats_creds: Option<PathBuf>,
    /// What the subjects begin with on which answers come, where the servers permit no others;
    /// without it _INBOX.USER for --nats-user USER, else _INBOX.
    #[arg(long, value_name = "PREFIX", global = true, env = "CHL_NATS_INBOX", help_heading = HEADING)]
    nats_inbox: Option<String>,
    /// The authorities whose certificates to trust instead of the system's; refuses servers that
    /// do not encrypt.
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
        Connection::open(&access).map_err(|error| self.reach.unreached(error))
    }
}

impl Reach {
    fn access(&self, urls: &str) -> Outcome<Access> {
        let servers: Vec<String> = urls.split(',').map(|one| one.trim().to_owned()).collect();
        if servers.iter().any(|server| server.contains('@')) {
            return Err(Failure::usage(
                "an address names no user: everybody on the machine would see the password; \
                 --nats-user says who, and CHL_NATS_PASSWORD or --nats-password-file the password",
            ));
        }
        let tls = Tls {
            required: self.nats_ca.is_some() || self.nats_cert.is_some(),
            roots: self.nats_ca.clone(),
            client: self.nats_cert.clone().zip(self.nats_key.clone()),
        };
        let inbox = self.inbox()?;
        Ok(Access { login: self.login()?, tls, inbox, ..Access::new(servers, NAME) })
    }

    /// The prefix of inboxes; the ledger answers to none but what begins with `_INBOX.`.
    fn inbox(&self) -> Outcome<Option<String>> {
        match &self.nats_inbox {
            Some(prefix) if prefix.starts_with("_INBOX.") => Ok(Some(prefix.clone())),
            Some(prefix) => Err(Failure::usage(format_args!(
                "--nats-inbox {prefix:?} is no prefix such as _INBOX.svc-portal"
            ))),
            None => {
                let named = self.nats_user.as_deref().filter(|user| Code::new(user).is_ok());
                Ok(named.map(|user| format!("_INBOX.{user}")))
            }
        }
    }

    fn login(&self) -> Outcome<Login> {
        if let Some(user) = &self.nats_user {
            return Ok(Login::Password { user: user.clone(), password: self.password()? });
        }
        if let Some(file) = self.nats_token_file.clone() {
            return Ok(Login::Token { file });
        }
        if let Some(seed) = self.nats_nkey.clone() {
            return Ok(Login::Nkey { seed });
        }
        let file = self.nats_creds.clone();
        Ok(file.map_or(Login::Nobody, |file| Login::Credentials { file }))
    }

    fn password(&self) -> Outcome<String> {
        let Some(file) = &self.nats_password_file else {
            let unset = |_| {
                Failure::usage(
                    "--nats-user needs a password in CHL_NATS_PASSWORD or --nats-password-file",
                )
            };
            return std::env::var("CHL_NATS_PASSWORD").map_err(unset);
        };
        let unread = format_args!("--nats-password-file {}", file.display()).to_string();
        let text = std::fs::read_to_string(file).or_exit(Exit::Usage, unread)?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Why the servers were not reached, and which option to look at.
    fn unreached(&self, error: ConnectError) -> Failure {
        let exit = match &error {
            ConnectError::Keys { .. } | ConnectError::Inbox(_) => Exit::Usage,
            ConnectError::NotLetIn { .. }
            | ConnectError::Distrusted { .. }
            | ConnectError::OwnCertificate { .. }
            | ConnectError::Unencrypted { .. }
            | ConnectError::Connect { .. }
            | ConnectError::TooOld(_)
            | ConnectError::Threads(_)
            | ConnectError::Closed => Exit::Unavailable,
        };
        let what = self.advice(&error);
        Failure::Told { exit, error: anyhow::Error::new(error).context(what) }
    }

    fn advice(&self, error: &ConnectError) -> String {
        match error {
            ConnectError::Keys { path, .. } => {
                format!("{} cannot be used", self.option_of(path).unwrap_or("a file"))
            }
            ConnectError::Inbox(_) => "--nats-inbox".into(),
            ConnectError::NotLetIn { .. } => self.not_let_in(),
            ConnectError::Distrusted { .. } => match &self.nats_ca {
                Some(file) => {
                    format!("--nats-ca {} does not vouch for the servers", file.display())
                }
                None => "nobody this machine trusts vouches for the servers; --nats-ca names who \
                         does"
                    .into(),
            },
            ConnectError::OwnCertificate { .. } => match &self.nats_cert {
                Some(file) => format!(
                    "the servers do not take --nats-cert {} with its --nats-key",
                    file.display()
                ),
                None => "the servers want a certificate: --nats-cert and --nats-key".into(),
            },
            ConnectError::Unencrypted { .. } => {
                "--nats-ca or --nats-cert asks for encryption, and the servers have none".into()
            }
            ConnectError::Connect { .. }
            | ConnectError::TooOld(_)
            | ConnectError::Threads(_)
            | ConnectError::Closed => "NATS cannot be reached".into(),
        }
    }

    fn not_let_in(&self) -> String {
        if let Some(user) = &self.nats_user {
            let secret = self.nats_password_file.as_ref().map_or_else(
                || "CHL_NATS_PASSWORD".to_owned(),
                |file| format!("--nats-password-file {}", file.display()),
            );
            return format!("the servers do not let --nats-user {user} in with {secret}");
        }
        let files = [&self.nats_token_file, &self.nats_nkey, &self.nats_creds, &self.nats_cert];
        match files.into_iter().flatten().next() {
            Some(file) => format!(
                "the servers do not let {} {} in",
                self.option_of(file).unwrap_or_default(),
                file.display()
            ),
            None => "the servers want to know who this is: --nats-user, --nats-token-file, \
                     --nats-nkey, --nats-creds, or --nats-cert"
                .into(),
        }
    }

    /// The option that names a file.
    fn option_of(&self, path: &Path) -> Option<&'static str> {
        let files = [
            (&self.nats_token_file, "--nats-token-file"),
            (&self.nats_nkey, "--nats-nkey"),
            (&self.nats_creds, "--nats-creds"),
            (&self.nats_ca, "--nats-ca"),
            (&self.nats_cert, "--nats-cert"),
            (&self.nats_key, "--nats-key"),
        ];
        let named = files.into_iter().find(|(file, _)| file.as_deref() == Some(path));
        named.map(|(_, option)| option)
    }
}
