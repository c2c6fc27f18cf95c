//! Trying one layer after the other, and what the setting says of those that a machine lacks.

use super::{Layer, LayerState, Layers, MissingLayers, Profile};

/// What a layer says that only a test leaves out.
const LEFT_OUT: &str = "left out to see what the others stop";

/// Tries a layer and notes how that ended; answers what it left behind.
pub(super) fn note<T, E: ToString>(
    profile: &Profile,
    layers: &mut Layers,
    layer: Layer,
    attempt: impl FnOnce() -> Result<(T, String), E>,
) -> Option<T> {
    if profile.without.contains(&layer) {
        layers.set(layer, LayerState::Missing { why: LEFT_OUT.to_owned() });
        return None;
    }
    let (state, left) = match attempt() {
        Ok((left, detail)) => (LayerState::Holds { detail }, Some(left)),
        Err(why) => (LayerState::Missing { why: why.to_string() }, None),
    };
    layers.set(layer, state);
    left
}

/// Refuses what the setting does not allow.
pub(super) fn insist(profile: &Profile, layers: &Layers) -> Result<(), String> {
    let missing: Vec<_> = layers.missing().map(|(layer, why)| format!("{layer} ({why})")).collect();
    if profile.missing_layers == MissingLayers::Warn || missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "this machine lacks layers of the sandbox, and the setting sandbox.missing_layers insists on all: {}",
        missing.join("; ")
    ))
}

/// Notes the layers that a system has nothing like.
#[cfg(not(target_os = "linux"))]
pub(super) fn note_absent(layers: &mut Layers, absent: &[(Layer, &str)]) {
    for (layer, why) in absent {
        layers.set(*layer, LayerState::Missing { why: (*why).to_owned() });
    }
}
