//! Commands on their way into the log: at the leader, or one hop away from it.

use openraft::errors::{ClientWriteError, ForwardReason, RaftError};

use super::cancel_safe;
use super::error::ProposeError;
use super::group::Group;
use super::rounds::{Leader, Route};
use super::types::{CommandBytes, TypeConfig};
use crate::base::clock;
use crate::catalog::{Command, Outcome, Proposal};

impl Group {
    /// On the leader: writes the command to the log; returns when it is applied here.
    pub async fn propose<O>(&self, proposal: &Proposal<O>) -> Result<O, ProposeError> {
        read(proposal, self.commit(proposal.command()).await?)
    }

    async fn commit(&self, command: &Command) -> Result<Outcome, ProposeError> {
        let bytes = command.encode().map_err(|too_large| ProposeError::Refused(too_large.to_string()))?;
        let bytes = CommandBytes(bytes.into());
        let written = cancel_safe::call(&self.raft, |raft| async move { raft.client_write(bytes).await }).await;
        let written = written.map_err(|error| self.propose_error(error))?;
        written.data.0.ok_or_else(|| ProposeError::OutcomeUnknown("the command has no outcome".into()))
    }

    /// Writes the command to the log wherever the leader is, one hop away at most; returns when it is applied there.
    pub async fn propose_anywhere<O>(&self, proposal: &Proposal<O>) -> Result<O, ProposeError> {
        match self.route() {
            Route::Here => self.propose(proposal).await,
            Route::Nowhere => Err(self.not_leader()),
            Route::To(Leader { addr, .. }) => {
                let bytes =
                    proposal.command().encode().map_err(|too_large| ProposeError::Refused(too_large.to_string()))?;
                let outcome = self.peer_client.propose(&addr, bytes).await?;
                read(proposal, Outcome::decode(&outcome).map_err(|e| ProposeError::OutcomeUnknown(e.to_string()))?)
            }
        }
    }

    /// On the leader: takes a command that another replica was asked, at this replica's clock; returns the outcome's bytes.
    pub async fn propose_encoded(&self, command: &[u8]) -> Result<Vec<u8>, ProposeError> {
        self.must_lead()?;
        let command = Command::decode(command).map_err(|e| ProposeError::Refused(e.to_string()))?;
        Ok(self.commit(&command.stamped(clock::now_us())).await?.encode())
    }

    pub(super) fn propose_error(&self, error: RaftError<TypeConfig, ClientWriteError<TypeConfig>>) -> ProposeError {
        match error {
            RaftError::APIError(ClientWriteError::ForwardToLeader(to)) => match to.reason {
                ForwardReason::NotLeader => ProposeError::NotLeader { replica: self.replica(), leader: to.leader_id },
                ForwardReason::LeadershipTransfer => ProposeError::Unavailable("leadership moves".into()),
                ForwardReason::LeaseExpired => ProposeError::Unavailable("the leader has no quorum yet".into()),
            },
            RaftError::APIError(error) => ProposeError::OutcomeUnknown(error.to_string()),
            RaftError::Fatal(fatal) => ProposeError::OutcomeUnknown(fatal.to_string()),
        }
    }
}

fn read<O>(proposal: &Proposal<O>, outcome: Outcome) -> Result<O, ProposeError> {
    proposal.read(outcome).map_err(|foreign| ProposeError::OutcomeUnknown(foreign.to_string()))
}
