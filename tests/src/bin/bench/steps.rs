//! The steps of a send and of a verification as the product sends them to Redis: overheard once, then the same again for as many sessions as are
//! asked for.

use std::io;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// What the product says of when a step is too late, and a moment that never comes: both are as long.
const LAST_MOMENT: (&[u8], &[u8]) = (b"l", b"l9999999999999");
/// Where in a call stand how many keys it has, the session, and whose calls are counted.
const KEYS: usize = 2;
const SESSION: usize = 4;
const CALLS: usize = 6;
/// Ids and names of those who are counted.
const NAME: usize = 16;

/// A call of a script, word by word, with the places where another session is another name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    words: Vec<Vec<u8>>,
    /// Word and place.
    names: Vec<(usize, usize)>,
}

/// The step that opens a session, and the one that verifies it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Steps {
    pub(crate) open: Step,
    pub(crate) verify: Step,
}

/// Hears all that a Redis is asked.
pub(crate) struct Listener(BufReader<TcpStream>);

impl Listener {
    pub(crate) async fn start(address: &str) -> io::Result<Self> {
        let mut line = TcpStream::connect(address).await?;
        line.write_all(b"MONITOR\r\n").await?;
        let mut listener = Self(BufReader::new(line));
        listener.line().await?;
        Ok(listener)
    }

    /// The next two steps: a send and a verification.
    pub(crate) async fn steps(mut self) -> io::Result<Steps> {
        Ok(Steps { open: self.step().await?, verify: self.step().await? })
    }

    async fn step(&mut self) -> io::Result<Step> {
        loop {
            let words = words(&self.line().await?);
            if words.first().is_some_and(|word| word.eq_ignore_ascii_case(b"EVALSHA")) {
                return Step::of(words).ok_or_else(|| io::Error::other("a step has another form"));
            }
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(line) }
    }
}

/// The words of a line of MONITOR, each in quotes.
fn words(line: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut bytes = line.bytes();
    while bytes.any(|byte| byte == b'"') {
        let mut word = Vec::new();
        while let Some(byte) = bytes.next().filter(|byte| *byte != b'"') {
            word.push(if byte == b'\\' { escaped(&mut bytes) } else { byte });
        }
        words.push(word);
    }
    words
}

fn escaped(bytes: &mut impl Iterator<Item = u8>) -> u8 {
    let digit = |bytes: &mut dyn Iterator<Item = u8>| {
        bytes.next().and_then(|byte| char::from(byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default()
    };
    match bytes.next().unwrap_or_default() {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 0x07,
        b'b' => 0x08,
        b'x' => digit(bytes) << 4 | digit(bytes),
        other => other,
    }
}

impl Step {
    fn of(mut words: Vec<Vec<u8>>) -> Option<Self> {
        let keys: usize = std::str::from_utf8(words.get(KEYS)?).ok()?.parse().ok()?;
        let (first, behind) = (KEYS + 1, KEYS + 1 + keys);
        let moment = words.get_mut(behind)?;
        if !moment.starts_with(LAST_MOMENT.0) {
            return None;
        }
        *moment = LAST_MOMENT.1.to_vec();
        // Behind the partition's tag a letter tells the session's key and those of who is counted.
        let tag = words[first].len() - "meta".len();
        let is_counted = |at: usize| at != CALLS && words[at].len() == tag + 1 + NAME && words[at][tag] == b'u';
        let named: Vec<&[u8]> = (first..behind)
            .filter(|at| *at == SESSION || is_counted(*at))
            .map(|at| &words[at][words[at].len() - NAME..])
            .collect();
        let mut places = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let found = word.windows(NAME).enumerate().filter(|(_, part)| named.contains(part));
            places.extend(found.map(|(place, _)| (at, place)));
        }
        Some(Self { words, names: places })
    }

    /// The call for another session: the second half of every name is another.
    pub(crate) fn command(&self, session: u64) -> redis::Cmd {
        let mut words = self.words.clone();
        for (word, place) in &self.names {
            words[*word][*place + NAME / 2..*place + NAME].copy_from_slice(&session.to_be_bytes());
        }
        let mut command = redis::Cmd::new();
        command.arg(words);
        command
    }
}

/// Whether a script's answer says that the step was taken, and went as hoped.
pub(crate) fn was_taken(answer: &redis::Value) -> bool {
    let redis::Value::Array(parts) = answer else { return false };
    parts.first() == Some(&redis::Value::Int(0)) && parts.get(4) == Some(&redis::Value::Int(0))
}
