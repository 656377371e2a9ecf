//! What nginx and slapd serve at a time, as curl, ldapsearch and OpenSSL see it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::scene::{Scene, nginx, provider, root, slapd, succeed, text, until};

const CA: &str = "CN=FAKE Example mdoc Root CA,O=FAKE Agency for Local Records,C=JP";

fn golden(path: &str) -> Vec<u8> {
    fs::read(root().join("golden/mdoc-root").join(path)).unwrap()
}

pub(crate) fn sha256(octets: &[u8], scene: &Scene) -> String {
    let file = scene.folder.join("digested");
    fs::write(&file, octets).unwrap();
    let said = succeed(Command::new("openssl").args(["dgst", "-sha256", "-r"]).arg(&file));
    String::from_utf8(said).unwrap().split(' ').next().unwrap().to_string()
}

fn curl(url: &str) -> Vec<u8> {
    succeed(Command::new("curl").args(["--silent", "--show-error", "--fail", url]))
}

/// The values of an attribute of the CA's entry, as ldapsearch has them.
fn ldapsearch(uri: &str, attribute: &str, folder: &Path) -> Vec<Vec<u8>> {
    let into = folder.join("ldapsearch");
    let _ = fs::remove_dir_all(&into);
    fs::create_dir_all(&into).unwrap();
    let mut command = Command::new("ldapsearch");
    command.args(["-x", "-LLL", "-H", uri, "-b", CA, "-s", "base", "-tt", "-T"]).arg(&into);
    let output = command.arg(attribute).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let mut files: Vec<_> = fs::read_dir(&into).unwrap().map(|one| one.unwrap().path()).collect();
    files.sort();
    let named = attribute.split(';').next().unwrap();
    let of_it = |path: &std::path::PathBuf| path.display().to_string().contains(named);
    let mut values: Vec<Vec<u8>> =
        files.iter().filter(|path| of_it(path)).map(|path| fs::read(path).unwrap()).collect();
    values.sort();
    values
}

fn sorted<const N: usize>(values: [Vec<u8>; N]) -> Vec<Vec<u8>> {
    let mut values = Vec::from(values);
    values.sort();
    values
}

/// OpenSSL finds the CRL to be signed by the root.
fn openssl_accepts(scene: &Scene, crl: &[u8], root: &[u8]) {
    let [list, ca] = ["crl", "ca"].map(|name| scene.folder.join(format!("judged.{name}")));
    fs::write(&list, crl).unwrap();
    fs::write(&ca, root).unwrap();
    let pem = scene.folder.join("judged.pem");
    let mut x509 = Command::new("openssl");
    succeed(x509.args(["x509", "-inform", "DER", "-in"]).arg(&ca).arg("-out").arg(&pem));
    let mut crl = Command::new("openssl");
    crl.args(["crl", "-inform", "DER", "-noout", "-in"]).arg(&list).arg("-CAfile").arg(&pem);
    let output = crl.output().unwrap();
    assert!(text(&output).contains("verify OK"), "{}", text(&output));
}

#[test]
fn nginx_and_slapd_serve_what_is_due() {
    let mut scene = Scene::with(&[]);
    let (_nginx, dts, www) = nginx(&scene);
    let (_slapd, socket, tcp) = provider(&scene);
    scene.ldap = vec![socket];
    scene.http = Some(format!("http://127.0.0.1:{dts}"));
    let said = scene.synced("2031-06-07T09:00:00+09:00", 0);
    assert!(said.contains("crl-g1-2031-06-07.crl") && said.contains("crl-g2-2031-06-07.crl"));
    let [g1, g2] = ["g1", "g2"]
        .map(|key| golden(&format!("2031-06-two-generations/crl-{key}-2031-06-07.crl")));
    let roots = [golden("2026-04-genesis/root-g1.der"), golden("2031-03-rollover/root-g2.der")];
    for (key, crl, root) in [("g1", &g1, &roots[0]), ("g2", &g2, &roots[1])] {
        assert_eq!(curl(&format!("http://127.0.0.1:{dts}/mdoc/{key}.crl")), *crl);
        openssl_accepts(&scene, crl, root);
    }
    let attribute = "certificateRevocationList;binary";
    assert_eq!(ldapsearch(&tcp, attribute, &scene.folder), sorted([g1, g2]));
    let served = ldapsearch(&tcp, "cACertificate;binary", &scene.folder);
    assert_eq!(served, sorted(roots.clone()));
    let pairs = ldapsearch(&tcp, "crossCertificatePair;binary", &scene.folder);
    let [pair] = pairs.as_slice() else { panic!("{} pairs", pairs.len()) };
    for link in ["new-with-old-g1-g2", "old-with-new-g1-g2"] {
        let der = golden(&format!("2031-03-rollover/{link}.der"));
        assert!(pair.windows(der.len()).any(|octets| octets == der), "{link}");
    }
    // The page has the digits and the words of each root, and no server has a DS certificate.
    let page = String::from_utf8(curl(&format!("http://127.0.0.1:{www}/"))).unwrap();
    for der in &roots {
        let digest = sha256(der, &scene);
        assert!(page.replace(' ', "").contains(&digest), "{digest}");
    }
    assert_eq!(page.matches("<section lang=\"ja\">").count(), 1);
    assert!(page.contains("32 語") && page.contains("all 32 words"), "{page}");
    assert_eq!(
        page.matches("<code>").count(),
        2 * 6,
        "digits and words of two roots, in Japanese in kana too, and the CP/CPS"
    );
    assert_eq!(curl(&format!("http://127.0.0.1:{www}/roots/root-g2.cer")), roots[1]);
    let notice = curl(&format!("http://127.0.0.1:{www}/notices/2026-10-ds-compromise.ja.md"));
    assert_eq!(notice, golden("2026-10-ds-compromise/notice.ja.md"));
    let cps = curl(&format!("http://127.0.0.1:{www}/cps/cps.ja.txt"));
    assert_eq!(cps, fs::read(root().join("ceremony-plans/mdoc-root/cps.ja.txt")).unwrap());
    let lines = scene.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("\"web:dts/mdoc/g1.crl\"") && lines[0].contains("\"ldapi://"));
    // Nothing changes, so nothing is recorded.
    scene.synced("2031-06-07T10:00:00+09:00", 0);
    assert_eq!(scene.lines(), lines);
}

#[test]
fn a_consumer_has_by_replication_what_the_provider_has() {
    let mut scene = Scene::with(&["2026-04-genesis"]);
    let (_provider, socket, tcp) = provider(&scene);
    scene.ldap = vec![socket];
    scene.synced("2026-04-02T00:00:05+09:00", 0);
    let (_consumer, _, copy) = slapd(&scene, "slapd-consumer", &tcp);
    let attribute = "certificateRevocationList;binary";
    let has = |day: &str| {
        let asked = golden(&format!("2026-04-genesis/crl-g1-{day}.crl"));
        let mut command = Command::new("ldapsearch");
        command.args(["-x", "-LLL", "-H", &copy, "-b", CA, "-s", "base", "dn"]);
        command.output().unwrap().status.success()
            && ldapsearch(&copy, attribute, &scene.folder) == [asked]
    };
    until("the copy", || has("2026-04-02"));
    scene.synced("2026-04-03T00:00:05+09:00", 0);
    until("the next day's copy", || has("2026-04-03"));
    // A consumer takes nothing from anybody else.
    let mut modify = Command::new("ldapdelete");
    assert!(!modify.args(["-x", "-H", &copy, CA]).output().unwrap().status.success());
    let mut modify = Command::new("ldapdelete");
    assert!(!modify.args(["-x", "-H", &tcp, CA]).output().unwrap().status.success());
}

#[test]
fn a_compromise_replaces_the_batch_at_once() {
    let scene = Scene::with(&["2026-04-genesis", "2026-06-ds", "2026-09-renewal"]);
    scene.synced("2026-10-14T18:00:00+09:00", 0);
    assert_eq!(scene.crl("g1"), Some(golden("2026-09-renewal/crl-g1-2026-10-14.crl")));
    scene.add("2026-10-ds-compromise");
    scene.synced("2026-10-14T18:30:00+09:00", 0);
    assert_eq!(scene.crl("g1"), Some(golden("2026-09-renewal/crl-g1-2026-10-14.crl")));
    assert!(!scene.web().join("www/notices").exists(), "a notice before its time");
    scene.synced("2026-10-14T19:01:00+09:00", 0);
    assert_eq!(scene.crl("g1"), Some(golden("2026-10-ds-compromise/crl-g1-2026-10-14.crl")));
    assert!(scene.web().join("www/notices/2026-10-ds-compromise.en.md").exists());
    // The superseded batch never comes back, not even when the release that superseded it is lost.
    scene.synced("2026-10-15T00:01:00+09:00", 0);
    assert_eq!(scene.crl("g1"), Some(golden("2026-10-ds-compromise/crl-g1-2026-10-15.crl")));
    fs::remove_dir_all(scene.releases().join("2026-10-ds-compromise")).unwrap();
    let said = scene.synced("2026-10-16T00:01:00+09:00", 4);
    assert!(said.contains("S-SERVED"), "{said}");
    assert_eq!(scene.crl("g1"), Some(golden("2026-10-ds-compromise/crl-g1-2026-10-15.crl")));
}

#[test]
fn a_compromised_root_is_withdrawn() {
    let mut scene = Scene::with(&[]);
    let (_slapd, socket, tcp) = provider(&scene);
    scene.ldap = vec![socket];
    scene.synced("2031-11-20T18:00:00+09:00", 0);
    assert!(scene.web().join("www/roots/root-g2.cer").exists());
    scene.synced("2031-11-20T19:05:00+09:00", 0);
    assert!(!scene.web().join("www/roots/root-g2.cer").exists());
    let page = fs::read_to_string(scene.web().join("www/index.html")).unwrap();
    let digest = sha256(&golden("2031-03-rollover/root-g2.der"), &scene);
    assert!(!page.replace(' ', "").contains(&digest) && page.contains("Remove it"), "{page}");
    assert_eq!(ldapsearch(&tcp, "cACertificate;binary", &scene.folder), Vec::<Vec<u8>>::new());
    // What was signed before is still checked with the CRL of that key.
    let crl = golden("2031-11-root-compromise/crl-g2-2031-11-20.crl");
    assert_eq!(scene.crl("g2"), Some(crl));
    scene.synced("2031-11-25T23:00:00+09:00", 0);
    let roots = ldapsearch(&tcp, "cACertificate;binary", &scene.folder);
    assert_eq!(roots, [golden("2031-11-recovery/root-g3.der")]);
}

/// Never less than two days are left on the CRL that is out, it is never one of a day to come, and
/// its number never falls: over three months and two batches.
#[test]
fn a_quarter_has_a_good_crl_at_every_hour() {
    let scene = Scene::with(&["2026-04-genesis", "2026-06-ds"]);
    let every = if std::env::var("GISHIKI_ALL").as_deref() == Ok("1") { 1 } else { 24 * 4 };
    let mut hour = 24;
    let mut runs = 0;
    while hour < 24 * 95 {
        let day = 1 + hour / 24;
        let (month, day) = match day {
            1..=30 => (4, day),
            31..=61 => (5, day - 30),
            62..=91 => (6, day - 61),
            _ => (7, day - 91),
        };
        let date = format!("2026-{month:02}-{day:02}");
        scene.synced(&format!("{date}T{:02}:00:05+09:00", hour % 24), 0);
        let batch = if (month, day) < (6, 30) { "2026-04-genesis" } else { "2026-06-ds" };
        let asked = golden(&format!("{batch}/crl-g1-{date}.crl"));
        assert_eq!(scene.crl("g1"), Some(asked), "{date}");
        hour += every;
        runs += 1;
    }
    // Every CRL that was out is kept, under its number.
    let kept = fs::read_dir(scene.web().join("dts/kept")).unwrap().count();
    println!("{runs} runs, {kept} CRLs kept");
    assert!(kept >= 20 && kept == scene.lines().len(), "{kept}");
}

#[test]
fn probe_sees_what_a_verifier_sees() {
    let mut scene = Scene::with(&["2026-04-genesis"]);
    let (_nginx, dts, _) = nginx(&scene);
    let (_slapd, socket, tcp) = provider(&scene);
    scene.ldap = vec![socket];
    scene.http = Some(format!("http://127.0.0.1:{dts}"));
    // The same time of day as now, so that the server's max-age ends with the day of the CRL.
    let time = succeed(Command::new("date").args(["-u", "+%H:%M:%S"]));
    let time = String::from_utf8(time).unwrap().trim().to_string();
    let at = |day: &str| format!("2026-{day}T{time}Z");
    scene.synced(&at("05-10"), 0);
    let (code, said) = scene.probed(&at("05-10"), &[&tcp]);
    assert_eq!((code, said.as_str()), (0, "well\n"));
    let metrics = fs::read_to_string(scene.folder.join("metrics.prom")).unwrap();
    assert!(metrics.ends_with("# EOF\n") && metrics.contains("gishiki_dts_state 0\n"), "{metrics}");
    assert!(metrics.contains("gishiki_dts_crl_number{key=\"75f7094a160a2b3d"), "{metrics}");
    // Two days later, nothing was published since: one day late is a warning, two are an alarm.
    assert_eq!(scene.probed(&at("05-11"), &[]).0, 1);
    let (code, said) = scene.probed(&at("05-13"), &[&tcp]);
    assert!(code == 2 && said.contains("still the CRL of"), "{code} {said}");
    // Sixteen days before the batch runs out.
    scene.synced(&at("06-28"), 0);
    assert_eq!(scene.probed(&at("06-28"), &[]).0, 0);
    scene.synced(&at("07-01"), 0);
    let (code, said) = scene.probed(&at("07-01"), &[]);
    assert!(code == 1 && said.contains("no current CRL from 2026-07-1"), "{code} {said}");
    // Somebody else's file in the place of the CRL.
    fs::write(scene.web().join("dts/mdoc/g1.crl"), "not a CRL").unwrap();
    let (code, said) = scene.probed(&at("07-01"), &[]);
    assert!(code == 2 && said.contains("not a CRL that this CA publishes"), "{code} {said}");
    scene.synced(&at("07-01"), 0);
    // The directory has something else.
    let mut delete = Command::new("ldapdelete");
    succeed(delete.args(["-Y", "EXTERNAL", "-Q", "-H", &scene.ldap[0], CA]));
    let (code, said) = scene.probed(&at("07-01"), &[&tcp]);
    assert!(code == 1 && said.contains("certificateRevocationList;binary differs"), "{said}");
}
