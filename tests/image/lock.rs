//! The lock of Debian packages, made anew from the indices that are signed today.

use std::process::Command;

use serde_json::Value;

use crate::repository;
use crate::support::{GISHIKI, run, succeed};

/// Whether a version is this one or a later one, as Debian orders them.
fn is_not_before(version: &str, earlier: &str) -> bool {
    let mut compare = Command::new("dpkg");
    run(compare.args(["--compare-versions", version, "ge", earlier])).status.success()
}

#[test]
fn a_lock_of_today_is_the_committed_one_or_newer() {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let text = std::fs::read_to_string(repository().join("nix/debian.lock.json")).unwrap();
    let mut lock = Command::new(GISHIKI);
    let made = succeed(lock.current_dir(repository()).args(["image", "lock"]));
    let (committed, made) = (read(&text), read(&made));
    for field in ["arch", "lock", "suite"] {
        assert_eq!(made[field], committed[field], "{field}");
    }
    let groups = |lock: &Value| {
        let mut groups = lock["groups"].as_object().unwrap().clone();
        // The kernel's package has its version in its name.
        let kernel = groups.remove("kernel").unwrap();
        assert!(kernel[0].as_str().unwrap().starts_with("linux-image-"), "{kernel}");
        groups
    };
    assert_eq!(groups(&made), groups(&committed));
    let mut compared = 0;
    for (name, package) in made["packages"].as_object().unwrap() {
        let Some(before) = committed["packages"].get(name) else {
            assert!(name.starts_with("linux-image-"), "{name} is new");
            continue;
        };
        let version = |package: &Value| package["version"].as_str().unwrap().to_string();
        assert!(is_not_before(&version(package), &version(before)), "{name}: {package}");
        if version(package) == version(before) {
            assert_eq!(package, before, "{name}");
            compared += 1;
        }
    }
    println!("{compared} packages are as the committed lock has them");
    assert!(made["inrelease"].as_object().unwrap().contains_key("trixie"), "{made}");
}
