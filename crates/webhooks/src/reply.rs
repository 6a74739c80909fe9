//! A receiver's reply, of which neither the length nor the content can be trusted.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use tokio::time::timeout;

use crate::outcome::Outcome;
use crate::retry_after::RetryAfter;

/// Most bytes that are read: enough for a connection to be used again after an ordinary reply.
const MOST_READ: usize = 64 * 1024;

/// Most bytes that are kept.
const MOST_KEPT: usize = 1024;

/// Judges a reply by its status. What comes after the head, or fails to come, changes nothing, and is waited for no longer than `patience`.
pub(crate) async fn judge(response: Response, patience: Duration) -> Outcome {
    let status = response.status().as_u16();
    let retry_after = match status {
        429 | 503 => response.headers().get(RETRY_AFTER).and_then(|value| RetryAfter::parse(value.to_str().ok()?)),
        _ => None,
    };
    let text = keep(&read(response, patience).await);
    match status {
        200..=299 => Outcome::Delivered { status },
        410 => Outcome::Gone { response: text },
        _ => Outcome::Refused { status, retry_after, response: text },
    }
}

async fn read(mut response: Response, patience: Duration) -> Vec<u8> {
    let mut bytes = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = MOST_READ - bytes.len();
            if chunk.len() > room {
                bytes.extend_from_slice(&chunk[..room]);
                break;
            }
            bytes.extend_from_slice(&chunk);
        }
    };
    // In time or not: what has come is what was said.
    let _in_time = timeout(patience, reading).await;
    bytes
}

/// As text, with a replacement character for what is none and for NUL, which databases do not take; cut between characters.
fn keep(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).replace('\0', "\u{FFFD}");
    text.truncate(text.floor_char_boundary(MOST_KEPT));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_reply_is_kept_as_it_is() {
        assert_eq!(keep("línea 1\r\n\tlínea 2".as_bytes()), "línea 1\r\n\tlínea 2");
    }

    #[test]
    fn what_is_no_text_is_replaced() {
        assert_eq!(keep(b"a\xFFb\0c"), "a\u{FFFD}b\u{FFFD}c");
    }

    #[test]
    fn what_is_kept_is_cut_between_characters() {
        assert_eq!(keep("é".repeat(2000).as_bytes()), "é".repeat(512));
        assert_eq!(keep(format!("a{}", "é".repeat(2000)).as_bytes()), format!("a{}", "é".repeat(511)));
        assert!(keep(&[0xFF; 5000]).len() <= MOST_KEPT);
    }
}
