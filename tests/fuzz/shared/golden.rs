//! The first golden ceremony, as the fuzz targets need it.

use std::fs;
use std::path::PathBuf;

/// Its sealed folder.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../golden/mdoc-root/2026-04-genesis")
}

/// A file of it.
pub fn file(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap()
}

/// Every file of the golden ledger whose name ends so.
#[allow(dead_code, reason = "the bundle's target asks for none")]
pub fn ending(ending: &str) -> Vec<Vec<u8>> {
    let ledger = fs::read_dir(folder().parent().unwrap()).unwrap();
    let files = ledger.flat_map(|ceremony| fs::read_dir(ceremony.unwrap().path()).unwrap());
    let paths = files.map(|file| file.unwrap().path());
    let wanted = paths.filter(|path| path.extension().is_some_and(|found| found == ending));
    wanted.map(|path| fs::read(path).unwrap()).collect()
}
