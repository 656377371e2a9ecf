//! The page of fingerprints as whoever opens it has it: in Chromium, from nginx.

use std::fs;
use std::process::Command;

use crate::browser::{axe_found, chromium, with_axe, with_script};
use crate::scene::{Scene, nginx, root, succeed};
use crate::served::sha256;

/// The words of a digest, from the published list.
fn words(digest: &str) -> Vec<String> {
    let list = fs::read_to_string(root().join("docs/words.txt")).unwrap();
    let rows: Vec<Vec<&str>> = list.lines().map(|row| row.split_whitespace().collect()).collect();
    let octets = (0..digest.len() / 2).map(|at| digest[2 * at..2 * at + 2].to_lowercase());
    let word = |(at, octet): (usize, String)| {
        let row = rows.iter().find(|row| row[0].to_lowercase() == octet).unwrap();
        row[1 + at % 2].to_string()
    };
    octets.enumerate().map(word).collect()
}

/// The words of a digest in kana, from the published list: six for each eight octets.
fn kana(digest: &str) -> String {
    let list = fs::read_to_string(root().join("docs/words-ja.txt")).unwrap();
    let kana: Vec<&str> = list.lines().map(|row| row.split_whitespace().nth(1).unwrap()).collect();
    let line = |at: usize| {
        let bits = u128::from_str_radix(&digest[at..at + 16], 16).unwrap() << 2;
        (0..6).rev().map(move |word| usize::try_from(bits >> (11 * word) & 0x7ff).unwrap())
    };
    (0..digest.len()).step_by(16).flat_map(line).map(|place| kana[place]).collect()
}

#[test]
fn who_opens_the_page_reads_every_fingerprint() {
    let scene = Scene::with(&[]);
    let (_nginx, _, www) = nginx(&scene);
    scene.synced("2031-06-07T09:00:00+09:00", 0);
    let profile = scene.folder.join("profile");
    let address = format!("http://127.0.0.1:{www}/");
    let pdf = scene.folder.join("page.pdf");
    let to = format!("--print-to-pdf={}", pdf.display());
    succeed(&mut chromium(&profile, &address, &["--no-pdf-header-footer", &to]));
    let printed = succeed(Command::new("pdftotext").arg(&pdf).arg("-"));
    let printed = String::from_utf8(printed).unwrap();
    let shown: String = printed.split_whitespace().collect();
    for key in ["2026-04-genesis/root-g1.der", "2031-03-rollover/root-g2.der"] {
        let der = fs::read(root().join("golden/mdoc-root").join(key)).unwrap();
        let digest = sha256(&der, &scene);
        // In either language.
        for value in [digest.clone(), words(&digest).concat()] {
            assert_eq!(shown.matches(&value).count(), 2, "{key}: {value}\n{printed}");
        }
        assert_eq!(shown.matches(&kana(&digest)).count(), 1, "{key}\n{printed}");
    }
    let html = fs::read_to_string(scene.web().join("www/index.html")).unwrap();
    let seen = |page: String| {
        let file = scene.folder.join("page.html");
        fs::write(&file, page).unwrap();
        let options = ["--virtual-time-budget=60000", "--dump-dom"];
        let address = format!("file://{}", file.display());
        String::from_utf8(succeed(&mut chromium(&profile, &address, &options))).unwrap()
    };
    // By WCAG 2.1, level AA.
    let shown = seen(with_axe(&root(), &html, &["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]));
    let (passed, found) = axe_found(&shown);
    assert!(passed > 10 && found.starts_with("[]"), "{passed} passed; {found}");
    // On a telephone nothing is wider than the screen.
    let wide = "const wide = [...document.querySelectorAll('body *')].filter(one => \
                one.getBoundingClientRect().right > 361).map(one => one.outerHTML); \
                document.body.textContent = 'wide: ' + JSON.stringify(wide) + ';'";
    let narrow = "document.documentElement.style.width = '360px';";
    let shown = seen(with_script(&html, &format!("{narrow} {wide}")));
    assert!(shown.contains("wide: [];"), "{shown}");
}
