//! What a person is told about the layers.

use super::remedy::Machine;
use super::{Layer, LayerState, Layers, MissingLayers, SandboxError, helper, probe};
use crate::control::api::{SandboxLayer, SandboxStatus};
use crate::error_chain;

/// Builds a box, and says in the log what it lacks.
pub(crate) async fn look() -> SandboxStatus {
    let probed = match helper() {
        Ok(helper) => probe(&helper).await,
        Err(error) => Err(error),
    };
    let status = describe(probed);
    if let Some(trouble) = &status.trouble {
        tracing::warn!("there is no sandbox, so foreign converters cannot run: {trouble}");
    }
    for layer in status.layers.iter().filter(|it| !it.holds) {
        tracing::warn!(
            layer = layer.name,
            "the sandbox lacks the layer {} ({}): {}. What to do: {}",
            layer.name,
            layer.protects,
            layer.detail,
            layer.remedy
        );
    }
    status
}

fn describe(probed: Result<Layers, SandboxError>) -> SandboxStatus {
    match probed {
        Ok(layers) => SandboxStatus {
            layers: layers.iter().map(|(layer, state)| one(layer, state, &layers)).collect(),
            trouble: None,
        },
        Err(error) => SandboxStatus { layers: Vec::new(), trouble: Some(error_chain(&error)) },
    }
}

fn one(layer: Layer, state: &LayerState, all: &Layers) -> SandboxLayer {
    let (holds, detail) = match state {
        LayerState::Holds { detail } => (true, detail.clone()),
        LayerState::Missing { why } => (false, why.clone()),
        LayerState::Lifted => (false, "lifted".to_owned()),
    };
    let remedy = match state {
        LayerState::Missing { .. } => Machine::here().remedy(layer, all.holds(Layer::Users)),
        LayerState::Holds { .. } | LayerState::Lifted => String::new(),
    };
    let (name, protects) = (layer.name().to_owned(), layer.protects().to_owned());
    SandboxLayer { name, protects, holds, detail, remedy }
}

/// Why a person should look at the sandbox.
pub(crate) fn concerns(status: &SandboxStatus, missing_layers: MissingLayers) -> Vec<String> {
    let missing = status.missing();
    if let Some(trouble) = &status.trouble {
        return vec![format!("there is no sandbox, so foreign converters cannot run: {trouble}")];
    }
    match missing_layers {
        MissingLayers::Refuse if !missing.is_empty() => {
            let first = status.layers.iter().find(|it| !it.holds);
            let remedy = first.map_or("", |it| it.remedy.as_str());
            vec![format!(
                "no foreign converter runs, because the sandbox lacks layers and sandbox.missing_layers insists on them: {}. What to do first: {remedy}",
                missing.join(", ")
            )]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_lacks_is_named_with_the_reason_and_is_a_concern_where_it_is_insisted_on() {
        let mut layers = Layers::default();
        layers.set(Layer::Users, LayerState::Missing { why: "forbidden".to_owned() });
        layers.set(Layer::Limits, LayerState::Holds { detail: String::new() });
        let status = describe(Ok(layers));
        assert_eq!(status.missing(), ["users"]);
        assert_eq!(status.layers[0].detail, "forbidden");
        assert!(concerns(&status, MissingLayers::Warn).is_empty());
        let concern = concerns(&status, MissingLayers::Refuse).remove(0);
        assert!(concern.contains("insists on them: users. What to do first: "), "{concern}");
        assert!(!status.layers[0].remedy.is_empty() && status.layers[1].remedy.is_empty());
        let none = describe(Err(SandboxError::Slow));
        assert!(concerns(&none, MissingLayers::Warn)[0].contains("within 20 s"));
    }
}
