//! Why a script gave no verdict, and what that asks for.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::script::Script;
use super::settings::InvalidSetting;

/// Why a call came to nothing. Unless it was [`Refused`](LinkError::Refused), the step may or may not have been taken, and taking it again
/// under its id is safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    /// No answer within the deadline, whatever was tried.
    #[error("Redis gave no answer in time: {0}")]
    Unavailable(String),
    /// As many calls as may be are under way. This one was not sent.
    #[error("too many calls of Redis are under way")]
    Overloaded,
    /// The step was taken, but no replica has confirmed it: a failover could undo it. Or the server refused it for want of replicas.
    #[error("no replica has confirmed the step")]
    NotReplicated,
    /// Redis has no memory left for it.
    #[error("Redis has no memory left")]
    Full,
    /// The partition has no `meta`: Redis is empty, or not ours.
    #[error("Redis holds no data of ours for this partition: {0}")]
    Uninitialised(String),
    /// Redis is another installation's: nothing was sent. Says which setting leads there.
    #[error("{0}")]
    Foreign(InvalidSetting),
    /// The script said no and changed nothing, in a word that the engine understands.
    #[error("script {script} refused: {word} {detail}")]
    Refused {
        /// Which script.
        script: &'static str,
        /// What stands behind `CS`.
        word: String,
        /// What stands behind that.
        detail: String,
    },
    /// An answer that nobody foresaw: a fault of the script, or a server that is not set up for us.
    #[error("script {script} was answered: {answer}")]
    Faulty {
        /// Which script.
        script: &'static str,
        /// Redis's words.
        answer: String,
    },
}

impl LinkError {
    pub(super) fn unavailable(cause: &RedisError) -> Self {
        Self::Unavailable(told(cause))
    }
}

/// An error in words that may be shown: what could not be read is not repeated.
pub(super) fn told(error: &RedisError) -> String {
    match error.kind() {
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => "an answer that cannot be read".to_owned(),
        _ => error.to_string(),
    }
}

/// What an error asks for before the call is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The connection is gone, or talks nonsense: another one.
    Broken,
    /// No answer in time. The connection may be as good as any.
    Silent,
    /// The server has forgotten the script: load it.
    NoScript,
    /// The server is not, or no longer, the one that answers for the partition: ask who is.
    Elsewhere,
    /// The key is on its way to another node: ask there, this once.
    Ask(String),
    /// The server cannot now but will soon.
    Later,
    /// Asking again would not help.
    Final(LinkError),
}

impl Trouble {
    /// What an error in answer to `script` asks for.
    pub(super) fn of(error: &RedisError, script: &Script) -> Self {
        match error.kind() {
            ErrorKind::Io if error.is_timeout() => Self::Silent,
            ErrorKind::Io | ErrorKind::Parse | ErrorKind::Client => Self::Broken,
            ErrorKind::Server(ServerErrorKind::Ask) => match error.redirect_node() {
                Some((address, _)) => Self::Ask(address.to_owned()),
                None => Self::Elsewhere,
            },
            _ => Self::of_answer(error.code().unwrap_or_default(), error.detail().unwrap_or_default(), script),
        }
    }

    fn of_answer(code: &str, detail: &str, script: &Script) -> Self {
        match code {
            "NOSCRIPT" => Self::NoScript,
            "READONLY" | "MASTERDOWN" | "MOVED" => Self::Elsewhere,
            "TRYAGAIN" | "LOADING" | "CLUSTERDOWN" | "BUSY" => Self::Later,
            "NOREPLICAS" => Self::Final(LinkError::NotReplicated),
            "OOM" => Self::Final(LinkError::Full),
            "MISCONF" => Self::Final(LinkError::Unavailable(format!("{code} {detail}"))),
            "CS" => {
                // Where a script raises its refusal, the server adds where.
                let (refusal, _) = detail.split_once(" script: ").unwrap_or((detail, ""));
                let (word, detail) = refusal.split_once(' ').unwrap_or((refusal, ""));
                Self::Final(match word {
                    "UNINITIALISED" => LinkError::Uninitialised(detail.to_owned()),
                    _ => LinkError::Refused { script: script.name(), word: word.to_owned(), detail: detail.to_owned() },
                })
            }
            // Before Redis 7 an error of a command inside a script is wrapped: "ERR Error running script (…): …: -READONLY You …".
            "ERR" if detail.starts_with("Error running script") => match inner(detail) {
                Some((code, detail)) if code != "ERR" => Self::of_answer(code, detail, script),
                _ => Self::faulty(code, detail, script),
            },
            _ => Self::faulty(code, detail, script),
        }
    }

    fn faulty(code: &str, detail: &str, script: &Script) -> Self {
        Self::Final(LinkError::Faulty { script: script.name(), answer: format!("{code} {detail}") })
    }
}

/// The code and words of an error inside another's words.
fn inner(detail: &str) -> Option<(&str, &str)> {
    let (_, error) = detail.rsplit_once(" -")?;
    error.split_once(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    static STEP: Script = Script::new("step", "return 1");

    fn trouble(line: &str) -> Trouble {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("it is RESP");
        Trouble::of(&value.extract_error().expect_err("it is an error"), &STEP)
    }

    #[test]
    fn every_error_asks_for_one_thing() {
        assert_eq!(trouble("NOSCRIPT No matching script."), Trouble::NoScript);
        assert_eq!(trouble("READONLY You can't write against a read only replica."), Trouble::Elsewhere);
        assert_eq!(trouble("MASTERDOWN Link with MASTER is down"), Trouble::Elsewhere);
        assert_eq!(trouble("MOVED 7683 127.0.0.1:7001"), Trouble::Elsewhere);
        assert_eq!(trouble("CLUSTERDOWN The cluster is down"), Trouble::Later);
        assert_eq!(trouble("ASK 7683 127.0.0.1:7001"), Trouble::Ask("127.0.0.1:7001".into()));
        assert_eq!(trouble("TRYAGAIN Multiple keys request during rehashing of slot"), Trouble::Later);
        assert_eq!(trouble("LOADING Redis is loading the dataset in memory"), Trouble::Later);
        assert_eq!(trouble("OOM command not allowed when used memory > 'maxmemory'."), Trouble::Final(LinkError::Full));
        assert_eq!(trouble("NOREPLICAS Not enough good replicas to write."), Trouble::Final(LinkError::NotReplicated));
    }

    #[test]
    fn the_scripts_own_words_are_passed_on() {
        assert_eq!(trouble("CS UNINITIALISED no meta"), Trouble::Final(LinkError::Uninitialised("no meta".into())));
        let refused = LinkError::Refused { script: "step", word: "CORRUPT".into(), detail: "session at 12".into() };
        assert_eq!(trouble("CS CORRUPT session at 12"), Trouble::Final(refused.clone()));
        assert_eq!(trouble("CS CORRUPT session at 12 script: e0e1, on @user_script:3."), Trouble::Final(refused));
        let bare = LinkError::Refused { script: "step", word: "FULL".into(), detail: String::new() };
        assert_eq!(trouble("CS FULL"), Trouble::Final(bare));
    }

    #[test]
    fn the_way_older_servers_wrap_errors_is_seen_through() {
        let wrapped = "ERR Error running script (call to f_e0e1): @user_script:1: @user_script: 1: -READONLY You can't write";
        assert_eq!(trouble(wrapped), Trouble::Elsewhere);
        let other = trouble("ERR Error running script (call to f_e0e1): @user_script:1: attempt to index a nil value");
        assert!(matches!(other, Trouble::Final(LinkError::Faulty { .. })), "{other:?}");
    }
}
