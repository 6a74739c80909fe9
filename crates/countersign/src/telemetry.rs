//! Log lines: pretty on a terminal, JSON elsewhere.

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{Log, LogFormat};

/// Sends log lines to standard error from now on. A second call in one process changes nothing.
pub fn start(log: &Log) {
    let pretty = match log.format {
        LogFormat::Pretty => true,
        LogFormat::Json => false,
        LogFormat::Auto => io::stderr().is_terminal(),
    };
    let _ = subscriber(log, pretty, io::stderr).try_init();
}

/// What turns events into lines for `sink`. Directives that cannot be read leave `info`.
pub fn subscriber<W>(log: &Log, pretty: bool, sink: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer().with_writer(sink);
    let lines = if pretty { lines.compact().boxed() } else { lines.json().flatten_event(true).with_current_span(false).boxed() };
    tracing_subscriber::registry().with(lines.with_filter(filter))
}
