//! The layers of a box, and which of them hold.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A layer, from the outside in. None relies on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Memory, processes and weight by cgroup v2.
    ControlGroup,
    /// A user namespace: no right over anything outside.
    Users,
    /// A file system of its own, which holds only what the profile lists.
    Mounts,
    /// A process namespace: no other process is there, and all end together.
    Processes,
    /// A network namespace without any network.
    Network,
    /// No shared memory and no message queue of others.
    Ipc,
    /// A host name of its own.
    HostName,
    /// Nothing gained by executing, no capability.
    Privileges,
    /// Landlock: files, connections and signals judged by the kernel, whatever else fails.
    Landlock,
    /// Limits of the process itself: address space, processor time, files.
    Limits,
    /// Only the system calls that the runtime needs.
    SystemCalls,
}

impl Layer {
    pub const ALL: [Self; 11] = [
        Self::ControlGroup,
        Self::Users,
        Self::Mounts,
        Self::Processes,
        Self::Network,
        Self::Ipc,
        Self::HostName,
        Self::Privileges,
        Self::Landlock,
        Self::Limits,
        Self::SystemCalls,
    ];

    /// The name in the configuration's and the documents' spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::ControlGroup => "control-group",
            Self::Users => "users",
            Self::Mounts => "mounts",
            Self::Processes => "processes",
            Self::Network => "network",
            Self::Ipc => "ipc",
            Self::HostName => "host-name",
            Self::Privileges => "privileges",
            Self::Landlock => "landlock",
            Self::Limits => "limits",
            Self::SystemCalls => "system-calls",
        }
    }

    /// What it is for, in a few words.
    pub fn protects(self) -> &'static str {
        match self {
            Self::ControlGroup => {
                "memory, processes and processor weight of a converter with all that it starts"
            }
            Self::Users => "no right over anything outside",
            Self::Mounts => "no file but those that it is given",
            Self::Processes => "no other process in sight; all end together",
            Self::Network => "no network",
            Self::Ipc => "no shared memory and no message queue of others",
            Self::HostName => "nothing to learn from, or to change in, the host's name",
            Self::Privileges => "nothing gained by executing, no capability",
            Self::Landlock => "files, TCP, signals and abstract sockets judged by the kernel",
            Self::Limits => "memory, processor time, open files and file size of a process",
            Self::SystemCalls => "only the system calls that its runtime needs",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What became of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum LayerState {
    /// It holds; `detail` says how much of it where there are degrees.
    Holds { detail: String },
    /// The machine does not allow it.
    Missing { why: String },
    /// A person trusts the plug-in with what it protects.
    Lifted,
}

/// What became of each layer of a box.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Layers(BTreeMap<Layer, LayerState>);

impl Layers {
    pub fn get(&self, layer: Layer) -> Option<&LayerState> {
        self.0.get(&layer)
    }

    pub fn holds(&self, layer: Layer) -> bool {
        matches!(self.get(layer), Some(LayerState::Holds { .. }))
    }

    pub fn iter(&self) -> impl Iterator<Item = (Layer, &LayerState)> {
        self.0.iter().map(|(layer, state)| (*layer, state))
    }

    /// The layers that the machine does not allow, with the reason.
    pub fn missing(&self) -> impl Iterator<Item = (Layer, &str)> {
        self.iter().filter_map(|(layer, state)| match state {
            LayerState::Missing { why } => Some((layer, why.as_str())),
            LayerState::Holds { .. } | LayerState::Lifted => None,
        })
    }

    pub(super) fn set(&mut self, layer: Layer, state: LayerState) {
        self.0.insert(layer, state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_json() {
        for layer in Layer::ALL {
            assert_eq!(serde_json::to_value(layer).unwrap(), layer.name());
        }
        let mut layers = Layers::default();
        layers.set(Layer::Landlock, LayerState::Holds { detail: "ABI 7".to_owned() });
        layers.set(Layer::Users, LayerState::Missing { why: "forbidden".to_owned() });
        assert_eq!(layers.missing().collect::<Vec<_>>(), [(Layer::Users, "forbidden")]);
        let text = serde_json::to_string(&layers).unwrap();
        assert_eq!(
            text,
            r#"{"users":{"state":"missing","why":"forbidden"},"landlock":{"state":"holds","detail":"ABI 7"}}"#
        );
        assert_eq!(serde_json::from_str::<Layers>(&text).unwrap(), layers);
    }
}
