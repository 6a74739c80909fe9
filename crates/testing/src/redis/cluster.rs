use super::options::RedisOptions;
use super::server::{Kind, RedisServer, expect_ok};
use crate::process::{Port, until};

/// How many slots a cluster has.
const SLOTS: usize = 16_384;

/// Primaries that share the slots equally, in order.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    /// Where they talk with each other.
    _buses: Vec<Port>,
}

impl RedisCluster {
    /// Starts `primaries` servers that keep nothing; the cluster answers for every slot when this returns.
    #[must_use]
    pub fn start(primaries: usize) -> Self {
        Self::start_with(primaries, &RedisOptions::default())
    }

    /// The same with options for each of them.
    #[must_use]
    pub fn start_with(primaries: usize, options: &RedisOptions) -> Self {
        let buses: Vec<Port> = (0..primaries).map(|_| Port::take()).collect();
        let nodes: Vec<RedisServer> = buses
            .iter()
            .map(|bus| {
                let options = options.clone().line("cluster-enabled yes").line(format!("cluster-port {}", bus.number()));
                // A node that was slow for a moment is not taken for dead by the others, nor are its first words for too late.
                RedisServer::start_as(Kind::Server, options.line("cluster-node-timeout 60000"))
            })
            .collect();
        for (number, node) in nodes.iter().enumerate() {
            let (first, last) = (number * SLOTS / primaries, (number + 1) * SLOTS / primaries - 1);
            expect_ok(&node.cli(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]));
            expect_ok(&node.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]));
        }
        for (number, (node, bus)) in nodes.iter().zip(&buses).enumerate() {
            let (port, bus) = (node.port().to_string(), bus.number().to_string());
            for other in &nodes[..number] {
                expect_ok(&other.cli(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]));
            }
        }
        let cluster = Self { nodes, _buses: buses };
        cluster.wait_until_whole();
        cluster
    }

    /// One of them, in order of their slots.
    #[must_use]
    pub fn node(&self, number: usize) -> &RedisServer {
        &self.nodes[number]
    }

    /// One of them, to be killed or started again.
    #[must_use]
    pub fn node_mut(&mut self, number: usize) -> &mut RedisServer {
        &mut self.nodes[number]
    }

    /// How clients reach each of them.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// Gives one slot, with what lies in it, to another node.
    pub fn move_slot(&self, slot: u16, from: usize, to: usize) {
        self.begin_move(slot, from, to);
        let (slot, target) = (slot.to_string(), self.id(to));
        let port = self.nodes[to].port().to_string();
        loop {
            let keys = self.nodes[from].cli(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]);
            let keys: Vec<&str> = keys.lines().filter(|key| !key.is_empty()).collect();
            if keys.is_empty() {
                break;
            }
            for key in keys {
                expect_ok(&self.nodes[from].cli(&["MIGRATE", "127.0.0.1", &port, key, "0", "60000"]));
            }
        }
        for node in [to, from] {
            expect_ok(&self.nodes[node].cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &target]));
        }
    }

    /// Leaves a slot between two nodes: what is not there yet is asked for at the new one.
    pub fn begin_move(&self, slot: u16, from: usize, to: usize) {
        let slot = slot.to_string();
        expect_ok(&self.nodes[to].cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &self.id(from)]));
        expect_ok(&self.nodes[from].cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &self.id(to)]));
    }

    fn id(&self, number: usize) -> String {
        self.nodes[number].cli(&["CLUSTER", "MYID"])
    }

    fn wait_until_whole(&self) {
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        for node in &self.nodes {
            until("the cluster is whole", || {
                let info = node.cli(&["CLUSTER", "INFO"]);
                (info.contains("cluster_state:ok") && info.contains(&known)).then_some(())
            });
        }
    }
}
