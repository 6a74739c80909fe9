//! A way to the centre: the bind that stands on it, and how it is made anew.

use std::sync::Arc;
use std::time::Duration;

use countersign_model::ProviderName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tracing::{debug, warn};

use super::config::Settings;
use super::line::Line;
use super::receipt::Desk;
use super::{status, wire};
use crate::provider::CheckError;
use crate::tls::is_tls;

/// What a bind is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Both ways.
    Transceiver,
    /// Messages out.
    Transmitter,
    /// Receipts in.
    Receiver,
}

/// Why there is no bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// No connection, or it broke.
    #[error("no connection")]
    Unreachable,
    /// No trust.
    #[error("TLS failed")]
    Tls,
    /// No answer in time.
    #[error("no answer")]
    Silent,
    /// The centre's `command_status`.
    #[error("refused with SMPP 0x{0:08X}")]
    Refused(u32),
}

/// Messages do not try again for so long what has just failed: many would do so at once.
const HELD_OFF: Duration = Duration::from_secs(1);

/// The rest before the first new try, and the longest one.
const RESTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// A bind that stood for so long was a sound one.
const SOUND: Duration = Duration::from_secs(60);

/// Either half of a connection, protected or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) struct Lane {
    role: Role,
    settings: Arc<Settings>,
    /// For connecting and binding together.
    limit: Duration,
    desk: Desk,
    standing: Mutex<Standing>,
}

#[derive(Default)]
struct Standing {
    line: Option<Arc<Line>>,
    failed: Option<(Instant, Failure)>,
}

impl Lane {
    pub(super) fn new(role: Role, settings: Arc<Settings>, limit: Duration, desk: Desk) -> Self {
        Self { role, settings, limit, desk, standing: Mutex::default() }
    }

    /// The bind that stands, or a new one. One at a time binds; the others wait for it.
    pub(super) async fn line(&self) -> Result<Arc<Line>, Failure> {
        let mut standing = self.standing.lock().await;
        if let Some(line) = standing.line.as_ref().filter(|line| line.is_up()) {
            return Ok(Arc::clone(line));
        }
        standing.line = None;
        if let Some((_, failure)) = standing.failed.filter(|(since, _)| since.elapsed() < HELD_OFF) {
            return Err(failure);
        }
        match self.bind().await {
            Ok(line) => {
                let line = Arc::new(line);
                *standing = Standing { line: Some(Arc::clone(&line)), failed: None };
                Ok(line)
            }
            Err(failure) => {
                standing.failed = Some((Instant::now(), failure));
                Err(failure)
            }
        }
    }

    /// Binds, and binds again whenever the bind has ended, with longer rests the longer it goes wrong.
    pub(super) async fn keep_up(&self, name: &ProviderName) {
        let mut rest = RESTS.0;
        loop {
            let since = Instant::now();
            match self.line().await {
                Ok(line) => {
                    debug!(provider = %name, role = ?self.role, "bound");
                    line.ended().await;
                    warn!(provider = %name, role = ?self.role, "the bind ended");
                    if since.elapsed() >= SOUND {
                        rest = RESTS.0;
                    }
                }
                Err(failure) => warn!(provider = %name, role = ?self.role, %failure, "not bound"),
            }
            sleep(rest).await;
            rest = longer(rest);
        }
    }

    /// Over the bind that stands, else over one that is made for it.
    pub(super) async fn check(&self) -> Result<(), CheckError> {
        let line = self.standing.lock().await.line.clone();
        if let Some(line) = line
            && matches!(timeout(self.limit, line.enquire()).await, Ok(true))
        {
            return Ok(());
        }
        let line = self.bind().await.map_err(|failure| status::check_error(failure, self.settings.address()))?;
        line.leave().await;
        Ok(())
    }

    async fn bind(&self) -> Result<Line, Failure> {
        timeout(self.limit, self.connect_and_bind()).await.unwrap_or(Err(Failure::Silent))
    }

    async fn connect_and_bind(&self) -> Result<Line, Failure> {
        let Settings { host, port, protection, .. } = &*self.settings;
        let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(|_| Failure::Unreachable)?;
        let _ = stream.set_nodelay(true);
        let mut stream: Box<dyn Stream> = match protection {
            None => Box::new(stream),
            Some(protection) => {
                let protected = TlsConnector::from(Arc::clone(&protection.client)).connect(protection.name.clone(), stream);
                Box::new(protected.await.map_err(|error| if is_tls(&error) { Failure::Tls } else { Failure::Unreachable })?)
            }
        };
        let request = wire::bind(&self.settings, self.role, 1);
        stream.write_all(&request).await.map_err(|_| Failure::Unreachable)?;
        stream.flush().await.map_err(|_| Failure::Unreachable)?;
        let mut buffer = Vec::new();
        loop {
            match wire::take(&mut buffer).map_err(|_| Failure::Unreachable)? {
                Some(pdu) if pdu.id & wire::RESPONSE == 0 => {}
                Some(pdu) if pdu.status == 0 && pdu.id != wire::GENERIC_NACK => break,
                Some(pdu) => return Err(Failure::Refused(pdu.status)),
                None if stream.read_buf(&mut buffer).await.is_ok_and(|read| read > 0) => {}
                None => return Err(Failure::Unreachable),
            }
        }
        Ok(Line::start(stream, buffer, self.settings.window, self.settings.enquire_link, self.desk.clone()))
    }
}

/// The rest that follows one after which it went wrong again.
fn longer(rest: Duration) -> Duration {
    (rest * 2).min(RESTS.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_are_doubled_up_to_a_minute() {
        let rests = std::iter::successors(Some(RESTS.0), |rest| Some(longer(*rest))).map(|rest| rest.as_secs());
        assert_eq!(rests.take(9).collect::<Vec<_>>(), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
