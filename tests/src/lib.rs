//! What the tests of the whole product share: the WATS server simulator.

pub mod sim;
