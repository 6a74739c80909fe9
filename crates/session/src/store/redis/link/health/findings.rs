//! What an operator should know, each with what to do about it.

use super::{Health, NodeFacts};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Something may be lost or refused that need not be.
    Warning,
    /// Steps cannot be taken, or what was answered may not hold.
    Fault,
}

/// One thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Which server; empty where it is none.
    pub server: String,
    /// What it is and what to do.
    pub text: String,
}

impl Health {
    /// Everything worth saying. Sends are refused from `memory_max_percent` on.
    #[must_use]
    pub fn findings(&self, memory_max_percent: u8) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !self.unserved.is_empty() {
            let numbers: Vec<String> = self.unserved.iter().map(|partition| partition.number().to_string()).collect();
            let text = format!(
                "No server takes steps for the partitions {}: check that the URLs are right and that Redis runs.",
                numbers.join(", ")
            );
            findings.push(Finding { severity: Severity::Fault, server: String::new(), text });
        }
        for node in &self.nodes {
            let told = match &node.state {
                Ok(facts) => facts.told(memory_max_percent),
                Err(why) => vec![(
                    Severity::Fault,
                    format!("It does not answer ({why}): check that it runs, and user, password and TLS."),
                )],
            };
            findings.extend(told.into_iter().map(|(severity, text)| Finding { severity, server: node.address.clone(), text }));
        }
        findings
    }
}

impl NodeFacts {
    fn told(&self, memory_max_percent: u8) -> Vec<(Severity, String)> {
        let said = [self.version_told(), self.clock_told(), self.data_told(), self.replicas_told(), self.disk_told()];
        let mut told: Vec<_> = said.into_iter().flatten().collect();
        told.extend(self.memory_told(memory_max_percent));
        told
    }

    fn version_told(&self) -> Option<(Severity, String)> {
        let major = self.version.split('.').next().and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
        (major < 7).then(|| (Severity::Fault, format!("Redis {} is too old: the scripts need 7.0 or newer.", self.version)))
    }

    fn clock_told(&self) -> Option<(Severity, String)> {
        let ahead = self.clock_ahead;
        let text = format!(
            "Its clock is {ahead} ms ahead of this machine's: synchronise both, for instance by chrony. Beyond 1 s nothing is taken."
        );
        self.is_clock_off().then_some((Severity::Fault, text))
    }

    fn data_told(&self) -> Option<(Severity, String)> {
        if !self.foreign.is_empty() {
            let text = "It holds another installation's sessions: nothing is read or written there; give each installation a database number or a server of its own.";
            return Some((Severity::Fault, text.to_owned()));
        }
        if self.uninitialised.is_empty() {
            return None;
        }
        let text = "It holds no data of ours: run `countersign store init` where it is new, `countersign store rebuild` where it has lost what it had.";
        Some((Severity::Fault, text.to_owned()))
    }

    fn replicas_told(&self) -> Option<(Severity, String)> {
        if self.replicas == 0 && !self.demands_replicas {
            return Some((Severity::Note, "It has no replica: when it is lost, so is what its disk does not have.".to_owned()));
        }
        let text = "It has replicas but writes without them: set min-replicas-to-write 1, or two primaries may take steps at the same time.";
        (!self.demands_replicas).then(|| (Severity::Fault, text.to_owned()))
    }

    fn disk_told(&self) -> Option<(Severity, String)> {
        let fsync = self.append_fsync.as_deref();
        let (severity, text) = match (self.append_only, fsync) {
            (true, Some("always")) => return None,
            (true, Some("everysec")) => (
                Severity::Note,
                "appendfsync is everysec: a loss of power takes up to two seconds of steps with it; always takes none.",
            ),
            (true, Some(_)) => (
                Severity::Warning,
                "appendfsync is no: a loss of power takes what the system had not written; set everysec or always.",
            ),
            (true, None) => (Severity::Note, "It keeps an append-only file, but does not say when it is written to disk."),
            (false, _) if self.snapshots.as_deref() == Some("") => (
                Severity::Fault,
                "It keeps nothing on disk: a restart loses every session, limit and balance; set appendonly yes.",
            ),
            (false, _) => {
                (Severity::Warning, "It keeps snapshots only: a crash loses the minutes since the last one; set appendonly yes.")
            }
        };
        Some((severity, text.to_owned()))
    }

    fn memory_told(&self, memory_max_percent: u8) -> Vec<(Severity, String)> {
        let mut told = Vec::new();
        if self.memory_policy != "noeviction" {
            let policy = &self.memory_policy;
            let text = format!("maxmemory-policy is {policy}: Redis may throw sessions and limits away; set noeviction.");
            told.push((Severity::Fault, text));
        }
        if self.max_memory == 0 {
            let text = "maxmemory is not set: Redis may take all memory and be ended by the system; set it to what the machine can spare.";
            told.push((Severity::Warning, text.to_owned()));
        }
        let percent = self.memory_percent();
        if percent >= u64::from(memory_max_percent) {
            let text = format!(
                "{percent} % of its memory is used: from {memory_max_percent} % on sends are refused; give it more, or keep sessions for a shorter time."
            );
            told.push((Severity::Fault, text));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::{Partition, Timestamp};

    use super::super::NodeHealth;
    use super::*;

    fn good() -> NodeFacts {
        NodeFacts {
            version: "7.2.4".to_owned(),
            clock_ahead: 3,
            used_memory: 10,
            max_memory: 100,
            system_memory: 1000,
            memory_policy: "noeviction".to_owned(),
            append_only: true,
            append_fsync: Some("always".to_owned()),
            snapshots: Some(String::new()),
            replicas: 1,
            demands_replicas: true,
            uninitialised: Vec::new(),
            foreign: Vec::new(),
        }
    }

    fn findings(facts: NodeFacts) -> Vec<(Severity, String)> {
        let node = NodeHealth { address: "db:6379".to_owned(), partitions: Vec::new(), state: Ok(facts) };
        let health = Health { asked_at: Some(Timestamp::from_millis(0)), nodes: vec![node], unserved: Vec::new() };
        health.findings(80).into_iter().map(|finding| (finding.severity, finding.text)).collect()
    }

    #[test]
    fn of_a_good_server_there_is_nothing_to_say() {
        assert_eq!(findings(good()), []);
    }

    #[test]
    fn each_thing_that_is_wrong_is_said_with_what_to_do() {
        type Spoil = fn(&mut NodeFacts);
        let cases: [(Spoil, Severity, &str); 11] = [
            (|it| it.version = "6.0.16".into(), Severity::Fault, "7.0 or newer"),
            (|it| it.version = "6.2.0".into(), Severity::Fault, "7.0 or newer"),
            (|it| it.clock_ahead = -1_001, Severity::Fault, "synchronise"),
            (|it| it.uninitialised = vec![Partition::of(3)], Severity::Fault, "store init"),
            (|it| it.foreign = vec![Partition::of(3)], Severity::Fault, "another installation's"),
            (|it| it.demands_replicas = false, Severity::Fault, "min-replicas-to-write 1"),
            (|it| it.append_fsync = Some("everysec".into()), Severity::Note, "two seconds"),
            (|it| it.append_only = false, Severity::Fault, "appendonly yes"),
            (|it| it.memory_policy = "allkeys-lru".into(), Severity::Fault, "noeviction"),
            (|it| it.max_memory = 0, Severity::Warning, "maxmemory is not set"),
            (|it| it.used_memory = 80, Severity::Fault, "sends are refused"),
        ];
        for (spoil, severity, words) in cases {
            let mut facts = good();
            spoil(&mut facts);
            let found = findings(facts);
            assert!(matches!(&found[..], [(is, text)] if *is == severity && text.contains(words)), "{words}: {found:?}");
        }
    }
}
