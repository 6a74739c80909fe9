//! The server's side of SMTP (RFC 5321, with PIPELINING, 8BITMIME, SMTPUTF8 and AUTH PLAIN), as far as a sink needs it.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::mail_sink::{Act, Mail, Shared};

/// One transaction under way.
struct Transaction {
    act: Act,
    mail: Mail,
}

/// Serves one line to its end.
pub(crate) async fn serve(line: TcpStream, shared: Arc<Shared>) {
    // A client that goes away in the middle is no concern of the server's.
    let _ = converse(BufReader::new(line), &shared).await;
}

async fn converse(mut line: BufReader<TcpStream>, shared: &Shared) -> io::Result<()> {
    say(&mut line, "220 sink.example.com ESMTP").await?;
    let mut transaction: Option<Transaction> = None;
    while let Some(command) = hear(&mut line).await? {
        let command = String::from_utf8_lossy(&command).into_owned();
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let reply = match (verb.as_str(), &mut transaction) {
            ("EHLO", _) => "250-sink.example.com\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN",
            ("HELO", _) => "250 sink.example.com",
            ("AUTH", _) => "235 2.7.0 welcome",
            ("NOOP", _) => "250 2.0.0 ok",
            ("RSET", open) => {
                *open = None;
                "250 2.0.0 forgotten"
            }
            ("QUIT", _) => {
                say(&mut line, "221 2.0.0 bye").await?;
                return line.get_mut().shutdown().await;
            }
            ("MAIL", open @ None) => {
                let mail = Mail { from: path(&command), to: Vec::new(), data: Vec::new() };
                *open = Some(Transaction { act: shared.begin(), mail });
                "250 2.1.0 ok"
            }
            ("RCPT", Some(Transaction { act: Act::RefuseRecipient(reply), .. })) => reply,
            ("RCPT", Some(open)) => {
                open.mail.to.push(path(&command));
                "250 2.1.5 ok"
            }
            ("DATA", Some(Transaction { mail, .. })) if mail.to.is_empty() => "554 5.5.1 no valid recipients",
            ("DATA", Some(Transaction { act: Act::HangBeforeData, .. })) => std::future::pending().await,
            ("DATA", Some(_)) => {
                say(&mut line, "354 go ahead").await?;
                let Some(Transaction { act, mut mail }) = transaction.take() else { continue };
                mail.data = content(&mut line).await?;
                match act {
                    Act::RefuseContent(reply) => reply,
                    Act::CutAfterData => {
                        shared.keep(mail);
                        return Ok(());
                    }
                    Act::HangAfterData => {
                        shared.keep(mail);
                        std::future::pending().await
                    }
                    Act::Take | Act::RefuseRecipient(_) | Act::HangBeforeData => {
                        shared.keep(mail);
                        "250 2.0.0 queued as sink-1"
                    }
                }
            }
            ("MAIL" | "RCPT" | "DATA", _) => "503 5.5.1 not now",
            _ => "500 5.5.2 what?",
        };
        say(&mut line, reply).await?;
    }
    Ok(())
}

async fn say(line: &mut BufReader<TcpStream>, reply: &str) -> io::Result<()> {
    line.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await
}

/// A line without its end; none when there is no more.
async fn hear(line: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut heard = Vec::new();
    if line.read_until(b'\n', &mut heard).await? == 0 {
        return Ok(None);
    }
    let ended = heard.strip_suffix(b"\r\n").ok_or(io::ErrorKind::InvalidData)?;
    Ok(Some(ended.to_vec()))
}

/// What comes up to the lone dot, dots unstuffed.
async fn content(line: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    loop {
        let heard = hear(line).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if heard == b"." {
            return Ok(data);
        }
        data.extend_from_slice(heard.strip_prefix(b".").unwrap_or(&heard));
        data.extend_from_slice(b"\r\n");
    }
}

/// What stands between the angle brackets.
fn path(command: &str) -> String {
    let inner = command.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(path, _)| path);
    inner.unwrap_or_default().to_owned()
}
