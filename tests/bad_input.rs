//! What is refused at the edge: files, folders, journals, modules, terminals. Nothing is written,
//! nothing hangs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use ceremony::compile::compile;
use ceremony::inputs::{Documents, Inputs};
use ceremony::record::Mode;

use crate::support::{
    Drill, GISHIKI, genesis, genesis_golden, gishiki, nothing, run, sample_ca, text,
};

/// The output of a refused command: its code, its rule, no panic.
pub(crate) fn refused(output: &Output, code: i32, rule: &str) {
    let said = text(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(rule), "{rule}: {said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_cps_document_is_the_one_that_cps_toml_names() {
    let folder = tempfile::tempdir().unwrap();
    let plan = sample_ca(&folder.path().join("ca"));
    let document = plan.join("../cps.ja.txt");
    let check = || run(gishiki().arg("check").arg(&plan));
    assert_eq!(check().status.code(), Some(0), "{}", text(&check()));
    let good = fs::read(&document).unwrap();
    fs::write(&document, [&good[..], b" "].concat()).unwrap();
    refused(&check(), 2, "S-DOCUMENT");
    fs::remove_file(&document).unwrap();
    refused(&check(), 2, "S-DOCUMENT");
    symlink(genesis().join("../cps.ja.txt"), &document).unwrap();
    refused(&check(), 5, "S-FILE");
}

#[test]
fn files_that_are_no_plain_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plan = sample_ca(&folder.path().join("ca"));
    let file = plan.join("plan.toml");
    let good = fs::read(&file).unwrap();
    let check = || {
        let mut command = Command::new("timeout");
        run(command.args(["5", GISHIKI, "check"]).arg(&plan))
    };
    let replace = |make: &dyn Fn(&Path)| {
        let _ = fs::remove_file(&file);
        make(&file);
        let output = check();
        let _ = fs::remove_file(&file).or_else(|_| fs::remove_dir(&file));
        output
    };
    refused(&replace(&|_| {}), 5, "S-FILE");
    refused(&replace(&|path| symlink(genesis().join("plan.toml"), path).unwrap()), 5, "S-FILE");
    refused(&replace(&|path| fs::create_dir(path).unwrap()), 5, "S-FILE");
    refused(
        &replace(&|path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success())),
        5,
        "S-FILE",
    );
    refused(&replace(&|path| symlink("/dev/zero", path).unwrap()), 5, "S-FILE");
    let sparse =
        |size: u64| move |path: &Path| fs::File::create(path).unwrap().set_len(size).unwrap();
    refused(&replace(&sparse(1 << 40)), 5, "S-FILE");
    refused(&replace(&sparse(100 << 20)), 5, "S-FILE");
    for (octets, rule) in [
        (Vec::new(), "S-FORM"),
        (b"\xef\xbb\xbfformat = 1".to_vec(), "S-TEXT"),
        (b"format = 1\0".to_vec(), "S-TEXT"),
        (b"format = \"\xff\"".to_vec(), "S-TEXT"),
        ([b"x = ".to_vec(), vec![b'['; 10_000]].concat(), "S-FORM"),
        ([good.clone(), b"[[".to_vec()].concat(), "S-FORM"),
    ] {
        refused(&replace(&|path| fs::write(path, &octets).unwrap()), 2, rule);
    }
    fs::write(&file, &good).unwrap();
    assert!(check().status.success());
    refused(&run(gishiki().arg("check").arg(folder.path().join("none\nsuch"))), 5, "S-FILE");
}

/// What is large and wrong is refused within 5 seconds and 256 MiB, as any other input.
#[test]
fn no_input_is_too_large_to_be_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plan = sample_ca(&folder.path().join("ca"));
    let file = plan.join("plan.toml");
    let good = fs::read_to_string(&file).unwrap();
    let many =
        |count: usize, line: &dyn Fn(usize) -> String| -> String { (0..count).map(line).collect() };
    let people = |count: usize| {
        let (before, after) = good.split_once("participants = [").unwrap();
        let unknown = many(count, &|n| format!("\"x{n:06}\",\n"));
        format!("{before}participants = [{unknown}{after}")
    };
    let keys = many(10_000, &|n| format!("[key.k{n}]\nuse = \"root\"\n"));
    let orders = many(20_000, &|n| format!("\"a{n:05}\", "));
    for (text, rule) in [
        (people(10_000), "S-PARTICIPANT"),
        (people(250_000), "S-TEXT"),
        (format!("{good}{keys}"), "S-KEYS"),
        (good.replacen("sequence", &format!("release = [{orders}]\nsequence"), 1), "S-RELEASE"),
        (format!("{good}{}", many(120_000, &|n| format!("k{n} = 1\n"))), "S-FORM"),
        ("\n".repeat(260_000), "S-FORM"),
        ("\n".repeat(3_000_000), "S-TEXT"),
        (format!("x = {}", "[".repeat(260_000)), "S-FORM"),
        (format!("x = {}", "[".repeat(3_000_000)), "S-TEXT"),
        ("a ".repeat(1_500_000), "S-FORM"),
        ("\"\" ".repeat(1_000_000), "S-FORM"),
    ] {
        fs::write(&file, text).unwrap();
        let output = bounded(&["check", plan.to_str().unwrap()]);
        refused(&output, 2, rule);
        assert!(text_of_many(&output), "{rule}");
    }
}

/// The program with at most 5 seconds of a processor, however busy the machine is, and 256 MiB of
/// data.
fn bounded(arguments: &[&str]) -> Output {
    let mut command = Command::new("prlimit");
    command.arg(format!("--data={}", 256 << 20)).args(["--cpu=5", "timeout", "60", GISHIKI]);
    run(command.args(arguments).env("LC_ALL", "C.UTF-8"))
}

/// Each violation is there: the first fifty with their lines, the others in a line of their own.
fn text_of_many(output: &Output) -> bool {
    let said = text(output);
    let counted: usize = said.lines().last().unwrap().split(' ').next().unwrap().parse().unwrap();
    let in_full = said.lines().filter(|line| line.contains("─[")).count();
    let in_a_line =
        said.lines().filter(|line| line.contains("plan.toml:") && line.contains("  asked: "));
    in_full <= 50 && in_full + in_a_line.count() == counted
}

#[test]
fn no_sealed_file_is_too_large_to_be_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    crate::support::copy(&genesis_golden(), &out);
    let transcript = out.join("transcript.jsonl");
    let good = fs::read_to_string(&transcript).unwrap();
    let verify = || bounded(&["verify", out.to_str().unwrap(), "--rehearsal"]);
    let sparse = |size: u64| fs::File::create(&transcript).unwrap().set_len(size).unwrap();
    sparse(900 << 20);
    refused(&verify(), 5, "S-FILE");
    sparse(64 << 20);
    refused(&verify(), 4, "S-RECORD");
    fs::write(&transcript, format!("[{}1]\n", "1,".repeat(20 << 20))).unwrap();
    refused(&verify(), 4, "S-RECORD");
    fs::write(&transcript, good.repeat((48 << 20) / good.len())).unwrap();
    refused(&verify(), 4, "S-TIME-BACK");
    fs::write(&transcript, &good).unwrap();
    assert!(verify().status.success());
    let bundle = format!("{{\"x\":[{}1]}}\n", "1,".repeat(20 << 20));
    fs::write(out.join("transcript.sigstore.json"), bundle).unwrap();
    refused(&verify(), 4, "S-SEAL");
}

/// A file's name is no input that a reviewer sees: it moves nothing on the terminal.
#[test]
fn no_name_of_a_file_steers_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    crate::support::copy(&genesis_golden(), &out);
    fs::write(out.join("a\n\u{1b}[2J\u{202e}b"), "x").unwrap();
    for flag in [&["--rehearsal"][..], &[]] {
        let output = run(gishiki().arg("verify").arg(&out).args(flag));
        refused(&output, 4, "S-ARTEFACT");
        let said = text(&output);
        assert!(said.starts_with("refused a") && said.lines().count() == 3, "{said:?}");
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said:?}");
    }
}

/// Every document says where it is wrong.
#[test]
fn a_fault_of_any_document_has_a_line_and_a_column() {
    let drill = Drill::new();
    let place = |name: &str, text: &str, at: &str| {
        let path = drill.path(name);
        let good = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, text).unwrap();
        let mut command = drill.run_command(&genesis());
        if name == "anchor.toml" {
            command = gishiki();
            command.arg("verify").arg(genesis_golden()).arg("--anchor").arg(&path);
        }
        let output = run(&mut command);
        refused(&output, 5, "S-FORM");
        let said = crate::support::text(&output);
        assert!(said.contains(&format!("{}:{at}", path.display())), "{name}: {said}");
        fs::write(&path, good).unwrap();
    };
    let room = fs::read_to_string(drill.path("room.toml")).unwrap();
    let line = room.lines().count() + 2;
    place("room.toml", &format!("{room}\nother = 1\n"), &format!("{line}:1]"));
    place("answers.toml", "default = \"as-planned\"\n[op.clock]\nreason = 1\n", "3:1\n");
    place("anchor.toml", "format = 1\nca = 3\n", "2:6]");
}

/// A line that is too long to be shown still has a place, and so has everything else.
#[test]
fn a_violation_in_a_long_line_has_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let plan = sample_ca(&folder.path().join("ca"));
    let good = fs::read_to_string(plan.join("plan.toml")).unwrap();
    let long = format!("[crls] # {}\nother = 1\n", "儀".repeat(1_000));
    let line = good.lines().position(|line| line == "[crls]").unwrap() + 2;
    fs::write(plan.join("plan.toml"), good.replace("[crls]\n", &long)).unwrap();
    let said = text(&run(gishiki().arg("check").arg(&plan)));
    assert!(said.contains(&format!("plan.toml:{line}:1: S-FORM")), "{said}");
    assert!(said.lines().all(|line| line.len() < 1_000), "{said}");
}

#[test]
fn a_plan_cut_anywhere_is_refused_or_means_what_it_says() {
    let read = |name: &str| fs::read(genesis().join(name)).unwrap();
    let plan = read("plan.toml");
    let [cps, policy, roster] = ["cps", "policy", "roster"].map(|n| read(&format!("../{n}.toml")));
    let mut refused = 0;
    for cut in 0..plan.len() {
        let documents = Documents {
            plan: &plan[..cut],
            cps: &cps,
            policy: &policy,
            roster: &roster,
            release: None,
        };
        let read = Inputs::read(documents, &[].into());
        refused += usize::from(read.and_then(|r| compile(&r, &nothing(), Mode::Real)).is_err());
    }
    assert!(refused + 8 > plan.len(), "{refused} of {}", plan.len());
}

#[test]
fn an_output_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    refused(&run(gishiki().arg("rehearse").arg(genesis()).arg("--out").arg(&out)), 5, "S-OUT");
    fs::remove_dir(&out).unwrap();
    symlink("nowhere", &out).unwrap();
    refused(&run(gishiki().arg("rehearse").arg(genesis()).arg("--out").arg(&out)), 5, "S-OUT");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_that_was_changed_is_refused() {
    let change = |name: &str, new: Option<&dyn Fn(Vec<u8>) -> Vec<u8>>| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        crate::support::copy(&genesis_golden(), &out);
        let path = out.join(name);
        match new {
            Some(new) => fs::write(&path, new(fs::read(&path).unwrap_or_default())).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        // Files are compared whether or not anything is trusted.
        let bare = run(gishiki().arg("verify").arg(&out));
        let output = run(gishiki().arg("verify").arg(&out).arg("--rehearsal"));
        assert_eq!(bare.status.code(), output.status.code(), "{name}: {}", text(&bare));
        output
    };
    let flip = |at: usize| {
        move |mut octets: Vec<u8>| {
            let at = at.min(octets.len() - 2);
            octets[at] ^= 1;
            octets
        }
    };
    let more = |octets: Vec<u8>| [octets, b"\n".to_vec()].concat();
    refused(&change("inputs/plan.toml", Some(&more)), 4, "S-INPUTS");
    refused(&change("inputs/extra.toml", Some(&more)), 4, "S-INPUTS");
    refused(&change("inputs/roster.toml", None), 4, "S-FORM");
    refused(&change("transcript.jsonl", Some(&|_| Vec::new())), 4, "S-EMPTY");
    refused(&change("transcript.jsonl", Some(&flip(5_000))), 4, "S-RECORD");
    refused(&change("transcript.jsonl", Some(&|o| o[..o.len() - 1].to_vec())), 4, "S-RECORD");
    let last_line = |octets: Vec<u8>| {
        let end = octets[..octets.len() - 1].iter().rposition(|o| *o == b'\n').unwrap();
        octets[..=end].to_vec()
    };
    refused(&change("transcript.jsonl", Some(&last_line)), 4, "S-END");
    refused(&change("transcript.sigstore.json", Some(&more)), 4, "S-SEAL");
    refused(&change("transcript.sigstore.json", None), 4, "S-SEAL");
    for name in
        ["root-g1.der", "root-g1.txt", "crls.txt", "script.ja.md", "graph.txt", "manifest.json"]
    {
        refused(&change(name, Some(&flip(40))), 4, "S-ARTEFACT");
        refused(&change(name, None), 4, "S-ARTEFACT");
    }
    refused(&change("extra", Some(&more)), 4, "S-ARTEFACT");
    refused(&change("after.jsonl", Some(&flip(700))), 4, "S-RECORD");
}

#[test]
fn usage_errors_have_their_own_code() {
    refused(&run(gishiki().arg("perform")), 64, "unrecognized subcommand");
    refused(&run(gishiki().arg("rehearse").arg(genesis())), 64, "--out");
    assert_eq!(run(gishiki().arg("--version")).status.code(), Some(0));
}

/// A file more, an empty folder, a link: each is refused, in a sealed folder and in a ledger.
#[test]
fn a_sealed_folder_holds_what_its_transcript_gives_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let sealed = ledger.join("2026-04-genesis");
    crate::support::copy(&genesis_golden(), &sealed);
    let verify = |what: &Path| run(gishiki().arg("verify").arg(what).arg("--rehearsal"));
    assert!(verify(&sealed).status.success() && verify(&ledger).status.success());
    let both = |code: i32, rule: &str| {
        refused(&verify(&sealed), code, rule);
        refused(&verify(&ledger), code, rule);
    };
    fs::write(sealed.join("more.der"), "x").unwrap();
    both(4, "S-ARTEFACT");
    fs::remove_file(sealed.join("more.der")).unwrap();
    for empty in ["empty", "inputs/empty"] {
        fs::create_dir(sealed.join(empty)).unwrap();
        both(4, "S-ARTEFACT");
        fs::remove_dir(sealed.join(empty)).unwrap();
    }
    for name in ["root-g1.txt\u{202e}", ".hidden", "a b"] {
        fs::write(sealed.join(name), "x").unwrap();
        both(4, "S-ARTEFACT");
        fs::remove_file(sealed.join(name)).unwrap();
    }
    let (inputs, elsewhere) = (sealed.join("inputs"), folder.path().join("elsewhere"));
    fs::rename(&inputs, &elsewhere).unwrap();
    symlink(&elsewhere, &inputs).unwrap();
    assert_eq!(verify(&sealed).status.code(), Some(5));
    fs::remove_file(&inputs).unwrap();
    fs::rename(&elsewhere, &inputs).unwrap();
    symlink(&sealed, ledger.join("2026-05-link")).unwrap();
    refused(&verify(&ledger), 5, "the link 2026-05-link");
}

/// Files of nothing but holes, whatever they say of their size, are refused with a code of ours.
#[test]
fn files_of_holes_are_refused_within_the_memory_that_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = folder.path().join("2026-04-genesis");
    crate::support::copy(&genesis_golden(), &sealed);
    for number in 0..20 {
        let hole = fs::File::create(sealed.join(format!("hole-{number}.der"))).unwrap();
        hole.set_len(60 << 20).unwrap();
    }
    for memory in [128, 256, 512] {
        let mut command = Command::new("prlimit");
        command.arg(format!("--as={}", memory << 20)).args(["timeout", "60", GISHIKI, "verify"]);
        refused(&run(command.arg(&sealed).arg("--rehearsal")), 5, "S-FILE");
    }
}
