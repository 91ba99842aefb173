//! Publishers take names and give them back. Any replica brings that to the leader.

use std::time::Duration;

use unum_proto::model::{NodeKey, Registered, Registration};

use crate::base::clock;
use crate::catalog::Proposal;
use crate::consensus::{Group, ProposeError};

/// How long a registration may take, on its way to the leader included.
const REGISTER_TIMEOUT: Duration = Duration::from_secs(5);

/// A publisher that asks for a name that another one keeps is written down this often at most.
const RIVAL_PAUSE_US: i64 = 10_000_000;

/// Serves publishers on one replica.
#[derive(Debug, Clone)]
pub struct PublisherService {
    group: Group,
}

impl PublisherService {
    /// A service of a replica of that group.
    pub fn new(group: Group) -> Self {
        Self { group }
    }

    /// Gives a name to a publisher: the epoch of its pushes, or who holds the name.
    pub async fn register(&self, registration: Registration) -> Result<Registered, ProposeError> {
        let now_us = clock::now_us();
        if let Some(message) = self.held_as_before(&registration, now_us) {
            return Ok(Err(message));
        }
        let node = registration.node.clone();
        let registered = self.decided(Proposal::register(now_us, registration)).await?;
        match &registered {
            Ok(epoch) => tracing::info!(%node, epoch, "a publisher has the name"),
            Err(message) => tracing::warn!(%node, message, "a second publisher asks for the name"),
        }
        Ok(registered)
    }

    /// Gives a name back; false if another publisher has it by now.
    pub async fn release(&self, node: NodeKey, epoch: u64) -> Result<bool, ProposeError> {
        self.decided(Proposal::release(clock::now_us(), node, epoch)).await
    }

    async fn decided<O>(&self, proposal: Proposal<O>) -> Result<O, ProposeError> {
        let proposed = tokio::time::timeout(REGISTER_TIMEOUT, self.group.propose_anywhere(&proposal)).await;
        proposed.unwrap_or_else(|_| {
            Err(ProposeError::OutcomeUnknown(format!("not decided within {} ms", REGISTER_TIMEOUT.as_millis())))
        })
    }

    /// What a publisher was told moments ago, as long as that holds: one that asks again and again writes nothing.
    fn held_as_before(&self, registration: &Registration, now_us: i64) -> Option<String> {
        let state = self.group.state_reader().newest();
        let holder = state.holder_against(&registration.node, &registration.instance, now_us)?;
        let rival = holder.rival.as_ref().filter(|rival| rival.instance.is_same(&registration.instance))?;
        if registration.take_over || now_us.saturating_sub(rival.last_us) >= RIVAL_PAUSE_US {
            return None;
        }
        state.draft(&Proposal::register(now_us, registration.clone())).1.err()
    }
}
