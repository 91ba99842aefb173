//! Publishing a node's tables, exactly once.
//!
//! Before its first push a publisher registers: the catalog gives it the epoch of its pushes, or says who has the name.
//! Every push has that epoch and the next sequence. A push whose answer was lost is sent again with the same
//! sequence and content, at whichever endpoint answers: the catalog knows it and gives the first outcome. A push that
//! failed for good with [`Error::OutcomeUnknown`] may still have been applied; the next push supersedes it.

mod instance;

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use unum_proto::model::{Instance, NodeDescription, Push, PushOutcome, Registration, TableRefusal, TableSnapshot};

use crate::config::{ConfigOutcome, ConfigRequest, Subscription};
use crate::retry::{Attempt, Repeat, Time};
use crate::session::Session;
use crate::transport::{self, Endpoint, Endpoints, PublishStream};
use crate::{Error, retry};

pub use instance::{OwnInstance, state_directory};

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

/// Publishes under one node's name. While it is live, the name is no other instance's; publishers of one process are one
/// instance unless they are given others, so that the newer one has the name at once.
#[derive(Debug)]
pub struct Publisher {
    endpoints: Endpoints,
    session: Session,
    node: NodeDescription,
    instance: OwnInstance,
    take_over: bool,
    /// Tables that are in no push, and why.
    left_out: Vec<TableRefusal>,
    /// None before it is registered.
    epoch: Option<u64>,
    sequence: u64,
    timeout: Duration,
    stream: Mutex<Option<PublishStream>>,
}

impl Publisher {
    pub(crate) fn new(endpoints: Endpoints, session: Session, node: NodeDescription, timeout: Duration) -> Self {
        Self {
            endpoints,
            session,
            node,
            instance: OwnInstance::of_process(),
            take_over: false,
            left_out: Vec::new(),
            epoch: None,
            sequence: 0,
            timeout,
            stream: Mutex::new(None),
        }
    }

    /// The same publisher as this instance.
    #[must_use]
    pub fn with_instance(self, instance: OwnInstance) -> Self {
        Self { instance, ..self }
    }

    /// The same publisher, which takes the name from another one that is live.
    #[must_use]
    pub fn taking_over(self) -> Self {
        Self { take_over: true, ..self }
    }

    /// The node.
    pub fn node(&self) -> &NodeDescription {
        &self.node
    }

    /// From the next push on the node has this address.
    pub fn set_ip(&mut self, ip: impl Into<String>) {
        self.node.ip = ip.into();
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
        let apply = std::sync::Arc::new(apply);
        self.on_config_changes(move |requests| {
            let apply = std::sync::Arc::clone(&apply);
            async move {
                let mut outcomes = Vec::with_capacity(requests.len());
                for request in requests {
                    outcomes.push(apply(request).await);
                }
                outcomes
            }
        })
    }

    /// Sets what SQL wants as [`Publisher::on_config`] does, but all keys of one change at once: `apply` returns an outcome
    /// for each request, in their order.
    #[must_use = "dropping it ends the subscription"]
    pub fn on_config_changes<F, Fut>(&self, apply: F) -> Subscription
    where
        F: Fn(Vec<ConfigRequest>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<ConfigOutcome>> + Send + 'static,
    {
        Subscription::start(self.endpoints.clone(), self.node.key.clone(), self.timeout, apply)
    }

    /// Tables that this publisher would push and cannot, and why: each [`Publisher::push`] from now on says so, and
    /// `cluster_agents` shows it. Those that are in a push are told of by its answer.
    pub fn leave_out(&mut self, tables: Vec<TableRefusal>) {
        self.left_out = tables;
    }

    /// Whether one push can have these tables, beside what it says of those that are left out.
    ///
    /// # Errors
    /// [`Error::Refused`] with the limit that is in the way.
    pub fn check(&self, tables: &[TableSnapshot]) -> Result<(), Error> {
        let push = Push::new(self.node.clone(), 0, 1, tables.to_vec())?;
        Ok(Push { refused: self.left_out.clone(), ..push }.check_size()?)
    }

    /// Pushes table snapshots; returns when they are committed and visible. A table that is refused is left out and told in
    /// the answer, and of the others all or nothing is applied.
    ///
    /// # Errors
    /// [`Error::Refused`] with the value and the remedy, [`Error::NameHeld`] when another publisher has the name;
    /// [`Error::Deadline`] when it was not applied in time, [`Error::OutcomeUnknown`] when it may have been.
    pub async fn push(&mut self, tables: Vec<TableSnapshot>) -> Result<Ack, Error> {
        let (epoch, deadline) = self.begin().await?;
        let is_pushed =
            |refusal: &&TableRefusal| !tables.iter().any(|table| table.schema.name.as_str() == refusal.table);
        let left_out: Vec<_> = self.left_out.iter().filter(is_pushed).cloned().map(Err).collect();
        let tables = left_out.into_iter().chain(tables.into_iter().map(Ok)).collect();
        let push = Push::without_refused(self.node.clone(), epoch, self.sequence, tables)?;
        self.send(push, deadline).await
    }

    /// Pushes table snapshots as [`Publisher::push`] does, but nothing of them where one is refused.
    ///
    /// # Errors
    /// Those of [`Publisher::push`], and [`Error::Refused`] for a table.
    pub async fn push_whole(&mut self, tables: Vec<TableSnapshot>) -> Result<Ack, Error> {
        let (epoch, deadline) = self.begin().await?;
        let push = Push::new(self.node.clone(), epoch, self.sequence, tables)?;
        self.send(Push { whole: true, ..push }, deadline).await
    }

    /// Takes the name: the pushes from now on have the epoch that is returned, and those of whoever had it are refused. The
    /// first push does it by itself.
    ///
    /// # Errors
    /// [`Error::NameHeld`] when another publisher of the name is live, and says who.
    pub async fn register(&mut self) -> Result<u64, Error> {
        self.register_until(Instant::now() + self.timeout).await
    }

    /// Gives the name back, so that another publisher may have it at once; says whether it still was this one's. The next push
    /// takes it again.
    ///
    /// # Errors
    /// When no replica says so in time: then the name is free when the node's TTL is over.
    pub async fn release(&mut self) -> Result<bool, Error> {
        let Some(epoch) = self.epoch.take() else { return Ok(false) };
        let node = &self.node.key;
        let attempt = |endpoint: Endpoint, time: Time| async move {
            transport::release(&endpoint, node, epoch, time.share).await
        };
        // Asked again, it changes nothing.
        retry::over_endpoints(&self.endpoints, self.timeout, Repeat::Read, attempt).await
    }

    /// The epoch and the sequence of the next push, which has until then.
    async fn begin(&mut self) -> Result<(u64, Instant), Error> {
        let deadline = Instant::now() + self.timeout;
        let epoch = match self.epoch {
            Some(epoch) => epoch,
            None => self.register_until(deadline).await?,
        };
        self.sequence += 1;
        Ok((epoch, deadline))
    }

    async fn register_until(&mut self, deadline: Instant) -> Result<u64, Error> {
        let mut evidence = self.instance.instance.evidence().clone();
        evidence.ip.clone_from(&self.node.ip);
        let instance = Instance::new(self.instance.instance.id(), evidence)?;
        let registration = &Registration { node: self.node.key.clone(), instance, take_over: self.take_over };
        let attempt = |endpoint: Endpoint, time: Time| async move {
            transport::register(&endpoint, registration, time.share).await
        };
        // Asked again, it gives a newer epoch, and nobody has pushed with the one before.
        let time = deadline.saturating_duration_since(Instant::now());
        let registered = retry::over_endpoints(&self.endpoints, time, Repeat::Read, attempt).await?;
        let epoch = registered.map_err(Error::NameHeld)?;
        (self.epoch, self.sequence) = (Some(epoch), 0);
        Ok(epoch)
    }

    async fn send(&self, push: Push, deadline: Instant) -> Result<Ack, Error> {
        push.check_size()?;
        let (stream, push) = (&self.stream, &push);
        let attempt = |endpoint: Endpoint, Time { share: time, .. }: Time| async move {
            let mut stream = stream.lock().await;
            match send(&mut stream, &endpoint, push, time).await? {
                PushOutcome::Accepted { revision, duplicate, refused } => Ok(Ack { revision, duplicate, refused }),
                PushOutcome::Refused { message } => Err(Attempt::Final(Error::Refused(message))),
            }
        };
        let time = deadline.saturating_duration_since(Instant::now());
        let ack = retry::over_endpoints(&self.endpoints, time, Repeat::Idempotent, attempt).await?;
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
