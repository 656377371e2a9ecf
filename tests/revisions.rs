//! `diff` reads sides in a revision of git and all ceremonies of a CA, and `rehearse --compare`
//! says why a golden differs.
//!
//! The pages of a CA are snapshots in `tests/revisions`;
//! `GISHIKI_RENEW=1 cargo test --test all revisions` renews them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::diff::{differs, without_digests};
use crate::support::{
    copy, genesis_golden, gishiki, root, run, sample_ca, snapshot, succeed, text,
};

const DS: &str = "ceremony-plans/mdoc-root/2026-06-ds";
const CA: &str = "ceremony-plans/mdoc-root";
const GOLDEN: &str = "golden/mdoc-root/2026-04-genesis";

/// A repository with the sample CA and the golden of its first ceremony, in one commit.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        sample_ca(&repository.path(CA));
        copy(&genesis_golden(), &repository.path(GOLDEN));
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit();
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn git(&self, words: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.0.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        git.args(["-c", "user.name=FAKE", "-c", "user.email=fake@example.org"]);
        succeed(git.args(words));
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "a change"]);
    }

    fn edit(&self, file: &str, find: &str, put: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(find), "{file}: {find}");
        fs::write(self.path(file), text.replace(find, put)).unwrap();
    }

    /// Compares two sides from a folder of the repository.
    fn diff_in(&self, folder: &str, sides: [&str; 2], flags: &[&str]) -> Output {
        run(gishiki().current_dir(self.path(folder)).arg("diff").args(flags).arg("--").args(sides))
    }

    fn diff(&self, old: &str, new: &str) -> Output {
        self.diff_in("", [old, new], &[])
    }
}

fn assert_same(output: &Output) {
    assert_eq!((output.status.code(), text(output).as_str()), (Some(0), ""));
}

#[test]
fn a_side_in_a_revision_is_read_as_it_was() {
    let repository = Repository::new();
    let before = tempfile::tempdir().unwrap();
    copy(&repository.path(CA), &before.path().join("mdoc-root"));
    let plan = format!("{DS}/plan.toml");
    repository.edit(&plan, "until = 2026-06-30T17", "until = 2026-06-30T18");
    repository.edit(&format!("{CA}/policy.toml"), "seconds = 30", "seconds = 20");
    let (was, now) = (format!("HEAD:{DS}"), DS.to_string());
    let ledger = repository.path("golden/mdoc-root");
    let folders = [before.path().join("mdoc-root/2026-06-ds"), repository.path(DS)];
    let asked = run(gishiki().arg("diff").args(folders).arg("--ledger").arg(ledger));
    let asked = differs(&asked);
    assert!(asked.contains("window") && asked.contains("max-offset-seconds"), "{asked}");
    assert_eq!(differs(&repository.diff(&was, &now)), asked);
    let beside = repository.diff_in(CA, ["HEAD:./2026-06-ds", "2026-06-ds"], &[]);
    assert_eq!(differs(&beside), asked);
    // The goldens of a revision are its ledger, also if they are no longer there.
    repository.commit();
    fs::remove_dir_all(repository.path("golden")).unwrap();
    assert_eq!(differs(&repository.diff(&format!("main~1:{DS}"), &format!("HEAD:{DS}"))), asked);
    assert_same(&repository.diff(&format!("main~1:{GOLDEN}"), &format!("main:{GOLDEN}")));
    assert_eq!(repository.diff(&format!("main~1:{DS}"), DS).status.code(), Some(5));
    // Of a revision without any, those of the working tree.
    repository.commit();
    assert_eq!(
        repository.diff(&format!("main:{DS}"), &format!("main~2:{DS}")).status.code(),
        Some(5)
    );
    copy(&genesis_golden(), &repository.path(GOLDEN));
    assert_eq!(differs(&repository.diff(&format!("main~2:{DS}"), &format!("main:{DS}"))), asked);
}

/// The script of `docs/pull-requests.md`, on a branch that changes a plan and its golden.
#[test]
fn the_machine_of_a_pull_request_leaves_what_reviewers_read() {
    let document = fs::read_to_string(root().join("docs/pull-requests.md")).unwrap();
    let (_, machine) = document.split_once("## The machine").unwrap();
    let (_, script) = machine.split_once("```sh\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    let repository = Repository::new();
    repository.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    repository.edit(&format!("{DS}/plan.toml"), "until = 2026-06-30T17", "until = 2026-06-30T18");
    let (plan, ledger) = (repository.path(DS), repository.path("golden/mdoc-root"));
    let golden = ledger.join("2026-06-ds");
    let mut rehearse = gishiki();
    rehearse.arg("rehearse").arg(plan).arg("--ledger").arg(ledger).arg("--out").arg(&golden);
    succeed(&mut rehearse);
    repository.commit();
    let gishiki = PathBuf::from(env!("CARGO_BIN_EXE_gishiki"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", gishiki.parent().unwrap().display());
    let machine = || {
        let mut machine = Command::new("sh");
        machine.current_dir(repository.0.path()).env("PATH", &path).args(["-c", script]);
        run(machine.env("LANG", "C"))
    };
    let output = machine();
    assert!(output.status.success(), "{}", text(&output));
    let review = |name: &str| fs::read_to_string(repository.path("review").join(name)).unwrap();
    assert!(review("comment.md").contains("| window | "), "{}", review("comment.md"));
    for (name, words) in [
        ("script.ja.html", "構築手順書"),
        ("script.en.html", "Key ceremony script"),
        ("report.ja.html", "キーセレモニー報告書"),
        ("report.en.html", "Report of the key ceremony"),
    ] {
        assert!(review(name).contains(words), "{name}");
    }
    // A golden that is not what the plan gives stops it.
    fs::remove_dir_all(repository.path("review")).unwrap();
    repository.edit(&format!("{DS}/plan.toml"), "until = 2026-06-30T18", "until = 2026-06-30T16");
    let output = machine();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    assert!(text(&output).contains("S-ARTEFACT"), "{}", text(&output));
}

#[test]
fn what_git_cannot_name_is_refused_and_never_an_option() {
    let repository = Repository::new();
    repository.edit(&format!("{DS}/plan.toml"), "sequence = 2", "sequence = two");
    repository.commit();
    let made = repository.path("made");
    let option = format!("--output={}:{DS}", made.display());
    let cases = [
        (format!("nosuch:{DS}"), "asked: a revision of git\n  found: nosuch"),
        (format!(":{DS}"), "asked: a revision of git"),
        (option, "asked: a revision of git\n  found: --output="),
        (format!("-p:{DS}"), "asked: a revision of git\n  found: -p"),
        ("HEAD:no/such".into(), "asked: a folder in HEAD\n  found: no/such"),
        ("HEAD:--all".into(), "asked: a folder in HEAD\n  found: --all"),
        ("HEAD:../../etc".into(), "asked: a folder in HEAD\n  found: ../../etc"),
        ("HEAD:/etc".into(), "asked: a folder in HEAD\n  found: /etc"),
        (format!("HEAD:{DS}/plan.toml"), "asked: a folder in HEAD"),
    ];
    for (side, said) in &cases {
        let output = repository.diff(side, DS);
        let found = text(&output);
        assert_eq!(output.status.code(), Some(5), "{side}: {found}");
        assert!(found.contains("S-FILE") && found.contains(said), "{side}: {found}");
    }
    assert!(!made.exists());
    // A plan that cannot be read is named as git names it.
    let output = repository.diff(&format!("HEAD:{DS}"), DS);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains(&format!("HEAD:{DS}/plan.toml:7:")), "{}", text(&output));
    // Without a repository, and without git.
    let elsewhere = tempfile::tempdir().unwrap();
    let side = |command: &mut Command| {
        let output = run(command.current_dir(&elsewhere).args(["diff", "HEAD:x", "HEAD:x"]));
        assert_eq!(output.status.code(), Some(5));
        text(&output)
    };
    assert!(side(&mut gishiki()).contains("asked: a repository of git"));
    let without = side(gishiki().env("PATH", ""));
    assert!(without.contains("asked: the program git") && without.contains("none"), "{without}");
    let ja = side(gishiki().args(["--lang", "ja"]));
    assert!(ja.contains("git のリポジトリ"), "{ja}");
}

/// What one document changes in every ceremony stands once; what a ceremony has alone, by its name.
#[test]
fn all_ceremonies_of_a_ca_are_compared() {
    let place = tempfile::tempdir().unwrap();
    let (old, new) = (place.path().join("old/mdoc-root"), place.path().join("new/mdoc-root"));
    sample_ca(&old);
    sample_ca(&new);
    let edit = |file: &Path, find: &str, put: &str| {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(find));
        fs::write(file, text.replace(find, put)).unwrap();
    };
    edit(&new.join("policy.toml"), "max-offset-seconds = 30", "max-offset-seconds = 20");
    edit(&new.join("2026-06-ds/plan.toml"), "until = 2026-06-30T17", "until = 2026-06-30T18");
    fs::remove_dir_all(new.join("2032-03-token-lost")).unwrap();
    let diff = |old: &Path, new: &Path, flags: &[&str]| {
        let mut command = gishiki();
        command.arg("diff").args([old, new]).args(flags);
        run(command.arg("--ledger").arg(root().join("golden/mdoc-root")))
    };
    for (name, flags) in [
        ("a-policy-of-all", &[][..]),
        ("a-policy-of-all-md", &["--markdown"]),
        ("a-policy-of-all-ja", &["--lang", "ja"]),
    ] {
        let page = differs(&diff(&old, &new, flags));
        assert_eq!(page.matches("max-offset-seconds").count(), 1, "{page}");
        snapshot("tests/revisions", name, &without_digests(&page));
    }
    assert!(differs(&diff(&new, &old, &[])).contains("ceremonies added: 2032-03-token-lost\n"));
    assert_same(&diff(&old, &old, &[]));
}

#[test]
fn a_golden_that_differs_is_explained_by_its_meaning() {
    let place = tempfile::tempdir().unwrap();
    let plans = place.path().join("plans/mdoc-root");
    let genesis = sample_ca(&plans);
    let golden = place.path().join("golden");
    copy(&genesis_golden(), &golden.join("2026-04-genesis"));
    let compare = |plan: &Path, golden: &Path| {
        let output = run(gishiki().arg("rehearse").arg(plan).arg("--compare").arg(golden));
        assert_eq!(output.status.code(), Some(4), "{}", text(&output));
        let said = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        (said(&output.stdout), said(&output.stderr))
    };
    // The same plan and another file: what differs has no meaning.
    fs::write(golden.join("2026-04-genesis/root-g1.txt"), "other").unwrap();
    let (page, refusal) = compare(&genesis, &golden.join("2026-04-genesis"));
    assert!(page.is_empty(), "{page}");
    assert!(refusal.contains("root-g1.txt: S-ARTEFACT"), "{refusal}");
    assert!(refusal.contains("No change in meaning"), "{refusal}");
    // Another plan, alone and as one of the CA's.
    let plan = genesis.join("plan.toml");
    let was = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, was.replace("next-ceremony = 2026-06-30", "next-ceremony = 2026-06-29"))
        .unwrap();
    for (plan, golden) in [(&genesis, &golden.join("2026-04-genesis")), (&plans, &golden)] {
        let (page, refusal) = compare(plan, golden);
        assert!(page.contains("2026-04-genesis: what changes in meaning\n"), "{page}");
        assert!(page.contains("CRLs: 104 → 103"), "{page}");
        assert!(refusal.contains("S-ARTEFACT") && !refusal.contains("meaning"), "{refusal}");
    }
}
