//! The protected ways in, against a server with a certificate of a private authority.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Act, CheckError, Config, Tls, config, email, polite, provider};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/tls").join(name)
}

fn server_config() -> Arc<ServerConfig> {
    crate::tls::install_crypto();
    let certificates = CertificateDer::pem_file_iter(file("server.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap())
}

/// Serves one connection and tells what was said on it after TLS began.
fn serve(starttls: bool) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = spawn_blocking(move || {
        let (mut stream, _) = listener.accept().unwrap();
        if starttls {
            before_tls(&mut stream);
        }
        let connection = ServerConnection::new(server_config()).unwrap();
        talk(StreamOwned::new(connection, stream), !starttls)
    });
    (port, task)
}

fn before_tls(stream: &mut TcpStream) {
    stream.write_all(b"220 mail.test ESMTP\r\n").unwrap();
    for reply in ["250-mail.test\r\n250 STARTTLS\r\n", "220 go ahead\r\n"] {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        stream.write_all(reply.as_bytes()).unwrap();
    }
}

fn talk(stream: impl Read + Write, greets: bool) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut said = Vec::new();
    if greets && stream.get_mut().write_all(b"220 mail.test ESMTP\r\n").is_err() {
        return said;
    }
    let (mut line, mut in_content) = (String::new(), false);
    while stream.read_line(&mut line).is_ok_and(|read| read > 0) {
        let words = line.trim_end().to_owned();
        line.clear();
        if in_content && words != "." {
            continue;
        }
        let Act::Say(reply) = polite(0, &words) else { return said };
        in_content = reply.starts_with("354");
        said.push(words);
        if stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).is_err() {
            return said;
        }
    }
    said
}

fn protected(port: u16, tls: Tls, authority: &str) -> Config {
    Config { host: "localhost".to_owned(), tls, ca_file: Some(file(authority)), ..config(port) }
}

#[tokio::test]
async fn a_mail_goes_over_a_protected_line_to_a_server_of_a_private_authority() {
    for (tls, starttls) in [(Tls::Starttls, true), (Tls::Implicit, false)] {
        let (port, server) = serve(starttls);
        let provider = provider(&protected(port, tls, "authority.pem"));
        assert_eq!(provider.send(&email()).await.label(), "accepted", "{tls:?}");
        drop(provider);
        let said = server.await.unwrap();
        assert!(said.iter().any(|line| line == "RCPT TO:<ann@example.com>"), "{said:?}");
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_nothing() {
    for (tls, starttls) in [(Tls::Starttls, true), (Tls::Implicit, false)] {
        let (port, server) = serve(starttls);
        let stranger = provider(&protected(port, tls, "stranger.pem"));
        assert_eq!(stranger.send(&email()).await.label(), "unreachable", "{tls:?}");
        assert_eq!(server.await.unwrap(), Vec::<String>::new());

        let (port, server) = serve(starttls);
        let address = format!("localhost:{port}");
        let stranger = provider(&protected(port, tls, "stranger.pem"));
        assert_eq!(stranger.check().await, Err(CheckError::Tls { address }));
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing_in_the_clear() {
    let server = super::Server::start(polite).await;
    let provider = provider(&Config { tls: Tls::Starttls, ..config(server.port) });
    assert_eq!(provider.send(&email()).await.label(), "misconfigured");
    let address = format!("127.0.0.1:{}", server.port);
    assert_eq!(provider.check().await, Err(CheckError::Unsupported { address, what: "STARTTLS" }));
    assert_eq!((server.said("MAIL"), server.said("AUTH")), (0, 0));
}
