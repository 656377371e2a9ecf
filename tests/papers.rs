//! What people hold in their hands: the HTML of scripts, as browsers and printers take it. Two
//! engines print it, Chromium on letter and `WeasyPrint` on A4; poppler reads what they printed;
//! axe looks for what keeps people from reading it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::browser::{self, chromium};
use crate::support::{root, succeed};

/// Every script of the samples, in each language of its CA.
fn scripts() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for ca in ["mdoc-root", "utopia-mdl"] {
        for ceremony in fs::read_dir(root().join("golden").join(ca)).unwrap() {
            let folder = ceremony.unwrap().path();
            for language in ["ja", "en"] {
                let script = folder.join(format!("script.{language}.html"));
                found.extend(script.is_file().then_some(script));
            }
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found.sort();
    found
}

/// A genesis in both languages, and the longest script.
fn printed() -> Vec<PathBuf> {
    let of = |name: &str| root().join("golden").join(name);
    [
        "mdoc-root/2026-04-genesis/script.ja.html",
        "mdoc-root/2026-04-genesis/script.en.html",
        "mdoc-root/2031-11-root-compromise/script.ja.html",
        "utopia-mdl/2034-02-rollover/script.en.html",
    ]
    .map(of)
    .into()
}

/// The names of the operations in a script, in order, from its Markdown.
fn steps(script: &Path) -> Vec<String> {
    let markdown = fs::read_to_string(script.with_extension("md")).unwrap();
    let titles = markdown.lines().filter(|line| line.starts_with("### "));
    let name = |line: &str| line.rsplit('`').nth(1).map(String::from);
    titles.map(|line| name(line).unwrap()).collect()
}

fn address(page: &Path) -> String {
    format!("file://{}", page.display())
}

/// The pages of a PDF as text.
fn pages(pdf: &Path) -> Vec<String> {
    let text = succeed(Command::new("pdftotext").args(["-layout"]).arg(pdf).arg("-"));
    let pages: Vec<String> = text.split('\u{c}').map(String::from).collect();
    let (last, pages) = pages.split_last().unwrap();
    assert!(last.trim().is_empty());
    pages.to_vec()
}

/// How dark each line of a page is, in dots, from its top to its bottom; and whether its edges are
/// white.
fn ink(pgm: &Path) -> (Vec<usize>, bool) {
    let octets = fs::read(pgm).unwrap();
    let mut fields = octets.splitn(4, |octet| octet.is_ascii_whitespace());
    assert_eq!(fields.next().unwrap(), b"P5");
    let mut number = || {
        let field = std::str::from_utf8(fields.next().unwrap()).unwrap();
        field.parse::<usize>().unwrap()
    };
    let (width, height) = (number(), number());
    let pixels = fields.next().unwrap().strip_prefix(b"255\n").unwrap();
    let is_dark = |octet: &u8| *octet < 0xa0;
    let lines: Vec<&[u8]> = pixels.chunks(width).collect();
    assert_eq!(lines.len(), height);
    // 5 mm at 40 dots per inch.
    let margin = 8;
    let white = lines.iter().all(|line| {
        !line[..margin].iter().any(is_dark) && !line[width - margin..].iter().any(is_dark)
    });
    (lines.iter().map(|line| line.iter().filter(|octet| is_dark(octet)).count()).collect(), white)
}

/// Judges a printed script: each page says what it belongs to and which it is; no step is divided;
/// nothing is cut off; no page is half empty but the last and the one before the steps, which begin
/// on a page of their own.
fn judge_printed(script: &Path, pdf: &Path, folder: &Path) {
    let (name, steps, pages) = (script.display(), steps(script), pages(pdf));
    let count = pages.len();
    assert!(count > 3, "{name}: {count} pages");
    let (mut seen, mut may_end_early) = (Vec::new(), vec![count]);
    for (number, page) in (1..).zip(&pages) {
        assert!(page.contains(&format!("{number} / {count}")), "{name}, page {number}:\n{page}");
        assert!(page.contains("graph: "), "{name}, page {number} does not name its graph");
        // The title of a step ends with its name and its clause; its time is a colon between lines.
        let words: Vec<&str> = page.split_whitespace().collect();
        let is_title =
            |pair: &&[&str]| steps.iter().any(|step| step == pair[0] && pair[1].starts_with('['));
        let titles: Vec<String> =
            words.windows(2).filter(is_title).map(|pair| pair[0].to_string()).collect();
        let times = words.iter().filter(|word| **word == ":").count();
        // A step that a page divides would have its title here and its time on the next.
        assert!(titles.is_empty() || titles.len() == times, "{name}, page {number}:\n{page}");
        if seen.is_empty() && !titles.is_empty() {
            may_end_early.push(number - 1);
        }
        seen.extend(titles);
    }
    assert_eq!(seen, steps, "{name}");
    let mut draw = Command::new("pdftoppm");
    draw.args(["-gray", "-r", "40"]).arg(pdf).arg(folder.join("page"));
    succeed(&mut draw);
    let mut pictures: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "pgm"))
        .collect();
    pictures.sort();
    assert_eq!(pictures.len(), count);
    for (number, picture) in (1..).zip(&pictures) {
        let (lines, white) = ink(picture);
        assert!(white, "{name}, page {number}: something stands on the edge of the paper");
        let body = &lines[lines.len() / 10..lines.len() * 9 / 10];
        let last = body.iter().rposition(|dots| *dots > 0).unwrap_or_default();
        assert!(
            may_end_early.contains(&number) || last > body.len() / 2,
            "{name}, page {number} ends at {last} of {}",
            body.len()
        );
        fs::remove_file(picture).unwrap();
    }
}

#[test]
fn a_script_is_one_file_that_loads_nothing() {
    for script in scripts() {
        let html = fs::read_to_string(&script).unwrap();
        let head = html.split_once("</head>").unwrap().0;
        for loads in ["<script", "<link", "src=", "url(", "@import", "http:", "https:"] {
            assert!(!head.contains(loads), "{}: {loads}", script.display());
        }
        assert!(head.contains("default-src 'none'"), "{}", script.display());
        for element in ["<script", "<img", "<iframe", "<object", "<a "] {
            assert!(!html.contains(element), "{}: {element}", script.display());
        }
    }
}

#[test]
fn chromium_prints_every_step_whole_on_letter() {
    let folder = tempfile::tempdir().unwrap();
    for script in printed() {
        let pdf = folder.path().join("script.pdf");
        let to = format!("--print-to-pdf={}", pdf.display());
        let options = ["--no-pdf-header-footer", to.as_str()];
        succeed(&mut chromium(&folder.path().join("profile"), &address(&script), &options));
        judge_printed(&script, &pdf, folder.path());
    }
}

#[test]
fn weasyprint_prints_every_step_whole_on_a4() {
    let folder = tempfile::tempdir().unwrap();
    for script in printed() {
        let pdf = folder.path().join("script.pdf");
        let mut print = Command::new(root().join(".venv/bin/weasyprint"));
        succeed(print.arg("--quiet").arg(&script).arg(&pdf));
        judge_printed(&script, &pdf, folder.path());
    }
}

/// The page without its policy, which lets no program run, and with axe in it.
fn with_axe(script: &Path) -> String {
    let html = fs::read_to_string(script).unwrap();
    let (before, policy) = html.split_once("<meta http-equiv").unwrap();
    let (_, after) = policy.split_once(">\n").unwrap();
    browser::with_axe(&root(), &format!("{before}{after}"), &[])
}

#[test]
fn axe_finds_nothing_that_keeps_people_from_reading() {
    let folder = tempfile::tempdir().unwrap();
    for script in printed() {
        let page = folder.path().join("page.html");
        fs::write(&page, with_axe(&script)).unwrap();
        let options = ["--virtual-time-budget=60000", "--dump-dom"];
        let shown =
            succeed(&mut chromium(&folder.path().join("profile"), &address(&page), &options));
        let (passed, found) = browser::axe_found(&shown);
        assert!(passed > 10, "{passed}");
        assert!(found.starts_with("[]"), "{}: {found}", script.display());
    }
}
