//! Log lines: pretty on a terminal, JSON elsewhere.

use std::io::{self, IsTerminal};

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, filter_fn};
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
///
/// Of other people's crates only warnings and errors pass, whatever the directives say: at lower levels mail and HTTP clients write
/// down what goes over the wire, codes and credentials among it.
pub fn subscriber<W>(log: &Log, pretty: bool, sink: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer().with_ansi(pretty && io::stderr().is_terminal()).with_writer(sink);
    let lines = if pretty { lines.compact().boxed() } else { lines.json().flatten_event(true).with_current_span(false).boxed() };
    tracing_subscriber::registry().with(lines.with_filter(filter.and(filter_fn(is_ours_or_serious))))
}

fn is_ours_or_serious(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("countersign") || *metadata.level() <= Level::WARN
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(level: &str, pretty: bool, say: impl FnOnce()) -> String {
        let kept = Kept::default();
        let sink = kept.clone();
        let log = Log { level: level.to_owned(), ..Log::default() };
        with_default(subscriber(&log, pretty, move || sink.clone()), say);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_other_crates_say_of_the_wire_is_never_logged() {
        let said = lines("trace", false, || {
            tracing::debug!(target: "lettre::transport", "Wrote: RCPT TO and 482913");
            tracing::info!(target: "hyper", "a body");
            tracing::warn!(target: "hyper", "a connection broke");
            tracing::trace!(target: "countersign_core::send", "our own");
        });
        assert!(!said.contains("482913") && !said.contains("a body"), "{said}");
        assert!(said.contains("a connection broke") && said.contains("our own"), "{said}");
    }

    #[test]
    fn a_line_for_machines_is_one_json_object_with_its_fields_on_top() {
        let said = lines("info", false, || tracing::info!(target: "countersign", keys = 3, "records changed"));
        let object: serde_json::Value = serde_json::from_str(said.trim_end()).unwrap();
        assert_eq!((&object["message"], &object["keys"]), (&"records changed".into(), &3.into()), "{said}");
    }

    #[test]
    fn the_level_holds_for_our_own_lines() {
        let said = lines("warn,countersign_core=debug", true, || {
            tracing::info!(target: "countersign_api", "one");
            tracing::debug!(target: "countersign_core", "two");
        });
        assert!(!said.contains("one") && said.contains("two"), "{said}");
    }
}
