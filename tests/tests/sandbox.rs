//! Hostile converters: what the sandbox stops, and which of its layers do.
//!
//! `UPDATE_EXPECT=1 cargo test -p wats-tests --test sandbox` writes the table of `docs/security/sandbox.md` anew.
#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wats_agent::sandbox::{self, Layer, LayerState, Layers};
use wats_tests::hostile::{ATTACKS, Arsenal, Attack};

/// Boxes at a time: most of an attack's time is waiting.
const AT_ONCE: u32 = 6;
/// Those whose attacks compute get the machine to themselves, more or less.
const WEIGHT_OF_A_LOOP: u32 = 3;

/// A layer that makes no sense without the right to make namespaces, which an ordinary user has only in one.
const NAMESPACES: [Layer; 5] = [Layer::Mounts, Layer::Processes, Layer::Network, Layer::Ipc, Layer::HostName];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Setting {
    All,
    None,
    Without(Layer),
    Alone(Layer),
}

impl Setting {
    /// The layers that are left out.
    fn without(self) -> BTreeSet<Layer> {
        let all = BTreeSet::from(Layer::ALL);
        match self {
            Self::All => BTreeSet::new(),
            Self::None => all,
            Self::Without(layer) => BTreeSet::from([layer]),
            Self::Alone(layer) => {
                let needs_users = NAMESPACES.contains(&layer);
                all.into_iter().filter(|it| *it != layer && !(needs_users && *it == Layer::Users)).collect()
            }
        }
    }
}

/// For each attack and setting: whether it succeeded.
type Outcomes = BTreeMap<(usize, Setting), bool>;

/// What is worth trying with an attack that succeeds where there is no layer.
fn settings(attack: &Attack, layers: &[Layer]) -> Vec<Setting> {
    let could_matter = |it: &&Layer| {
        !attack.computes() || matches!(it, Layer::Limits | Layer::SystemCalls | Layer::Processes)
    };
    layers.iter().filter(could_matter).flat_map(|it| [Setting::Without(*it), Setting::Alone(*it)]).collect()
}

async fn run_all(arsenal: Arc<Arsenal>, layers: &[Layer]) -> Outcomes {
    let places = Arc::new(Semaphore::new(AT_ONCE as usize));
    let mut running = JoinSet::new();
    for (index, attack) in ATTACKS.iter().enumerate() {
        let (arsenal, places, layers) = (arsenal.clone(), places.clone(), layers.to_vec());
        running.spawn(async move {
            let weight = if attack.computes() { WEIGHT_OF_A_LOOP } else { 1 };
            let try_it = async |setting: Setting| {
                let _place = places.acquire_many(weight).await.unwrap();
                let seen = arsenal.run(attack, &setting.without()).await.unwrap();
                let succeeded = attack.succeeded(&seen);
                let with_all = setting == Setting::All;
                assert!(!(succeeded && with_all), "{} succeeded: {}", attack.file, short(&seen));
                ((index, setting), succeeded)
            };
            let mut tried = vec![try_it(Setting::All).await, try_it(Setting::None).await];
            if tried[1].1 {
                for setting in settings(attack, &layers) {
                    tried.push(try_it(setting).await);
                }
            }
            tried
        });
    }
    running.join_all().await.into_iter().flatten().collect()
}

fn short(seen: &wats_tests::hostile::Seen) -> String {
    let mut text = format!("{seen:?}");
    text.truncate(2000);
    text
}

fn table(outcomes: &Outcomes, layers: &[Layer]) -> String {
    let mut text = "| Attack | Without any layer | Each of these stops it alone | Succeeds where this one is missing |\n|---|---|---|---|\n".to_owned();
    for (index, attack) in ATTACKS.iter().enumerate() {
        let stopped = |setting| outcomes.get(&(index, setting)) == Some(&false);
        let succeeded = |setting| outcomes.get(&(index, setting)) == Some(&true);
        let by_users = stopped(Setting::Alone(Layer::Users));
        // With a namespace there is always one of users, which then was enough.
        let alone = |it: Layer| stopped(Setting::Alone(it)) && !(by_users && NAMESPACES.contains(&it));
        let names = |wanted: &dyn Fn(Layer) -> bool| {
            let names: Vec<_> = layers.iter().filter(|it| wanted(**it)).map(|it| it.name()).collect();
            if names.is_empty() { "–".to_owned() } else { names.join(", ") }
        };
        let row = match succeeded(Setting::None) {
            true => {
                format!("succeeds | {} | {}", names(&alone), names(&|it| succeeded(Setting::Without(it))))
            }
            false => "fails | |".to_owned(),
        };
        text += &format!("| [{}](../../tests/hostile/{}) | {row} |\n", attack.does, attack.file);
    }
    text
}

/// The table stands between two comments.
fn compare(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/security/sandbox.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (start, end) = ("<!-- made by the tests -->\n", "<!-- until here -->");
    let from = page.find(start).expect("the page has no place for the table") + start.len();
    let to = page.find(end).expect("the table has no end");
    let wanted = format!("{}{table}{}", &page[..from], &page[to..]);
    expect_test::expect_file![path].assert_eq(&wanted);
}

/// What the machine has, control groups aside: those of version 2 with a memory controller are rare where tests run.
fn lacking(layers: &Layers) -> Vec<(Layer, String)> {
    let missing = layers.missing().filter(|(layer, _)| *layer != Layer::ControlGroup);
    missing.map(|(layer, why)| (layer, why.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_is_stopped_and_the_table_says_by_which_layers() {
    let arsenal = Arc::new(Arsenal::full().unwrap());
    let probed = sandbox::probe(&arsenal.helper).await.unwrap();
    let lacking = lacking(&probed);
    let layers: Vec<_> = Layer::ALL.into_iter().filter(|it| probed.holds(*it)).collect();
    let outcomes = run_all(arsenal, &layers).await;
    // An attack that nothing has to stop proves nothing: most must be real.
    let real = (0..ATTACKS.len()).filter(|it| outcomes[&(*it, Setting::None)]).count();
    assert!(
        real * 4 > ATTACKS.len() * 3,
        "only {real} of {} attacks succeed without a sandbox",
        ATTACKS.len()
    );
    let Some(LayerState::Holds { detail }) = probed.get(Layer::Landlock) else {
        panic!("this machine cannot show the sandbox: {lacking:?}");
    };
    assert!(lacking.is_empty(), "this machine cannot show the sandbox: {lacking:?}");
    assert!(
        detail.contains("signals"),
        "the table is of a kernel with Landlock ABI 6 or newer, not {detail}"
    );
    compare(&table(&outcomes, &layers));
}
