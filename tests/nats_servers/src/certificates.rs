//! Certificates for a test: an authority of its own, and what it signs, as files.

use crate::server::ServerError;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// An authority that nobody knows but who is told to trust it.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    dir: PathBuf,
}

/// A certificate and its key, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

fn failed(error: rcgen::Error) -> ServerError {
    ServerError::io("making a certificate")(io::Error::other(error))
}

impl Authority {
    /// Makes one, with its own certificate as `NAME.pem` in a folder.
    pub fn new(dir: &Path, name: &str) -> Result<Self, ServerError> {
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let own = params.self_signed(&key).map_err(failed)?;
        write(&dir.join(format!("{name}.pem")), &own.pem())?;
        Ok(Self { issuer: Issuer::new(params, key), dir: dir.to_owned() })
    }

    /// Signs a certificate for a name and the hosts it stands for, as `NAME.pem` and `NAME.key`.
    pub fn certify(&self, name: &str, hosts: &[&str]) -> Result<Certified, ServerError> {
        let key = KeyPair::generate().map_err(failed)?;
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let mut params = CertificateParams::new(hosts).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let signed = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let path = |ending: &str| self.dir.join(format!("{name}.{ending}"));
        let certified = Certified { certificate: path("pem"), key: path("key") };
        write(&certified.certificate, &signed.pem())?;
        write(&certified.key, &key.serialize_pem())?;
        Ok(certified)
    }
}

fn write(path: &Path, text: &str) -> Result<(), ServerError> {
    fs::write(path, text).map_err(ServerError::io(path.display().to_string()))
}
