//! What `INFO` tells.

/// The lines `name:value` of an answer to `INFO`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Info<'a>(&'a str);

impl<'a> Info<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// A value as it stands there.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.0.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
    }

    /// A value that is a number.
    pub(super) fn number(self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// Whether the server has replicas, or is told not to write without.
    pub(super) fn is_replicated(self) -> bool {
        // This line is there only where `min-replicas-to-write` is above zero.
        self.number("connected_slaves").is_some_and(|count| count > 0) || self.text("min_slaves_good_slaves").is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_whole_name() {
        let info = Info::new("# Memory\r\nused_memory_rss:9\r\nused_memory:7\r\nmaxmemory_policy:noeviction\r\n");
        assert_eq!((info.number("used_memory"), info.text("maxmemory_policy")), (Some(7), Some("noeviction")));
        assert_eq!(info.text("memory"), None);
    }
}
