//! Publishers that ask for a name.

use super::parts::required;
use crate::model::{Evidence, Instance, Invalid, Registered, Registration};
use crate::wire;

impl TryFrom<wire::Instance> for Instance {
    type Error = Invalid;

    fn try_from(wire: wire::Instance) -> Result<Self, Invalid> {
        let wire::Instance { id, host, ip, boot_id, machine_id } = wire;
        Self::new(id, Evidence { host, ip, boot_id, machine_id })
    }
}

impl From<&Instance> for wire::Instance {
    fn from(instance: &Instance) -> Self {
        let Evidence { host, ip, boot_id, machine_id } = instance.evidence().clone();
        Self { id: instance.id().to_owned(), host, ip, boot_id, machine_id }
    }
}

impl TryFrom<wire::RegisterRequest> for Registration {
    type Error = Invalid;

    fn try_from(wire: wire::RegisterRequest) -> Result<Self, Invalid> {
        let wire::RegisterRequest { node, instance, take_over } = wire;
        let node = required(node, "node key")?.try_into()?;
        Ok(Self { node, instance: required(instance, "instance")?.try_into()?, take_over })
    }
}

impl From<&Registration> for wire::RegisterRequest {
    fn from(registration: &Registration) -> Self {
        let Registration { node, instance, take_over } = registration;
        Self { node: Some(node.into()), instance: Some(instance.into()), take_over: *take_over }
    }
}

impl wire::RegisterReply {
    /// The reply that says so.
    pub fn new(registered: Registered) -> Self {
        use wire::register_reply::Result as Reply;
        Self {
            result: Some(match registered {
                Ok(epoch) => Reply::Epoch(epoch),
                Err(held) => Reply::Held(held),
            }),
        }
    }

    /// What the reply says.
    ///
    /// # Errors
    /// When it says nothing.
    pub fn into_registered(self) -> Result<Registered, Invalid> {
        use wire::register_reply::Result as Reply;
        Ok(match required(self.result, "result of a registration")? {
            Reply::Epoch(epoch) => Ok(epoch),
            Reply::Held(held) => Err(held),
        })
    }
}
