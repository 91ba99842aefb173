//! Publishers: what tells one from another under the same name.

use serde::{Deserialize, Serialize};

use super::invalid::{at_most, quoted};
use super::limits::{DESCRIPTION_CHARS_MAX, INSTANCE_ID_CHARS_MAX};
use super::{Invalid, NodeKey};

/// A publisher that runs, or ran, somewhere. Right by construction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    id: String,
    evidence: Evidence,
}

/// Where a publisher runs, as far as it knows; each may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The name of its host.
    pub host: String,
    /// The address that it gives as its own.
    pub ip: String,
    /// What the kernel calls this boot.
    pub boot_id: String,
    /// What the system calls this machine. Clones of an image may have one in common.
    pub machine_id: String,
}

impl Instance {
    /// An instance by its id, which it keeps over restarts or makes anew each time.
    ///
    /// # Errors
    /// When the id is none, or a text is too long or has control characters.
    pub fn new(id: impl Into<String>, evidence: Evidence) -> Result<Self, Invalid> {
        let id = id.into();
        let is_legal = |c: char| c.is_ascii_graphic();
        if id.is_empty() || id.len() > INSTANCE_ID_CHARS_MAX || !id.chars().all(is_legal) {
            return Err(Invalid::new(
                format!("{} is no id of an instance", quoted(&id)),
                format!("use 1 to {INSTANCE_ID_CHARS_MAX} characters without spaces, for example a UUID"),
            ));
        }
        let Evidence { host, ip, boot_id, machine_id } = &evidence;
        for (what, text) in [("host", host), ("ip", ip), ("boot id", boot_id), ("machine id", machine_id)] {
            at_most(
                format_args!("the {what} of instance {id}"),
                text.chars().count(),
                DESCRIPTION_CHARS_MAX,
                "characters",
            )?;
            if text.chars().any(char::is_control) {
                let what = format!("the {what} {} of instance {id}", quoted(text));
                return Err(Invalid::new(what, "leave out control characters"));
            }
        }
        Ok(Self { id, evidence })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it runs.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Whether the other one is this one, started again: of one id, on one machine, since it was booted. An id that was copied with
    /// a machine is found by its boot.
    pub fn is_same(&self, other: &Self) -> bool {
        let of = |one: &Self| (one.id.clone(), one.evidence.boot_id.clone(), one.evidence.machine_id.clone());
        of(self) == of(other)
    }
}

/// A publisher asks for a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The name.
    pub node: NodeKey,
    /// Who asks.
    pub instance: Instance,
    /// Whether to take the name from a publisher that is live.
    pub take_over: bool,
}

/// What came of it: the epoch of its pushes, or who holds the name, and what to do.
pub type Registered = Result<u64, String>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_has_a_legal_id_and_short_evidence() {
        let with_host = |host: &str| Evidence { host: host.into(), ..Evidence::default() };
        assert!(Instance::new("a-1:2.3", with_host("db 1")).is_ok());
        for (id, host, part) in [
            ("", "", "is no id of an instance"),
            ("a b", "", "\"a b\" is no id"),
            (&"x".repeat(129), "", "1 to 128 characters"),
            ("a", "x\n", "leave out control characters"),
            ("a", &"x".repeat(257), "the host of instance a has 257 characters; the limit is 256"),
        ] {
            let error = Instance::new(id, with_host(host)).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_restart_is_the_same_and_a_clone_is_not() {
        let instance = |id: &str, boot: &str, host: &str| {
            let evidence =
                Evidence { host: host.into(), boot_id: boot.into(), machine_id: "m".into(), ip: String::new() };
            Instance::new(id, evidence).unwrap()
        };
        let first = instance("a", "b1", "h1");
        assert!(first.is_same(&instance("a", "b1", "renamed")));
        assert!(!first.is_same(&instance("a", "b2", "h1")), "another boot: it may be a copy of the machine");
        assert!(!first.is_same(&instance("b", "b1", "h1")));
    }
}
