//! What SQL wants of a node, applied and reported.
//!
//! A replica tells all that is not decided, and tells it again until it is: what is here only remembers what it has
//! already done, so that a report that was lost is sent again and nothing is done twice for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio_util::task::AbortOnDropHandle;
use unum_proto::model::{ChangeId, ConfigOutcome, ConfigReport, ConfigReports, DesiredValue, NodeKey};

use crate::retry::{Attempt, Repeat, Time};
use crate::transport::{self, ConfigWatch, Endpoint, Endpoints};
use crate::{Error, retry};

/// How often a key that fails is tried, until the node starts again or another change wants it.
const ATTEMPTS_MAX: u32 = 3;

/// Between two attempts: the first such pause, and twice as long each time.
const ATTEMPT_PAUSE: Duration = Duration::from_secs(1);

/// Before a stream that broke off is opened again, elsewhere.
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

/// What is to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigRequest {
    /// The change that wants it: `config_changes` has it.
    pub change: ChangeId,
    /// The key.
    pub key: String,
    /// Its new value.
    pub value: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// A running subscription; dropping it ends it.
#[derive(Debug)]
pub struct Subscription(#[expect(dead_code, reason = "dropping it ends the task")] AbortOnDropHandle<()>);

type Apply = Arc<dyn Fn(ConfigRequest) -> BoxFuture<'static, ConfigOutcome> + Send + Sync>;

impl Subscription {
    pub(crate) fn start<F, Fut>(endpoints: Endpoints, node: NodeKey, timeout: Duration, apply: F) -> Self
    where
        F: Fn(ConfigRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ConfigOutcome> + Send + 'static,
    {
        let apply: Apply = Arc::new(move |request| Box::pin(apply(request)));
        let subscriber = Subscriber { endpoints, node, timeout, apply, done: HashMap::new() };
        Self(AbortOnDropHandle::new(tokio::spawn(subscriber.run())))
    }
}

struct Subscriber {
    endpoints: Endpoints,
    node: NodeKey,
    timeout: Duration,
    apply: Apply,
    /// What came of each change and key here.
    done: HashMap<(ChangeId, String), ConfigReport>,
}

impl Subscriber {
    async fn run(mut self) {
        loop {
            let endpoint = self.endpoints.current();
            match self.watch(&endpoint).await {
                Attempt::Final(error) | Attempt::Certain(error) => {
                    tracing::warn!(%error, "the subscription to the configuration failed")
                }
                Attempt::NotReached(why)
                | Attempt::Retry(why)
                | Attempt::Unknown(why)
                | Attempt::Ended(why)
                | Attempt::Busy { why, .. } => {
                    tracing::debug!(why, "the subscription to the configuration broke off")
                }
            }
            self.endpoints.advance_from(&endpoint);
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }

    /// Until the stream breaks off.
    async fn watch(&mut self, endpoint: &Endpoint) -> Attempt {
        let mut watch = match ConfigWatch::open(endpoint, &self.node, self.timeout).await {
            Ok(watch) => watch,
            Err(attempt) => return attempt,
        };
        loop {
            let values = match watch.next().await {
                Ok(values) => values,
                Err(attempt) => return attempt,
            };
            for value in values {
                if let Err(error) = self.set(value).await {
                    // The report is sent again when the replica tells what is wanted again.
                    return Attempt::Retry(format!("a report was not taken: {error}"));
                }
            }
        }
    }

    async fn set(&mut self, value: DesiredValue) -> Result<(), Error> {
        let DesiredValue { change, key, value, attempts } = value;
        if let Some(report) = self.done.get(&(change, key.clone()))
            && report.attempt > attempts
        {
            return self.report(report.clone()).await;
        }
        for (tried, attempt) in (attempts + 1..).enumerate() {
            let request = ConfigRequest { change, key: key.clone(), value: value.clone(), attempt };
            // A task of its own: a panic in what is not ours is one more way to fail.
            let outcome = AbortOnDropHandle::new(tokio::spawn((self.apply)(request))).await;
            let outcome = outcome.unwrap_or_else(|e| ConfigOutcome::Failed(format!("what applies it panicked: {e}")));
            tracing::info!(%change, key, attempt, ?outcome, "configuration");
            let failed = matches!(outcome, ConfigOutcome::Failed(_));
            let report = ConfigReport::new(change, key.clone(), outcome, attempt);
            self.done.insert((change, key.clone()), report.clone());
            self.report(report).await?;
            if !failed || tried + 1 >= ATTEMPTS_MAX as usize {
                return Ok(());
            }
            tokio::time::sleep(ATTEMPT_PAUSE * 2u32.pow(tried as u32)).await;
        }
        Ok(())
    }

    async fn report(&self, report: ConfigReport) -> Result<(), Error> {
        let reports = &ConfigReports { node: self.node.clone(), reports: vec![report] };
        let attempt = |endpoint: Endpoint, time: Time| async move {
            transport::report_config(&endpoint, reports, time.share).await
        };
        retry::over_endpoints(&self.endpoints, self.timeout, Repeat::Idempotent, attempt).await
    }
}
