//! What is asked of Redis: one script, once.

use std::fmt;
use std::io::Write;
use std::sync::OnceLock;

use countersign_model::Partition;
use redis::{Cmd, RedisWrite, ToRedisArgs};

use super::tags::tag;

/// A Lua script by which a step is taken. It is loaded before a connection is used, and again when Redis has forgotten it.
///
/// A script refuses with the error `CS <WORD> <detail>`, returned or raised; `UNINITIALISED` is the word for a partition without its `meta`.
#[derive(Debug)]
pub(crate) struct Script {
    name: &'static str,
    text: &'static str,
    sha: OnceLock<String>,
}

impl Script {
    /// `name` is for people: logs and errors.
    pub(crate) const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text, sha: OnceLock::new() }
    }

    /// For logs and errors.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) const fn text(&self) -> &'static str {
        self.text
    }

    /// The SHA-1 of its text, by which it is called.
    pub(super) fn sha(&self) -> &str {
        self.sha.get_or_init(|| redis::Script::new(self.text).get_hash().to_owned())
    }
}

/// One call of a script, written once and sent as it is, the second time too.
///
/// All keys stand before the first argument, as many as were announced: a partition's tag goes in front of each.
pub(crate) struct Call {
    script: &'static Script,
    partition: Partition,
    keys: usize,
    command: Cmd,
}

impl Call {
    /// A call with `keys` keys. `size` is about how many bytes keys and arguments have together.
    pub(crate) fn new(script: &'static Script, partition: Partition, keys: usize, size: usize) -> Self {
        let mut command = Cmd::with_capacity(3 + keys + 16, 60 + size);
        command.arg("EVALSHA").arg(script.sha()).arg(keys);
        Self { script, partition, keys, command }
    }

    /// Adds a key: the partition's tag, then `parts` one after the other.
    pub(crate) fn key(&mut self, parts: &[&[u8]]) -> &mut Self {
        debug_assert!(self.keys > 0, "{} has more keys than were announced", self.script.name);
        self.keys = self.keys.saturating_sub(1);
        let mut name = self.command.writer_for_next_arg();
        // Writing to memory does not fail.
        let _written = name.write_all(tag(self.partition).as_bytes());
        for part in parts {
            let _written = name.write_all(part);
        }
        drop(name);
        self
    }

    /// Adds an argument: bytes, text, or a number in decimal.
    pub(crate) fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        debug_assert!(self.keys == 0, "{} has fewer keys than were announced", self.script.name);
        self.command.arg(argument);
        self
    }

    pub(super) const fn script(&self) -> &'static Script {
        self.script
    }

    pub(super) const fn partition(&self) -> Partition {
        self.partition
    }

    pub(super) const fn command(&self) -> &Cmd {
        &self.command
    }
}

/// What a step wrote is nobody's business: neither keys nor arguments are shown.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({}, {})", self.script.name, self.partition.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static TOUCH: Script = Script::new("touch", "return 1");

    #[test]
    fn a_call_is_one_evalsha_with_the_tag_before_every_key() {
        let mut call = Call::new(&TOUCH, Partition::of(7), 2, 32);
        call.key(&[b"s:", &[0, 255]]).key(&[b"meta"]).arg(12).arg(b"x".as_slice());
        let args: Vec<Vec<u8>> = call
            .command()
            .args_iter()
            .map(|arg| match arg {
                redis::Arg::Simple(bytes) => bytes.to_vec(),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected: [&[u8]; 7] =
            [b"EVALSHA", b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db", b"2", b"{p07wp}s:\x00\xff", b"{p07wp}meta", b"12", b"x"];
        assert_eq!(args, expected);
    }
}
