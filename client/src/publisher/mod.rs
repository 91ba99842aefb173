//! Publishing a node's tables, exactly once.
//!
//! Every push has the node's epoch and the next sequence. A push whose answer was lost is sent again with the same
//! sequence and content, at whichever endpoint answers: the catalog knows it and gives the first outcome. A push that
//! failed for good with [`Error::OutcomeUnknown`] may still have been applied; the next push supersedes it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use unum_proto::model::{NodeDescription, Push, PushOutcome, TableRefusal, TableSnapshot};

use crate::config::{ConfigOutcome, ConfigRequest, Subscription};
use crate::retry::{Attempt, Repeat, Time};
use crate::session::Session;
use crate::transport::{Endpoint, Endpoints, PublishStream};
use crate::{Error, retry};

/// An acknowledged push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The revision since which every linearizable read has the push.
    pub revision: u64,
    /// An earlier attempt had done it, whose answer was lost.
    pub duplicate: bool,
    /// The tables that were left out, and why. `cluster_agents` has them, too.
    pub refused: Vec<TableRefusal>,
}

/// Publishes under one node's name. Two publishers of one name fight: the newer epoch wins, the older is refused.
#[derive(Debug)]
pub struct Publisher {
    endpoints: Endpoints,
    session: Session,
    node: NodeDescription,
    epoch: u64,
    sequence: u64,
    timeout: Duration,
    stream: Mutex<Option<PublishStream>>,
}

impl Publisher {
    pub(crate) fn new(endpoints: Endpoints, session: Session, node: NodeDescription, timeout: Duration) -> Self {
        // Microseconds: a publisher that restarts at once still gets a higher one.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let epoch = since_epoch.as_micros().try_into().unwrap_or(u64::MAX);
        Self { endpoints, session, node, epoch, sequence: 0, timeout, stream: Mutex::new(None) }
    }

    /// The node.
    pub fn node(&self) -> &NodeDescription {
        &self.node
    }

    /// Sets what SQL wants of this node's configuration: `apply` is called for each key, one after the other, and what it
    /// returns is what `config_change_nodes` shows. What was wanted while the node was away comes first. It ends when what
    /// this returns is dropped.
    ///
    /// The node publishes the keys that it has as a table of [`config::config_table`](crate::config::config_table).
    #[must_use = "dropping it ends the subscription"]
    pub fn on_config<F, Fut>(&self, apply: F) -> Subscription
    where
        F: Fn(ConfigRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ConfigOutcome> + Send + 'static,
    {
        Subscription::start(self.endpoints.clone(), self.node.key.clone(), self.timeout, apply)
    }

    /// Pushes table snapshots; returns when they are committed and visible. A table that is refused is left out and told in
    /// the answer, and of the others all or nothing is applied.
    ///
    /// # Errors
    /// [`Error::Refused`] with the value and the remedy; [`Error::Deadline`] when it was not applied in time,
    /// [`Error::OutcomeUnknown`] when it may have been.
    pub async fn push(&mut self, tables: Vec<TableSnapshot>) -> Result<Ack, Error> {
        self.sequence += 1;
        let tables = tables.into_iter().map(Ok).collect();
        let push = Push::without_refused(self.node.clone(), self.epoch, self.sequence, tables)?;
        self.send(push).await
    }

    /// Pushes table snapshots as [`Publisher::push`] does, but nothing of them where one is refused.
    ///
    /// # Errors
    /// Those of [`Publisher::push`], and [`Error::Refused`] for a table.
    pub async fn push_whole(&mut self, tables: Vec<TableSnapshot>) -> Result<Ack, Error> {
        self.sequence += 1;
        let push = Push::new(self.node.clone(), self.epoch, self.sequence, tables)?;
        self.send(Push { whole: true, ..push }).await
    }

    async fn send(&self, push: Push) -> Result<Ack, Error> {
        push.check_size()?;
        let (stream, push) = (&self.stream, &push);
        let attempt = |endpoint: Endpoint, Time { share: time, .. }: Time| async move {
            let mut stream = stream.lock().await;
            match send(&mut stream, &endpoint, push, time).await? {
                PushOutcome::Accepted { revision, duplicate, refused } => Ok(Ack { revision, duplicate, refused }),
                PushOutcome::Refused { message } => Err(Attempt::Final(Error::Refused(message))),
            }
        };
        let ack = retry::over_endpoints(&self.endpoints, self.timeout, Repeat::Idempotent, attempt).await?;
        self.session.saw(ack.revision);
        Ok(ack)
    }
}

/// Sends over the open stream, or opens one to the endpoint. The stream is kept only when the reply came: neither a
/// failure nor a caller that gives up in between leaves a reply for the next push.
async fn send(
    stream: &mut Option<PublishStream>,
    endpoint: &Endpoint,
    push: &Push,
    time: Duration,
) -> Result<PushOutcome, Attempt> {
    let deadline = Instant::now() + time;
    let late = || format!("{}: no answer within {} ms", endpoint.addr, time.as_millis());
    let usable = stream.take().filter(|open| open.addr == endpoint.addr);
    let usable = usable.and_then(PublishStream::still_open);
    let mut open = match usable {
        Some(open) => open,
        None => timeout_at(deadline, PublishStream::open(endpoint)).await.map_err(|_| Attempt::Retry(late()))??,
    };
    let outcome = timeout_at(deadline, open.push(push)).await.map_err(|_| Attempt::Unknown(late()))??;
    *stream = Some(open);
    Ok(outcome)
}
