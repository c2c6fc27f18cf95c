//! A client that we did not write, the published `pywats-api`, is content with the simulator.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::Path;

use wats_tests::sim::{Sim, SimSettings, TOKEN};

#[tokio::test(flavor = "multi_thread")]
async fn the_published_python_client_submits_reads_back_and_sees_rejections() {
    let sim = Sim::start(SimSettings::default()).await.unwrap();
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("pywats/run");
    let output = tokio::process::Command::new(run).arg(sim.base_url()).arg(TOKEN).output().await.unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    // A test sent twice, a repair, and a test that was refused.
    let stats = sim.stats();
    assert_eq!((stats.unique, stats.posts, stats.rejected), (2, 4, 1));
    let shown: Vec<_> = sim.reports().iter().map(|r| (r.report_type, r.receive_count)).collect();
    assert_eq!(shown, [("T", 2), ("R", 1)]);
}
