//! Bad news of a message that is still being handed over.

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{ProviderName, Reference};
use countersign_session::store::{ParkedReceipt, StoreError};
use tracing::warn;

use crate::platform::Platform;

/// First pause before it is asked again whether the message has been handed over; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

impl Platform {
    /// Whether it is not known yet who has the message, a plain one too. A provider whose try ran out of time may tell of its own failure while
    /// another one is just taking the message: that is no news of the message.
    pub(super) async fn is_under_way(&self, reference: Reference) -> Result<bool, StoreError> {
        self.store.is_sending(reference).await
    }

    /// Takes a receipt once the outcome of its message is recorded, in a task of its own. It is lost with this process: a message is then called
    /// sent that is not known to have failed.
    pub(super) fn take_once_handed_over(self: &Arc<Self>, through: &ProviderName, reference: Reference, receipt: ParkedReceipt) {
        let (platform, through) = (Arc::clone(self), through.clone());
        self.tasks.spawn(async move {
            let mut pause = FIRST_PAUSE;
            let give_up = tokio::time::Instant::now() + platform.settings.lease;
            loop {
                tokio::time::sleep(pause).await;
                let is_over = tokio::time::Instant::now() >= give_up;
                if is_over || matches!(platform.is_under_way(reference).await, Ok(false)) {
                    break;
                }
                pause = pause.saturating_mul(2);
            }
            if let Err(failure) = platform.take_settled(&through, reference, receipt).await {
                warn!(provider = %through, %failure, "a receipt that came early was lost");
            }
        });
    }
}
