//! The connection goes where the look-up said; the certificate must be for the name all the same.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;

use reqwest::Certificate;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/tls").join(name)
}

/// Answers one post with 200 and lets the thread go.
fn serve() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = CertificateDer::pem_file_iter(file("server.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
    thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(config.into()).unwrap(), tcp);
        let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
        while !request.ends_with(body().as_bytes()) {
            let Ok(read @ 1..) = stream.read(&mut buffer) else { return };
            request.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(&reply(200, "Connection: close\r\n", "")).unwrap();
    });
    port
}

async fn outcome_at(host: &str, is_trusted: bool) -> Outcome {
    let port = serve();
    let poster = Poster::new(&settings(port), Names::new(&[&["127.0.0.1"]]));
    if is_trusted {
        let authority = Certificate::from_pem(&std::fs::read(file("authority.pem")).unwrap()).unwrap();
        let client = poster.builder().tls_certs_only([authority]).build().unwrap();
        poster.client.set(Some(client)).unwrap();
    }
    post_to(&poster, &format!("https://{host}:{port}/"), NOW).await.outcome
}

#[tokio::test]
async fn the_certificate_must_be_for_the_name_and_trusted() {
    assert_eq!(outcome_at("hooks.example", true).await, Outcome::Delivered { status: 200 });
    assert_eq!(outcome_at("other.example", true).await, Outcome::Unreachable(Unreachable::Tls));
    assert_eq!(outcome_at("hooks.example", false).await, Outcome::Unreachable(Unreachable::Tls));
}

#[tokio::test]
async fn a_receiver_without_tls_is_told_apart() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.accept().unwrap().0.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap());
    let poster = Poster::new(&settings(port), Names::new(&[&["127.0.0.1"]]));
    let report = post_to(&poster, &format!("https://hooks.example:{port}/"), NOW).await;
    assert_eq!(report.outcome, Outcome::Unreachable(Unreachable::Tls));
}
