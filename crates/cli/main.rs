//! gishiki
fn main() {}
