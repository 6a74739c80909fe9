//! Somebody who listens for delivery reports.

use data_encoding::BASE64;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A report as it came.
pub(super) struct Report {
    /// What `X-OTP-Signature` says.
    pub(super) signature: String,
    /// Byte by byte.
    pub(super) body: Vec<u8>,
}

/// A receiver on a free port of the loopback.
pub(super) struct Reports(TcpListener);

impl Reports {
    pub(super) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(super) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/reports", self.port())
    }

    /// Takes the next report.
    pub(super) async fn next(&mut self) -> Report {
        let (line, _) = self.0.accept().await.unwrap();
        read(BufReader::new(line)).await
    }
}

async fn read(mut line: BufReader<TcpStream>) -> Report {
    let (mut signature, mut length) = (String::new(), 0);
    loop {
        let mut header = String::new();
        line.read_line(&mut header).await.unwrap();
        let header = header.trim_end();
        if header.is_empty() {
            break;
        }
        match header.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("x-otp-signature") => value.clone_into(&mut signature),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
            Some(_) | None => {}
        }
    }
    let mut body = vec![0; length];
    line.read_exact(&mut body).await.unwrap();
    line.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    Report { signature, body }
}

/// What a receiver works out for itself.
pub(super) fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    BASE64.encode(&mac.finalize().into_bytes())
}
