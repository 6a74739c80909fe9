//! HTTP/1.1 by hand, as far as doubles need it.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;

/// A request as it came over the line.
#[derive(Debug, Clone)]
pub(crate) struct RawRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Reads one request; none when the line ends before one begins.
pub(crate) async fn read_request(line: &mut BufReader<TcpStream>) -> io::Result<Option<RawRequest>> {
    let mut first = String::new();
    if line.read_line(&mut first).await? == 0 {
        return Ok(None);
    }
    let mut words = first.split_ascii_whitespace();
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        line.read_line(&mut header).await?;
        let header = header.trim_end();
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(Ok(0), |(_, value)| value.parse::<usize>()).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut body = vec![0; length];
    line.read_exact(&mut body).await?;
    Ok(Some(RawRequest { method, path, headers, body }))
}
