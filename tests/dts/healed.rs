//! Kills, full disks, servers that are down, two at once, clocks set back: told, and healed by the
//! next run.

use std::fs;
use std::process::{Command, Stdio};

use crate::scene::{DTS, Scene, provider, succeed, text};

fn golden(day: &str) -> Vec<u8> {
    let ledger = crate::scene::root().join("golden/mdoc-root");
    fs::read(ledger.join(format!("2026-04-genesis/crl-g1-{day}.crl"))).unwrap()
}

/// `sync` is killed before each of its system calls that changes something, as strace counts them:
/// whatever was done, one whole CRL is out, and the next run completes it.
#[test]
fn a_killed_sync_leaves_one_whole_crl() {
    let [before, after] = ["2026-05-01", "2026-05-02"].map(golden);
    let at = |day: &str| format!("2026-{day}T00:00:05+09:00");
    let scene = Scene::with(&["2026-04-genesis"]);
    scene.synced(&at("05-01"), 0);
    let reset = |scene: &Scene| {
        let _ = fs::remove_dir_all(scene.web());
        let _ = fs::remove_file(scene.log());
        scene.synced(&at("05-01"), 0);
    };
    let calls = ["write", "fsync", "renameat", "openat", "mkdirat", "unlinkat", "flock"];
    let complete = std::env::var("GISHIKI_ALL").as_deref() == Ok("1");
    let (mut kills, mut torn) = (0, 0);
    for call in calls {
        let step = if call == "openat" && !complete { 40 } else { 1 };
        let mut place = 1;
        loop {
            let asked = scene.sync(&at("05-02"));
            let mut strace = Command::new("strace");
            strace.args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
            strace.arg(format!("inject={call}:signal=KILL:when={place}")).arg(DTS);
            let output = strace.args(asked.get_args()).env("LC_ALL", "C.UTF-8").output().unwrap();
            if output.status.success() {
                break;
            }
            kills += 1;
            let found = scene.crl("g1").expect("a CRL");
            assert!(found == before || found == after, "{call} {place}: {} octets", found.len());
            torn += usize::from(found == after);
            scene.synced(&at("05-02"), 0);
            assert_eq!(scene.crl("g1").as_ref(), Some(&after), "{call} {place}");
            let lines = scene.lines();
            assert!(lines.last().unwrap().contains("\"web:dts/mdoc/g1.crl\""), "{lines:?}");
            assert_eq!(lines.len(), 2, "{call} {place}");
            reset(&scene);
            place += step;
        }
        reset(&scene);
    }
    println!("{kills} kills, the new CRL was out after {torn}");
    assert!(kills >= 20 && torn > 0, "{kills} {torn}");
}

#[test]
fn ldap_that_is_down_does_not_keep_the_web_from_going_out() {
    let mut scene = Scene::with(&["2026-04-genesis"]);
    let (server, socket, _) = provider(&scene);
    scene.ldap = vec![socket];
    scene.synced("2026-05-01T00:00:05+09:00", 0);
    drop(server);
    let said = scene.synced("2026-05-02T00:00:05+09:00", 1);
    assert!(said.contains("ldapi://"), "{said}");
    assert_eq!(scene.crl("g1"), Some(golden("2026-05-02")));
    let lines = scene.lines();
    assert!(lines[1].contains("\"failed\":{\"ldapi://"), "{lines:?}");
    // The same failure an hour later is no news; when the server is back, it is.
    scene.synced("2026-05-02T01:00:05+09:00", 1);
    assert_eq!(scene.lines().len(), 2);
    fs::remove_dir_all(scene.folder.join("slapd-provider")).unwrap();
    let (_server, socket, _) = provider(&scene);
    assert_eq!(scene.ldap, [socket]);
    scene.synced("2026-05-02T02:00:05+09:00", 0);
    let lines = scene.lines();
    assert!(lines.len() == 3 && lines[2].contains("\"failed\":{}"), "{lines:?}");
}

#[test]
fn two_at_once_and_a_clock_set_back_are_told() {
    let scene = Scene::with(&["2026-04-genesis"]);
    scene.synced("2026-05-02T00:00:05+09:00", 0);
    let said = scene.synced("2026-05-01T00:00:05+09:00", 5);
    assert!(said.contains("S-TIME-BACK") && said.contains("2026-05-02T00:00:05"), "{said}");
    assert_eq!(scene.crl("g1"), Some(golden("2026-05-02")));
    // flock(1) holds the log as another sync would.
    let mut held = Command::new("flock");
    held.arg("-o")
        .arg(scene.log())
        .args(["sh", "-c", "echo held; exec sleep 60"])
        .stdout(Stdio::piped());
    let mut held = held.spawn().unwrap();
    let mut line = [0; 5];
    std::io::Read::read_exact(held.stdout.as_mut().unwrap(), &mut line).unwrap();
    let said = scene.synced("2026-05-03T00:00:05+09:00", 5);
    assert!(said.contains("another sync is at work"), "{said}");
    assert_eq!(scene.crl("g1"), Some(golden("2026-05-02")));
    held.kill().unwrap();
    held.wait().unwrap();
    scene.synced("2026-05-03T00:00:05+09:00", 0);
    assert_eq!(scene.crl("g1"), Some(golden("2026-05-03")));
}

/// A file system that takes no more: what is out stays, whole, and the next run completes it.
#[test]
fn a_full_disk_leaves_what_is_out() {
    let scene = Scene::with(&["2026-04-genesis"]);
    scene.synced("2026-05-01T00:00:05+09:00", 0);
    // No file may grow: the shell's limit, with its signal ignored, gives an error to each write.
    let asked = scene.sync("2026-05-02T00:00:05+09:00");
    let mut limited = Command::new("bash");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "bash"]).arg(DTS);
    let output = limited.args(asked.get_args()).env("LC_ALL", "C.UTF-8").output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    assert_eq!(scene.crl("g1"), Some(golden("2026-05-01")));
    let all = succeed(Command::new("find").arg(scene.web()).args(["-name", ".*.partial"]));
    assert!(all.is_empty(), "{}", String::from_utf8_lossy(&all));
    scene.synced("2026-05-02T00:00:05+09:00", 0);
    assert_eq!(scene.crl("g1"), Some(golden("2026-05-02")));
}

#[test]
fn a_changed_log_is_refused_and_a_torn_line_is_not() {
    let scene = Scene::with(&["2026-04-genesis"]);
    scene.synced("2026-05-01T00:00:05+09:00", 0);
    scene.synced("2026-05-02T00:00:05+09:00", 0);
    let log = fs::read_to_string(scene.log()).unwrap();
    fs::write(scene.log(), format!("{log}{{\"chain\":")).unwrap();
    scene.synced("2026-05-03T00:00:05+09:00", 0);
    let lines = scene.lines();
    assert_eq!(lines.len(), 3);
    fs::write(scene.log(), log.replacen("2026-05-01T00", "2026-05-01T01", 1)).unwrap();
    let said = scene.synced("2026-05-03T01:00:05+09:00", 5);
    assert!(said.contains("S-SERVED"), "{said}");
}

/// What lies on the web and was not put there by a publication is told, and stays.
#[test]
fn what_else_lies_on_the_web_is_told() {
    let scene = Scene::with(&["2026-04-genesis"]);
    scene.synced("2026-05-01T00:00:05+09:00", 0);
    let other = scene.web().join("www/ds-0001.cer");
    let ds = crate::scene::root().join("golden/mdoc-root/2026-06-ds/ds-0001.der");
    fs::copy(ds, &other).unwrap();
    let said = scene.synced("2026-05-02T00:00:05+09:00", 1);
    assert!(said.contains("ds-0001.cer") && other.exists(), "{said}");
    assert_eq!(scene.crl("g1"), Some(golden("2026-05-02")));
    fs::remove_file(other).unwrap();
    scene.synced("2026-05-02T01:00:05+09:00", 0);
}
