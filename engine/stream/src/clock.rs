//! The time of one worker.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

/// The time of one worker. Nothing is ever compared with another worker's time.
#[async_trait]
pub trait Clock: Debug + Send + Sync {
    /// Time since some moment of its own. It never goes back.
    fn now(&self) -> Duration;

    /// Waits for so long.
    async fn sleep(&self, time: Duration);
}

/// The clock of the system, from when it was made. It needs tokio's timers.
#[derive(Debug)]
pub struct SystemClock {
    began: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            began: Instant::now(),
        }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
