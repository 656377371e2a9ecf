//! Ceremonies that end in the middle: what they leave on tokens, and how the next one goes on.

use std::fs;
use std::path::{Path, PathBuf};

use super::history::{CEREMONIES, History, plan};
use crate::support::{faulty_module, gishiki, run, text};

/// The CA's folder in a history's folder, with a ceremony more: this plan, with changes.
fn planned(history: &History, name: &str, text: String) -> PathBuf {
    let ca = history.folder().join("ca");
    if !ca.exists() {
        crate::support::copy(&crate::support::root().join("ceremony-plans/mdoc-root"), &ca);
    }
    let folder = ca.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("plan.toml"), text).unwrap();
    folder
}

/// A plan of the history as the one after it, on the day after, with another seed.
fn again(ceremony: &str, name: &str, day: (&str, &str)) -> String {
    let text = fs::read_to_string(plan(ceremony).join("plan.toml")).unwrap();
    let after = text.lines().find(|line| line.starts_with("after ")).unwrap();
    let sequence = text.lines().find(|line| line.starts_with("sequence ")).unwrap();
    let number: u32 = sequence.split("= ").nth(1).unwrap().trim().parse().unwrap();
    let seed = text.find("serials  = \"").unwrap() + "serials  = \"".len();
    let text = format!("{}00ff{}", &text[..seed], &text[seed + 4..]);
    text.replace(after, &format!("after    = \"{ceremony}\""))
        .replace(&format!("ceremony = \"{ceremony}\""), &format!("ceremony = \"{name}\""))
        .replace(sequence, &format!("sequence = {}", number + 1))
        .replace(day.0, day.1)
}

/// Tokens and ledger before this ceremony of the history.
fn before(ceremony: &str) -> History {
    let history = History::new();
    for one in CEREMONIES.into_iter().take_while(|one| *one != ceremony) {
        let output = history.run(one, Path::new(crate::support::SOFTHSM), None);
        assert!(output.status.success(), "{one}: {}", text(&output));
    }
    history
}

/// Cuts the power at this call, comes back after the window, and sees it closed as aborted.
fn abort(history: &History, ceremony: &str, point: &str) {
    let module = faulty_module();
    let killed = history.run(ceremony, &module, Some(point));
    assert!(!killed.status.success() && killed.status.code().is_none(), "{point}: nobody died");
    let output = history.resume(ceremony, &module, 10, None);
    assert_eq!(output.status.code(), Some(1), "{ceremony} {point}: {}", text(&output));
    assert!(history.verify().contains(&format!("✓ {ceremony} ")));
}

/// Holds the next ceremony, which clears this much, and judges the ledger.
fn goes_on(history: &History, next: &Path, cleared: &[&str]) {
    let output = history.run_plan(next, &faulty_module(), None);
    assert!(output.status.success(), "{}: {}", next.display(), text(&output));
    let name = next.file_name().unwrap().to_str().unwrap();
    let graph = fs::read_to_string(history.out(name).join("graph.txt")).unwrap();
    for op in cleared {
        assert!(graph.contains(&format!(" {op}: CKA_ID ")), "{op}");
    }
    assert_eq!(graph.matches(" clear-").count(), cleared.len(), "{name}");
    history.verify();
    // What was cleared is cleared once.
    let state = run(gishiki().arg("state").arg(history.ledger()).arg("--json"));
    assert!(text(&state).contains("\"remains\": []"), "{}", text(&state));
}

#[test]
fn a_key_pair_that_nobody_settled_is_cleared_by_the_next_ceremony() {
    let history = before("2031-03-rollover");
    abort(&history, "2031-03-rollover", "C_GenerateKeyPair#1:kill-after");
    assert_eq!(history.keys_on("DRILL mdoc-root"), (3, 3));
    let again = again("2031-03-rollover", "2031-03-again", ("2031-03-10", "2031-03-11"));
    let next = planned(&history, "2031-03-again", again);
    goes_on(&history, &next, &["clear-g2-1"]);
    assert_eq!(history.keys_on("DRILL mdoc-root"), (3, 3), "audit, g1, and the new g2");
}

#[test]
fn a_root_without_its_links_is_destroyed_with_its_key() {
    let history = before("2031-03-rollover");
    // The root is signed; the links are not.
    abort(&history, "2031-03-rollover", "C_Sign#2:kill-after");
    let text_of = again("2031-03-rollover", "2031-03-again", ("2031-03-10", "2031-03-11"));
    let check = |text_of: String| {
        let next = planned(&history, "2031-03-again", text_of);
        run(gishiki().arg("check").arg(next).arg("--ledger").arg(history.ledger()))
    };
    let quarter = text_of.split("[key.g2]").next().unwrap();
    let crls = "[crls]\nnext-ceremony = 2031-06-06\n";
    let output = check(format!("{quarter}{crls}"));
    assert!(text(&output).contains("S-RELEASE"), "{}", text(&output));
    let output = check(format!("release = [\"root-g2\"]\n{quarter}{crls}"));
    assert!(text(&output).contains("destroy its key"), "{}", text(&output));
    let destruction = "[destruction.g2]\napproved-by = [\"j-lis\", \"digital-agency\"]\n\
                       reason = \"its ceremony ended before the links\"\n";
    let third = text_of.replace("g2", "g3").replace("[key.g3]", &format!("{destruction}[key.g3]"));
    let output = check(third.clone());
    assert!(output.status.success(), "{}", text(&output));
    let next = planned(&history, "2031-03-again", third);
    goes_on(&history, &next, &[]);
    assert_eq!(history.keys_on("DRILL mdoc-root"), (3, 3), "audit, g1, g3");
}

#[test]
fn a_copy_that_proved_nothing_is_cleared_and_made_again() {
    let ceremony = "2026-12-backup-drill";
    let begun = before(ceremony);
    let calls = begun.calls(ceremony, &faulty_module());
    let signatures = calls.iter().filter(|call| *call == "C_Sign").count();
    // In the middle of the copy, and when it was to sign its CRL: that signature is the last but
    // one, before the seal.
    for point in
        ["C_UnwrapKey#1:kill-after".to_string(), format!("C_Sign#{}:kill-after", signatures - 1)]
    {
        let history = begun.copy();
        abort(&history, ceremony, &point);
        let again = again(ceremony, "2026-12-again", ("2026-12-25", "2026-12-26"));
        let next = planned(&history, "2026-12-again", again);
        goes_on(&history, &next, &["clear-g1-vault-1"]);
        assert_eq!(history.keys_on("DRILL vault"), (1, 1), "{point}");
    }
}

#[test]
fn a_destruction_that_nobody_saw_the_end_of_is_done_again() {
    let ceremony = "2031-09-destruction";
    let begun = before(ceremony);
    // The copy goes first, then the key; of each the private half first.
    for (number, cleared, destroyed_with) in
        [(1, "clear-g1-vault-1", true), (2, "clear-g1-1", false)]
    {
        let history = begun.copy();
        abort(&history, ceremony, &format!("C_DestroyObject/private-key#{number}:kill-after"));
        let text_of = again(ceremony, "2031-09-again", ("2031-09-03", "2031-09-04"));
        let (head, rest) = text_of.split_once("[application").unwrap();
        let rest = rest[rest.find("[destruction").unwrap()..].to_string();
        let crls = rest[rest.find("[crls]").unwrap()..].to_string();
        // The key on the root token is the last to go: until then it can be destroyed once more.
        let rest = if destroyed_with { rest } else { crls };
        let text_of = format!("{head}release = [\"ds-0006\"]\n{rest}");
        let next = planned(&history, "2031-09-again", text_of);
        goes_on(&history, &next, &[cleared]);
        assert_eq!(history.keys_on("DRILL mdoc-root"), (2, 2), "{number}: audit and g2");
        assert_eq!(history.keys_on("DRILL vault"), (1, 1), "{number}: the copy of g2");
    }
}
