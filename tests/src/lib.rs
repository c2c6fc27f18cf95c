//! What the tests of the whole product share: the WATS server simulator, a test station, and machines to boot images in.

pub mod machine;
pub mod sim;
pub mod station;
