//! The wish that a worker stops.

use tokio::sync::watch;

/// Asks a worker to stop: it commits what it has read, and gives its leases up.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Whether a worker should stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// A wish that nobody has yet, and what sees it.
pub fn stopper() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Asks for it.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked for; for ever, if nobody is left who could.
    pub async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
