//! A room that reads aloud in Japanese: the words in kana are on the screen, and are typed in kana
//! or in Latin letters. The words of the PGP list are taken there too, and the record has digits.

use ceremony::{hex, words};

use super::{IN_WINDOW, LATER, open_at};
use crate::support::terminal::{Terminal, first_words};
use crate::support::{Drill, genesis, gishiki_at};

/// The same 64 bits in kana, in Latin letters and in words of the PGP list.
struct Line {
    kana: String,
    latin: String,
    pgp: String,
}

impl Line {
    fn of(octets: &[u8]) -> Self {
        let kana = words::kana(&octets[..8]).concat();
        Self { latin: words::latin(&kana), pgp: words::lines(&octets[..8]).concat(), kana }
    }
}

fn value(terminal: &Terminal, name: &str) -> Line {
    Line::of(&hex::decode(&terminal.values[name]).unwrap())
}

/// What is no line of words is typed wrong, and differs from nothing.
fn judge_typing_errors(terminal: &mut Terminal, Line { kana, latin, pgp }: &Line) {
    let again = "もう一度入力してください";
    let (five, _) = latin.rsplit_once(' ').unwrap();
    let last = pgp.rsplit(' ').next().unwrap();
    for (typed, said) in [
        (five.to_string(), "✗ かなの 6 語に足りません(5 語)".to_string()),
        (format!("{latin} {latin} aida"), "✗ かなは 6 語ずつの行です(13 語)".to_string()),
        (format!("{five} aidaa"), "✗ この位置に来る単語ではありません: `aidaa`".to_string()),
        (format!("{five} {last}"), format!("✗ この位置に来る単語ではありません: `{last}`")),
    ] {
        let asked = terminal.types(&typed);
        assert!(asked.contains(&said) && asked.contains(again), "{typed}: {asked}");
        assert!(!asked.contains("一致しません"), "{asked}");
    }
    // Other words of the list are another value.
    let other: Vec<&str> = kana.split(' ').take(5).chain([words::list()[0]]).collect();
    assert!(terminal.types(&other.join(" ")).contains("✗ 一致しません"));
}

#[test]
fn a_room_that_reads_in_japanese_types_kana_or_latin_letters() {
    let drill = Drill::new();
    let begin = ["run", genesis().to_str().unwrap()].map(String::from);
    let begin = begin.each_ref().map(String::as_str);
    let mut terminal = open_at(gishiki_at(IN_WINDOW), &drill, "ja", &begin);
    let asked = terminal.until("書類の照合");
    let prompt = "(書類の初めのかな(ローマ字)6 語、英単語 8 語又は 16 進 16 桁以上): ";
    assert!(asked.ends_with(prompt), "{asked}");
    let (graph, bindings) = (value(&terminal, "graph"), value(&terminal, "bindings"));
    assert!(!asked.contains(&graph.kana) && !asked.contains(&graph.pgp), "{asked}");
    judge_typing_errors(&mut terminal, &graph);
    assert!(terminal.types(&graph.latin.to_uppercase()).contains("✓ 一致しました"));
    assert!(terminal.types(&bindings.kana.replace(' ', "\u{3000}")).contains("✓ 一致しました"));
    // A head is shown in both lists, and so is a fingerprint.
    let asked = terminal.until("フィンガープリントの読み上げ");
    let head = terminal.values["head"].clone();
    let below = terminal.said.rsplit(&head).next().unwrap().lines().nth(1).unwrap().trim();
    let head = Line::of(&words::octets(&head).unwrap());
    assert_eq!(below, head.pgp);
    let first = Line::of(&words::octets(&first_words(&asked)).unwrap());
    assert_eq!(first_words(&asked), first.kana);
    assert!(asked.contains(&first.pgp), "{asked}");
    assert!(terminal.types(&first.latin).contains("✓ 一致しました"));
    terminal.presses(b"\x03");
    assert_eq!(terminal.ends(), Some(130), "{}", terminal.said);
    // The head that was noted is typed in Latin letters; then words of the PGP list are taken too.
    let mut terminal = open_at(gishiki_at(LATER), &drill, "ja", &["resume"]);
    terminal.until("書類の照合");
    terminal.types(&graph.pgp);
    assert!(terminal.types(&bindings.latin).ends_with(
        "> 記録の最新値 (書き留め、確認した最後のかな(ローマ字)6 語か英単語 8 語。なければ none(なし)): "
    ));
    assert!(terminal.types(&format!("{} zulu", head.kana)).contains("`zulu`"));
    assert!(terminal.types(&head.latin).contains("✓ 一致しました"));
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    assert!(terminal.said.contains("別紙 D の控え"), "{}", terminal.said);
    assert!(drill.verify().contains("drill, consistent"));
    // Whatever was typed, the record has its digits.
    let transcript = std::fs::read_to_string(drill.path("out/transcript.jsonl")).unwrap();
    let digits = hex::encode(&words::octets(&head.kana).unwrap());
    assert!(transcript.contains(&format!("\"head\":\"{digits}\"")), "{digits}");
    assert!(!transcript.contains(&head.kana) && !transcript.contains(&head.latin));
}
