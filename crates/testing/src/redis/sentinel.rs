use super::options::RedisOptions;
use super::server::{Kind, RedisServer, expect_ok};
use crate::process::until;

/// As whom the replica reads from its primary, so that a test can forbid it.
const REPLICATION: &str = "replication";

/// A primary, a replica that follows it, and sentinels that make the replica the primary when the primary is [killed](Self::kill_first).
#[derive(Debug)]
pub struct RedisSentinel {
    sentinels: Vec<RedisServer>,
    servers: [RedisServer; 2],
}

impl RedisSentinel {
    /// What the sentinels call the primary.
    pub const NAME: &str = "main";

    /// Starts the three processes; the replica follows and the sentinel knows of it when this returns.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(1, &RedisOptions::default())
    }

    /// The same with more sentinels, and options for the two servers. A lone sentinel may decide; of more, the majority must be there.
    #[must_use]
    pub fn start_with(sentinels: usize, options: &RedisOptions) -> Self {
        let options = options
            .clone()
            .acl_user(REPLICATION, "on >follows +psync +replconf +ping")
            .line(format!("masteruser {REPLICATION}"))
            .line("masterauth follows");
        let primary = RedisServer::start_with(options.clone());
        let replica = RedisServer::start_with(options.line(format!("replicaof 127.0.0.1 {}", primary.port())));
        primary.wait_for(&["INFO", "replication"], |info| info.contains("state=online"));

        let quorum = sentinels / 2 + 1;
        let watch = RedisOptions::default()
            .line(format!("sentinel monitor {} 127.0.0.1 {} {quorum}", Self::NAME, primary.port()))
            // A primary that is slow for a moment is not taken for dead, and a replica that was cut off may be promoted for ten times as long.
            .line(format!("sentinel down-after-milliseconds {} 60000", Self::NAME))
            .line(format!("sentinel failover-timeout {} 3000", Self::NAME));
        let sentinels: Vec<RedisServer> = (0..sentinels).map(|_| RedisServer::start_as(Kind::Sentinel, watch.clone())).collect();
        let others = format!("sentinels={}", sentinels.len());
        for sentinel in &sentinels {
            sentinel.wait_for(&["INFO", "sentinel"], |info| info.contains("slaves=1") && info.contains(&others));
        }
        Self { sentinels, servers: [primary, replica] }
    }

    /// How clients reach the sentinels.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(RedisServer::url).collect()
    }

    /// One of the sentinels.
    #[must_use]
    pub fn sentinel(&self, number: usize) -> &RedisServer {
        &self.sentinels[number]
    }

    /// What was the primary at the start.
    #[must_use]
    pub const fn first(&self) -> &RedisServer {
        &self.servers[0]
    }

    /// Kills what was the primary at the start, as a crash would. The sentinels notice within seconds; by any other way of ending it, within a minute.
    pub fn kill_first(&mut self) {
        self.servers[0].kill();
        for sentinel in &self.sentinels {
            expect_ok(&sentinel.cli(&["SENTINEL", "SET", Self::NAME, "down-after-milliseconds", "2000"]));
        }
    }

    /// What was the primary at the start, to be started again.
    #[must_use]
    pub const fn first_mut(&mut self) -> &mut RedisServer {
        &mut self.servers[0]
    }

    /// What was the replica at the start.
    #[must_use]
    pub const fn second(&self) -> &RedisServer {
        &self.servers[1]
    }

    /// Cuts the replica off its primary: it can be promoted, and then knows nothing of what came after this.
    pub fn cut_replication(&self) {
        for server in &self.servers {
            let _answer = server.cli(&["ACL", "SETUSER", REPLICATION, "off"]);
            let _answer = server.cli(&["CLIENT", "KILL", "USER", REPLICATION]);
        }
        self.second().wait_for(&["INFO", "replication"], |info| !info.contains("master_link_status:up"));
    }

    /// Lets the replica follow again, the two in the places they had at the start.
    pub fn restore_replication(&self) {
        for server in &self.servers {
            let _answer = server.cli(&["ACL", "SETUSER", REPLICATION, "on"]);
        }
        self.first().wait_for(&["INFO", "replication"], |info| info.contains("state=online"));
    }

    /// Lets the two change places, both alive, lines to clients left open, and tells the sentinels: what a sentinel does when it is asked to, but
    /// at once.
    pub fn change_places(&self) {
        let (first, second) = (&self.servers[0], &self.servers[1]);
        expect_ok(&second.cli(&["REPLICAOF", "NO", "ONE"]));
        expect_ok(&first.cli(&["REPLICAOF", "127.0.0.1", &second.port().to_string()]));
        let quorum = (self.sentinels.len() / 2 + 1).to_string();
        for sentinel in &self.sentinels {
            expect_ok(&sentinel.cli(&["SENTINEL", "REMOVE", Self::NAME]));
            expect_ok(&sentinel.cli(&["SENTINEL", "MONITOR", Self::NAME, "127.0.0.1", &second.port().to_string(), &quorum]));
        }
        first.wait_for(&["ROLE"], |role| role.starts_with("slave"));
    }

    /// Waits until what was the replica at the start is the primary and the sentinels say so.
    pub fn wait_for_second(&self) {
        let port = self.second().port().to_string();
        for sentinel in &self.sentinels {
            until("the sentinels name the new primary", || {
                let named = sentinel.cli(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self::NAME]);
                (named.lines().nth(1) == Some(&port)).then_some(())
            });
        }
        self.second().wait_for(&["ROLE"], |role| role.starts_with("master"));
    }
}
