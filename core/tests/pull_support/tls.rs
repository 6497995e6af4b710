//! Certificates of the tests' own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A root that nobody else trusts, in a PEM file, and a server with a certificate of it for this machine
/// and `mirror.example`.
pub fn authority(folder: &Path) -> (PathBuf, Arc<rustls::ServerConfig>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut root = rcgen::CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    root.distinguished_name.push(rcgen::DnType::CommonName, "a root of the tests");
    let certificate = root.self_signed(&key).unwrap();
    let path = folder.join("root.pem");
    std::fs::write(&path, certificate.pem()).unwrap();

    let issuer = rcgen::Issuer::new(root, key);
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "mirror.example".to_owned()];
    let own_key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(names).unwrap().signed_by(&own_key, &issuer).unwrap();
    let chain = vec![CertificateDer::from(own.der().to_vec())];
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (path, Arc::new(builder.with_no_client_auth().with_single_cert(chain, private).unwrap()))
}
