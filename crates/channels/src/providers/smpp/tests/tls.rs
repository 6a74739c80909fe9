//! The protected way in, against a centre with a certificate of a private authority.

use std::path::PathBuf;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::*;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/tls").join(name)
}

/// Takes one connection, answers a bind and a message, and tells how many bytes it was told.
async fn serve() -> (u16, JoinHandle<usize>) {
    crate::tls::install_crypto();
    let certificates = CertificateDer::pem_file_iter(file("server.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else { return 0 };
        let mut told = 0;
        let mut buffer = vec![0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            told += read;
            let word = |at: usize| u32::from_be_bytes(buffer[at..at + 4].try_into().unwrap());
            let answer = pdu(0x8000_0000 | word(4), 0, word(12), b"id\0");
            stream.write_all(&answer).await.unwrap();
        }
        told
    });
    (port, task)
}

fn protected(port: u16, authority: &str) -> Config {
    Config { host: "localhost".to_owned(), tls: Tls::Implicit, ca_file: Some(file(authority)), ..config(port) }
}

#[tokio::test]
async fn a_message_goes_over_a_protected_line_to_a_centre_of_a_private_authority() {
    let (port, centre) = serve().await;
    let provider = provider(&protected(port, "authority.pem"));
    assert_eq!(provider.send(&sms()).await, TryOutcome::Accepted { provider_id: Some("id".to_owned()) });
    drop(provider);
    assert!(centre.await.unwrap() > 100);
}

#[tokio::test]
async fn a_centre_that_nobody_vouches_for_gets_nothing() {
    let (port, centre) = serve().await;
    let stranger = provider(&protected(port, "stranger.pem"));
    assert_eq!(stranger.send(&sms()).await, TryOutcome::Unreachable(Diagnostic::Note("TLS failed")));
    assert_eq!(centre.await.unwrap(), 0);
    let (port, centre) = serve().await;
    let address = format!("localhost:{port}");
    assert_eq!(provider(&protected(port, "stranger.pem")).check().await, Err(CheckError::Tls { address }));
    assert_eq!(centre.await.unwrap(), 0);
}
