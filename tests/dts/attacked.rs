//! Whoever writes to the folders of publication leads `sync` to no other place, and hides nothing
//! from it; what servers say steers no terminal and makes nothing well.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::scene::{Scene, all_releases, folder, succeed};

const AT: &str = "2026-05-11T00:00:05+09:00";
const NEXT: &str = "2026-05-12T00:00:05+09:00";

fn genesis() -> Scene {
    let scene = Scene::with(&["2026-04-genesis"]);
    scene.synced(AT, 0);
    scene
}

#[test]
fn releases_that_are_gone_change_nothing() {
    let mut scene = Scene::with(&["2026-04-genesis", "2026-06-ds"]);
    scene.synced("2026-07-01T00:00:05+09:00", 0);
    let before = (scene.crl("g1"), scene.lines());
    fs::remove_dir_all(scene.releases()).unwrap();
    fs::create_dir_all(scene.releases()).unwrap();
    let said = scene.synced("2026-07-02T00:00:05+09:00", 4);
    assert!(said.contains("S-PUBLISH"), "{said}");
    // Those of an earlier ceremony alone: its CRLs have lower numbers.
    scene.add("2026-04-genesis");
    let said = scene.synced("2026-07-02T00:00:05+09:00", 4);
    assert!(said.contains("S-SERVED"), "{said}");
    assert_eq!((scene.crl("g1"), scene.lines()), before);
    // Of a key that was published no CRL is there any more.
    let scene_of_two = Scene::with(&[]);
    scene_of_two.synced("2031-06-07T09:00:00+09:00", 0);
    for entry in fs::read_dir(scene_of_two.releases()).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("2026-04-genesis") && !path.ends_with("2026-06-ds") {
            fs::remove_dir_all(path).unwrap();
        }
    }
    let said = scene_of_two.synced("2031-06-08T09:00:00+09:00", 4);
    assert!(said.contains("S-SERVED"), "{said}");
    assert!(scene_of_two.crl("g2").is_some());
    // Nothing is well where nothing is known.
    fs::remove_dir_all(scene.releases()).unwrap();
    fs::create_dir_all(scene.releases()).unwrap();
    scene.http = Some("http://127.0.0.1:9".into());
    assert_eq!(scene.probed(NEXT, &[]).0, 4);
}

#[test]
fn no_link_leads_a_write_or_a_removal_elsewhere() {
    // The hidden name is a link, a hard link, a FIFO, or a link to nothing.
    for kind in ["link", "hard link", "fifo", "dangling"] {
        let scene = genesis();
        let victim = scene.folder.join("victim");
        let partial = scene.web().join("dts/mdoc/.g1.crl.partial");
        fs::write(&victim, "precious").unwrap();
        match kind {
            "link" => symlink(&victim, &partial).unwrap(),
            "hard link" => fs::hard_link(&victim, &partial).unwrap(),
            "fifo" => drop(succeed(Command::new("mkfifo").arg(&partial))),
            _ => symlink(scene.folder.join("nothing"), &partial).unwrap(),
        }
        scene.synced(NEXT, 0);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious", "{kind}");
        assert!(!scene.folder.join("nothing").exists(), "{kind}");
        let crl = scene.web().join("dts/mdoc/g1.crl");
        assert!(crl.symlink_metadata().unwrap().is_file() && !partial.exists(), "{kind}");
    }
    // A folder on the way is a link: what lies there stays, the rest is out, and it is told.
    for (below, code) in [("dts/mdoc", 1), ("www", 1)] {
        let scene = genesis();
        let outside = folder();
        fs::write(outside.join("g1.crl"), "precious").unwrap();
        fs::remove_dir_all(scene.web().join(below)).unwrap();
        symlink(&outside, scene.web().join(below)).unwrap();
        let said = scene.synced(NEXT, code);
        assert!(said.contains(below), "{said}");
        assert_eq!(fs::read_to_string(outside.join("g1.crl")).unwrap(), "precious");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1, "{below}");
        let lines = scene.lines();
        assert!(lines.last().unwrap().contains("web:dts/kept/"), "the rest: {lines:?}");
    }
    // The log is a FIFO: told at once.
    let scene = Scene::with(&["2026-04-genesis"]);
    succeed(Command::new("mkfifo").arg(scene.log()));
    scene.synced(AT, 5);
}

#[test]
fn what_lies_on_the_web_is_told_and_one_file_keeps_no_other_back() {
    let scene = genesis();
    let hidden = scene.web().join("www/.x.partial");
    fs::create_dir_all(&hidden).unwrap();
    fs::write(hidden.join("index.html"), "a false fingerprint").unwrap();
    let said = scene.synced(AT, 1);
    assert!(said.contains(".x.partial/index.html"), "{said}");
    fs::remove_dir_all(&hidden).unwrap();
    // A CRL that a killed sync had put out is kept; one of a day to come is told.
    let crl = |day: &str| all_releases().join(format!("2026-04-genesis/public/crl-g1-{day}.crl"));
    let kept = scene.web().join("dts/kept");
    let one = fs::read_dir(&kept).unwrap().next().unwrap().unwrap().file_name();
    let name = one.to_str().unwrap().rsplit_once('-').unwrap().0.to_string();
    fs::copy(crl("2026-05-09"), kept.join(format!("{name}-1.crl"))).unwrap();
    scene.synced(AT, 0);
    fs::copy(crl("2026-06-09"), kept.join(format!("{name}-2.crl"))).unwrap();
    assert!(scene.synced(AT, 1).contains("-2.crl"));
    fs::remove_file(kept.join(format!("{name}-2.crl"))).unwrap();
    // What a killed writer left beside a file is removed.
    let left = scene.web().join("www/.index.html.partial");
    fs::write(&left, "half").unwrap();
    scene.synced(AT, 0);
    assert!(!left.exists());
    // A place that cannot be written keeps no other from being written.
    let blocked = scene.web().join("www/index.html");
    fs::remove_file(&blocked).unwrap();
    fs::create_dir_all(blocked.join("inside")).unwrap();
    let said = scene.synced(NEXT, 1);
    assert!(said.contains("www/index.html"), "{said}");
    let golden = fs::read(crl("2026-05-12")).unwrap();
    assert_eq!(scene.crl("g1"), Some(golden));
}

/// A server that gives one answer to everybody.
fn server(head: &'static str, body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let length = body.len();
            let _ = write!(stream, "{head}Content-Length: {length}\r\n\r\n");
            let _ = stream.write_all(&body);
        }
    });
    url
}

#[test]
fn no_answer_of_a_server_makes_well_what_is_not() {
    let mut scene = genesis();
    let crl = scene.crl("g1").unwrap();
    let good = "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n";
    scene.http = Some(server(good, crl.clone()));
    assert_eq!(scene.probed(AT, &[]).0, 0);
    for head in [
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60, s-maxage=31536000\r\n",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nCache-Control: max-age=31536000\r\n",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=-5\r\n",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nAge: 999999\r\n",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60, stale-while-revalidate=31536000\r\n",
        "HTTP/1.1 200 OK\r\n",
    ] {
        scene.http = Some(server(head, crl.clone()));
        let (code, said) = scene.probed(AT, &[]);
        assert!(code == 1 && said.contains("Cache-Control"), "{head}: {code}: {said}");
    }
    scene.http = Some(server("HTTP/1.1 \u{1b}[31mEVIL\u{7}\nwell: 0\r\n", crl));
    let (code, said) = scene.probed(AT, &[]);
    assert!(code == 2 && !said.contains('\u{1b}') && !said.contains("\nwell"), "{said:?}");
}
