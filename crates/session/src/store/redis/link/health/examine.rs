//! Asks the servers.

use std::sync::Arc;

use countersign_model::{Partition, Timestamp};
use redis::{ParsingError, Pipeline, RedisResult, Value, from_redis_value};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::connector::shown;
use super::super::error::told;
use super::super::info::Info;
use super::super::meta::{self, LAYOUT, Meta};
use super::super::primary::Primary;
use super::super::shared::Shared;
use super::super::tags::partitions;
use super::{Health, NodeFacts, NodeHealth};

impl Shared {
    /// Asks who the primaries are and how each does, and keeps the answer: one after the other, so that what is kept is never older than what
    /// was told. Who waits shares the answer to the next question.
    pub(in super::super) async fn examine(self: &Arc<Self>) -> Arc<Health> {
        let wanted_at = Instant::now();
        let mut begun_at = self.examining.lock().await;
        if begun_at.is_some_and(|begun_at| begun_at >= wanted_at) {
            return self.last_health();
        }
        let now = Instant::now();
        let health = self.look().await;
        *begun_at = Some(now);
        self.keep_health(&health);
        health
    }

    async fn look(self: &Arc<Self>) -> Arc<Health> {
        if let Err(error) = self.rediscover().await {
            tracing::warn!(%error, "nobody says who the primaries of Redis are");
        }
        let topology = self.topology();
        let mut asked = JoinSet::new();
        for (number, primary) in topology.primaries.iter().enumerate() {
            let (shared, primary) = (Arc::clone(self), Arc::clone(primary));
            asked.spawn(async move { (number, shared.examine_one(&primary).await) });
        }
        let mut nodes = asked.join_all().await;
        nodes.sort_by_key(|(number, _)| *number);
        Arc::new(Health {
            asked_at: Some(self.clock.now()),
            nodes: nodes.into_iter().map(|(_, node)| node).collect(),
            unserved: partitions().filter(|partition| topology.primary(*partition).is_none()).collect(),
        })
    }

    async fn examine_one(&self, primary: &Primary) -> NodeHealth {
        let state = self.ask(primary).await;
        if let Ok(facts) = &state {
            primary.set_foreign(!facts.foreign.is_empty());
            primary.set_memory_low(facts.memory_percent() >= u64::from(self.settings.memory_max_percent));
            if facts.replicas > 0 || facts.demands_replicas {
                self.equipment.replicated.note(primary.places());
            }
        }
        NodeHealth { address: shown(primary.address()), partitions: primary.partitions().collect(), state }
    }

    async fn ask(&self, primary: &Primary) -> Result<NodeFacts, String> {
        let mut connection = primary.pool().get().await.map_err(|error| error.to_string())?;
        let held: Vec<Partition> = primary.partitions().collect();
        let questions = questions(&held);
        let before = self.clock.now();
        let answers = questions.query_async(&mut connection).await;
        let after = self.clock.now();
        let (info, time, marks) = answers.and_then(read).map_err(|error| told(&error))?;
        let info = Info::new(&info);
        if info.text("role") != Some("master") {
            return Err("is a replica".to_owned());
        }
        // Some services do not let anybody read the configuration.
        let mut question = redis::cmd("CONFIG");
        question.arg("GET").arg("appendfsync").arg("save");
        let config: Option<Vec<String>> = question.query_async(&mut connection).await.ok();
        let setting = |name: &str| {
            let mut pairs = config.iter().flat_map(|config| config.chunks_exact(2));
            pairs.find(|pair| pair[0] == name).map(|pair| pair[1].clone())
        };
        let metas = marks.iter().map(|mark| mark.as_ref()?.parse().ok().filter(|meta: &Meta| meta.layout == LAYOUT));
        let metas: Vec<(Partition, Option<Meta>)> = held.into_iter().zip(metas).collect();
        let of = |is: &dyn Fn(&Option<Meta>) -> bool| metas.iter().filter(|(_, meta)| is(meta)).map(|(held, _)| *held).collect();
        Ok(NodeFacts {
            version: info.text("redis_version").unwrap_or_default().to_owned(),
            clock_ahead: clock_ahead(&time, before, after),
            used_memory: info.number("used_memory").unwrap_or(0),
            max_memory: info.number("maxmemory").unwrap_or(0),
            system_memory: info.number("total_system_memory").unwrap_or(0),
            memory_policy: info.text("maxmemory_policy").unwrap_or_default().to_owned(),
            append_only: info.number("aof_enabled") == Some(1),
            append_fsync: setting("appendfsync"),
            snapshots: setting("save"),
            replicas: info.number("connected_slaves").unwrap_or(0),
            demands_replicas: info.text("min_slaves_good_slaves").is_some(),
            uninitialised: of(&Option::is_none),
            foreign: of(&|meta| meta.is_some_and(|meta| meta.is_foreign_to(self.owner))),
        })
    }
}

/// `INFO`, the time, and each partition's `meta`.
fn questions(held: &[Partition]) -> Pipeline {
    let mut questions = Pipeline::with_capacity(2 + held.len());
    questions.cmd("INFO").cmd("TIME");
    for partition in held {
        questions.cmd("GET").arg(meta::key(*partition));
    }
    questions
}

/// The answers to [`questions`].
fn read(answers: Vec<Value>) -> RedisResult<(String, Vec<i64>, Vec<Option<String>>)> {
    let mut answers = answers.into_iter();
    let (info, time) = (answers.next().unwrap_or(Value::Nil), answers.next().unwrap_or(Value::Nil));
    let marks: Result<Vec<Option<String>>, ParsingError> = answers.map(from_redis_value).collect();
    Ok((from_redis_value(info)?, from_redis_value(time)?, marks?))
}

/// By how many ms the server's clock is ahead. Where its answer may have been under way for a while, the doubt is in its favour.
fn clock_ahead(time: &[i64], before: Timestamp, after: Timestamp) -> i64 {
    let [seconds, micros] = time else { return i64::MAX };
    let server = seconds.saturating_mul(1000).saturating_add(micros / 1000);
    if server < before.millis() { server - before.millis() } else { (server - after.millis()).max(0) }
}
