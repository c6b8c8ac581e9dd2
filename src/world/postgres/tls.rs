//! TLS to `PostgreSQL`: which roots are trusted, and how much is verified.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::model::input;
use crate::world::sql::SqlTarget;

/// Amazon's public roots for RDS; the file names its source.
const RDS_ROOTS: &[u8] = include_bytes!("rds-global-bundle.pem");
/// Bytes of a `ca_file`: a bundle of all public roots of the world has a quarter of it.
const CA_FILE_MAX: u64 = 1 << 20;

/// How sessions to a target are encrypted; `None`: not at all.
///
/// # Errors
/// A fragment: an unknown `sslmode`, or roots that cannot be read.
pub fn connector(target: &SqlTarget) -> Result<Option<MakeRustlsConnect>, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|why| format!("cannot set up TLS: {why}"))?;
    let config = match target.sslmode.as_str() {
        "disable" => return Ok(None),
        "require" => builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider))).with_no_client_auth(),
        "verify-full" => builder.with_root_certificates(roots(target)?).with_no_client_auth(),
        other => return Err(format!("sslmode `{other}` is none of disable, require, verify-full")),
    };
    Ok(Some(MakeRustlsConnect::new(config)))
}

/// The system's roots, those of `ca_file`, and Amazon's for its own hosts.
fn roots(target: &SqlTarget) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if is_rds(&target.host) {
        roots.add_parsable_certificates(pem("the built-in RDS roots", RDS_ROOTS)?);
    }
    if let Some(path) = &target.ca_file {
        let bad = |why: String| format!("cannot read ca_file {path}: {why}");
        let bytes = input::read(Path::new(path), CA_FILE_MAX).map_err(|why| bad(why.to_string()))?;
        for certificate in pem(path, &bytes)? {
            roots.add(certificate).map_err(|why| bad(why.to_string()))?;
        }
    }
    if roots.is_empty() {
        Err("there is no root certificate to verify the server with: set ca_file, or install ca-certificates".to_owned())
    } else {
        Ok(roots)
    }
}

fn is_rds(host: &str) -> bool {
    host.trim_end_matches('.').to_ascii_lowercase().ends_with(".rds.amazonaws.com")
}

fn pem(name: &str, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(bytes).collect::<Result<_, _>>().map_err(|why| format!("{name} is not PEM: {why}"))?;
    if found.is_empty() { Err(format!("{name} holds no certificate")) } else { Ok(found) }
}

/// `require`: encrypted, and the other side is whoever it is, as libpq has it. Signatures are still checked, so that the
/// session is at least with the holder of the certificate it showed.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, sslmode: &str, ca_file: Option<&str>) -> SqlTarget {
        SqlTarget {
            resource_id: "db-X".into(),
            host: host.into(),
            port: 5432,
            sslmode: sslmode.into(),
            ca_file: ca_file.map(Into::into),
            user: "u".into(),
            password: None,
            database: "d".into(),
        }
    }

    #[test]
    fn amazons_roots_are_all_readable_and_only_for_its_hosts() {
        let all = pem("bundle", RDS_ROOTS).unwrap();
        let mut store = RootCertStore::empty();
        let (added, ignored) = store.add_parsable_certificates(all.clone());
        assert_eq!((added, ignored), (all.len(), 0));
        assert!(all.len() > 50, "every region has several");
        assert!(is_rds("db.abc.ap-southeast-2.RDS.amazonaws.com."));
        assert!(!is_rds("rds.amazonaws.com.example.org"));
        assert!(roots(&target("db.abc.ap-southeast-2.rds.amazonaws.com", "verify-full", None)).unwrap().len() >= all.len());
    }

    #[test]
    fn sslmode_and_ca_file_are_checked_before_anything_is_sent() {
        assert!(connector(&target("h", "disable", None)).unwrap().is_none());
        assert!(connector(&target("h", "require", None)).unwrap().is_some());
        assert!(connector(&target("h", "prefer", None)).is_err_and(|why| why.contains("prefer")));
        assert!(connector(&target("h", "verify-full", Some("/nonexistent/ca.pem"))).is_err_and(|why| why.contains("/nonexistent/ca.pem")));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "no certificate").unwrap();
        assert!(connector(&target("h", "verify-full", path.to_str())).is_err_and(|why| why.contains("no certificate")));
    }
}
