//! How servers are reached: where they are, as whom, how the connection is encrypted, and why they
//! let somebody not in.

use crate::version::TooOld;
use async_nats::{ConnectErrorKind, ConnectOptions, ServerError, rustls};
use rustls::{
    AlertDescription,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{
    error::Error,
    fmt, fs, io,
    iter::successors,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where the servers are, and as whom to connect.
#[derive(Debug, Clone)]
pub struct Access {
    /// Their addresses: `nats://HOST:PORT` or `tls://HOST:PORT`; more are learnt from them.
    pub servers: Vec<String>,
    /// What the servers call this client in their lists and logs.
    pub name: String,
    /// As whom.
    pub login: Login,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// What the subjects begin with on which answers come, where permissions name it; none for
    /// `_INBOX`.
    pub inbox: Option<String>,
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
}

/// As whom to connect.
#[derive(Clone)]
pub enum Login {
    /// Without a name; the servers know what they let nobody do.
    Nobody,
    /// With a user's name and password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// With a word that all clients share.
    Token {
        /// The file that holds it.
        file: PathBuf,
    },
    /// With the seed of an nkey.
    Nkey {
        /// The file that holds the seed.
        seed: PathBuf,
    },
    /// With a credentials file: a JWT and its seed.
    Credentials {
        /// The file.
        file: PathBuf,
    },
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("Nobody"),
            Self::Password { user, .. } => write!(f, "Password({user})"),
            Self::Token { file } => write!(f, "Token({})", file.display()),
            Self::Nkey { seed } => write!(f, "Nkey({})", seed.display()),
            Self::Credentials { file } => write!(f, "Credentials({})", file.display()),
        }
    }
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Refuses servers that do not encrypt.
    pub required: bool,
    /// The authorities to trust, instead of the system's.
    pub roots: Option<PathBuf>,
    /// The client's own certificate and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// Says why the servers were not reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A file of keys or certificates could not be read as such.
    #[error("{}: {source}", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// Inboxes cannot begin so.
    #[error("inboxes cannot begin with {0:?}")]
    Inbox(String),
    /// The threads that talk to the servers could not be started.
    #[error("the connection's threads could not be started: {0}")]
    Threads(#[source] io::Error),
    /// The servers do not know this client, or not by this secret.
    #[error("{servers}: {source}")]
    NotLetIn {
        /// The servers asked.
        servers: String,
        /// What they said.
        source: async_nats::ConnectError,
    },
    /// The servers' certificate is vouched for by nobody who is trusted, or is another host's.
    #[error("{servers}: {source}")]
    Distrusted {
        /// The servers asked.
        servers: String,
        /// What is wrong with the certificate.
        source: async_nats::ConnectError,
    },
    /// The servers want a certificate of the client's, or another one.
    #[error("{servers}: {source}")]
    OwnCertificate {
        /// The servers asked.
        servers: String,
        /// What they, or the TLS library, said.
        source: async_nats::ConnectError,
    },
    /// The servers do not encrypt, and were asked to.
    #[error("{servers}: {source}")]
    Unencrypted {
        /// The servers asked.
        servers: String,
        /// What came instead of a certificate.
        source: async_nats::ConnectError,
    },
    /// No server answered.
    #[error("{servers}: {source}")]
    Connect {
        /// The servers asked.
        servers: String,
        /// What failed.
        source: async_nats::ConnectError,
    },
    /// A server is older than what holds its promises.
    #[error(transparent)]
    TooOld(#[from] TooOld),
    /// The connection was closed while something waited for it.
    #[error("the connection is closed")]
    Closed,
}

impl Access {
    /// Reaches servers as nobody in particular, without encryption.
    pub fn new(servers: Vec<String>, name: &str) -> Self {
        Self {
            servers,
            name: name.to_owned(),
            login: Login::Nobody,
            tls: Tls::default(),
            inbox: None,
            connect_timeout: Duration::from_secs(5),
        }
    }

    /// The same for the client, with the secrets read from their files.
    pub(crate) fn options(&self) -> Result<ConnectOptions, ConnectError> {
        let options = match &self.login {
            Login::Nobody => ConnectOptions::new(),
            Login::Password { user, password } => {
                ConnectOptions::with_user_and_password(user.clone(), password.clone())
            }
            Login::Token { file } => ConnectOptions::with_token(secret(file)?),
            Login::Nkey { seed } => ConnectOptions::with_nkey(secret(seed)?),
            Login::Credentials { file } => {
                ConnectOptions::with_credentials(&text(file)?).map_err(of_file(file))?
            }
        };
        let mut options = options
            .name(&self.name)
            .connection_timeout(self.connect_timeout)
            .require_tls(self.tls.required);
        if let Some(inbox) = &self.inbox {
            let wrong = |c: char| c.is_whitespace() || matches!(c, '*' | '>');
            if inbox.contains(wrong) || inbox.split('.').any(str::is_empty) {
                return Err(ConnectError::Inbox(inbox.clone()));
            }
            options = options.custom_inbox_prefix(inbox);
        }
        if let Some(roots) = &self.tls.roots {
            certificates(roots)?;
            options = options.add_root_certificates(roots.clone());
        }
        if let Some((certificate, key)) = &self.tls.client {
            certificates(certificate)?;
            secret(key)?;
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        Ok(options)
    }

    /// Why the servers were not reached: what an operator mends in different places is told apart.
    pub(crate) fn unreached(&self, source: async_nats::ConnectError) -> ConnectError {
        let servers = self.servers.join(", ");
        match source.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                return ConnectError::NotLetIn { servers, source };
            }
            // An expired login is told as any other error.
            ConnectErrorKind::Io if causes(&source).any(|cause| cause.is::<ServerError>()) => {
                return ConnectError::NotLetIn { servers, source };
            }
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Dns
            | ConnectErrorKind::TimedOut
            | ConnectErrorKind::Tls
            | ConnectErrorKind::Io
            | ConnectErrorKind::MaxReconnects => {}
        }
        match encryption(&source) {
            Some(rustls::Error::InvalidCertificate(_)) => {
                ConnectError::Distrusted { servers, source }
            }
            Some(rustls::Error::InvalidMessage(_)) => ConnectError::Unencrypted { servers, source },
            Some(rustls::Error::AlertReceived(alert)) if about_certificate(*alert) => {
                ConnectError::OwnCertificate { servers, source }
            }
            // The one setting of the client's that only the TLS library can judge.
            None if source.kind() == ConnectErrorKind::Tls && self.tls.client.is_some() => {
                ConnectError::OwnCertificate { servers, source }
            }
            _ => ConnectError::Connect { servers, source },
        }
    }
}

fn of_file(path: &Path) -> impl FnOnce(io::Error) -> ConnectError + '_ {
    |source| ConnectError::Keys { path: path.to_owned(), source }
}

fn text(path: &Path) -> Result<String, ConnectError> {
    fs::read_to_string(path).map_err(of_file(path))
}

/// What a file of one secret holds.
fn secret(path: &Path) -> Result<String, ConnectError> {
    let text = text(path)?;
    let secret = text.trim();
    if secret.is_empty() {
        return Err(of_file(path)(io::Error::other("it is empty")));
    }
    Ok(secret.to_owned())
}

/// Requires a file to hold certificates: one that holds none would be passed over in silence.
fn certificates(path: &Path) -> Result<(), ConnectError> {
    let pem = fs::read(path).map_err(of_file(path))?;
    let none = || io::Error::other("it holds no certificate");
    let first = CertificateDer::pem_slice_iter(&pem).next().and_then(Result::ok);
    first.map(drop).ok_or_else(none).map_err(of_file(path))
}

/// An error and what led to it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&cause| {
        // What an I/O error wraps is not its source, but is it.
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| cause.source())
    })
}

fn encryption(error: &async_nats::ConnectError) -> Option<&rustls::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// Whether a server complains of the client's certificate, or of having none.
fn about_certificate(alert: AlertDescription) -> bool {
    [
        AlertDescription::NoCertificate,
        AlertDescription::BadCertificate,
        AlertDescription::UnsupportedCertificate,
        AlertDescription::CertificateRevoked,
        AlertDescription::CertificateExpired,
        AlertDescription::CertificateUnknown,
        AlertDescription::UnknownCA,
        AlertDescription::CertificateRequired,
    ]
    .contains(&alert)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_that_is_no_subject_is_an_error() {
        for (prefix, right) in [
            ("_INBOX.ops", true),
            ("_INBOX.", false),
            ("", false),
            ("_INBOX.*", false),
            ("a b", false),
        ] {
            let access = Access { inbox: Some(prefix.into()), ..Access::new(Vec::new(), "a test") };
            assert_eq!(access.options().is_ok(), right, "{prefix:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let login = Login::Password { user: "vendor".into(), password: "secret".into() };
        assert_eq!(format!("{login:?}"), "Password(vendor)");
    }
}
