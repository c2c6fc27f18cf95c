//! What the tests of the whole product share: the WATS server simulator, a test station, a whole appliance, a browser, and machines to boot images in.

pub mod browser;
pub mod console;
pub mod hostile;
pub mod machine;
pub mod sim;
pub mod station;
pub mod system;
pub mod torture;
