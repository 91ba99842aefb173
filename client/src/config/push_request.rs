//! Rows before words: who set a key waits until the node's new configuration is pushed, and then says that it is applied.

use tokio::sync::{mpsc, oneshot};

/// Requests that wait: a subscription makes one at a time.
const WAITING_MAX: usize = 1;

/// The side of who sets keys. Clones ask the same publisher.
#[derive(Debug, Clone)]
pub struct PushRequester(mpsc::Sender<oneshot::Sender<()>>);

/// The side of who publishes.
#[derive(Debug)]
pub struct PushRequests(mpsc::Receiver<oneshot::Sender<()>>);

/// Somebody waits for a push; dropping it lets them go on, too.
#[derive(Debug)]
pub struct PushRequest(oneshot::Sender<()>);

/// Both sides.
pub fn push_requests() -> (PushRequester, PushRequests) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (PushRequester(sender), PushRequests(receiver))
}

impl PushRequester {
    /// Returns when the configuration of now was pushed, or nobody publishes any more.
    pub async fn request_push(&self) {
        let (made, told) = oneshot::channel();
        if self.0.send(made).await.is_ok() {
            // An error is a publisher that ends: nobody waits for it.
            let _ = told.await;
        }
    }
}

impl PushRequests {
    /// Returns when somebody waits for a push.
    pub async fn next(&mut self) -> PushRequest {
        match self.0.recv().await {
            Some(made) => PushRequest(made),
            None => std::future::pending().await,
        }
    }
}

impl PushRequest {
    /// The push was made.
    pub fn done(self) {
        // Who waited may have gone.
        let _ = self.0.send(());
    }
}
