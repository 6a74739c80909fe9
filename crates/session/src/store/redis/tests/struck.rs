//! Scripts that are broken in the middle.
//!
//! Up to its first write a script may fail at any command, and nothing has changed. After it no command can fail: what could be refused there
//! is a key of another type, which is in `keys.rs`.

use redis::Value;

use super::Workshop;
use super::keys::{Kind, plans};
use crate::store::redis::plan::Plan;

/// Stands before a script and makes its n-th command fail, n being the third argument, unless something was written before.
const STRIKE: &str = r"
local redis = (function(real)
  local reads = {TIME = true, GET = true, MGET = true, XLEN = true, ZCARD = true, ZRANGE = true}
  local calls, wrote = 0, false
  local function is_struck(command)
    calls = calls + 1
    if calls == tonumber(ARGV[3]) and not wrote then return true end
    wrote = wrote or not reads[command]
  end
  return {
    call = function(command, ...)
      if is_struck(command) then error({err = 'CS STRUCK'}) end
      return real.call(command, ...)
    end,
    pcall = function(command, ...)
      if is_struck(command) then return {err = 'CS STRUCK'} end
      return real.pcall(command, ...)
    end,
  }
end)(redis)
";

impl Workshop {
    async fn run_struck(&self, plan: &Plan, at: usize) -> Result<Value, redis::RedisError> {
        let (first, rest) = plan.script.text().split_once('\n').unwrap();
        let mut line = self.line.clone();
        let mut eval = redis::cmd("EVAL");
        eval.arg(format!("{first}\n{STRIKE}\n{rest}")).arg(plan.keys.len());
        for key in &plan.keys {
            eval.arg([b"{p05up}", key.as_slice()].concat());
        }
        eval.arg(self.bench.now().millis()).arg(plan.brought.as_slice()).arg(at);
        eval.query_async(&mut line).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_fails_at_any_command_before_its_first_write_changes_nothing() {
    let shop = Workshop::new().await;
    shop.bench.credit(1, "100.00").await;
    for kind in Kind::ALL {
        let plan = plans(&shop, kind).await;
        let before = shop.dump().await;
        let mut at = 1;
        while let Err(error) = shop.run_struck(&plan, at).await {
            assert!(error.to_string().contains("CS"), "{kind:?} at {at}: {error}");
            assert!(shop.dump().await == before, "{kind:?} at {at}");
            at += 1;
        }
        assert!(at > 2, "{kind:?} has only {at} places to break at");
        assert!(shop.dump().await != before, "{kind:?} does nothing");
    }
}
