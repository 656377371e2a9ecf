//! What people read is in both languages: a sentence with one is found here, where the type cannot.

use super::of;

#[test]
fn what_is_called_plain_is_no_sentence() {
    let mut calls = 0;
    for (path, text) in of("crates") {
        for (line, call) in calls_of(&text, "Bilingual::plain(") {
            calls += 1;
            for literal in literals(call) {
                assert!(words(&literal) < 2, "{}:{line}: says!: {literal:?}", path.display());
            }
        }
    }
    assert!(calls > 50, "{calls}");
}

#[test]
fn each_half_of_a_sentence_is_in_its_language() {
    let mut sentences = 0;
    for (path, text) in of("crates") {
        for call in ["says!(", "pick("] {
            for (line, call) in calls_of(&text, call) {
                let literals = literals(call);
                let [ja, en, ..] = literals.as_slice() else { continue };
                sentences += 1;
                let place = format!("{}:{line}", path.display());
                // English may name a word of the CP/CPS.
                let english = !is_japanese(en) || words(en) > 1;
                assert!(english, "{place}: Japanese first: {en:?}");
                assert!(words(ja) < 2 || is_japanese(ja), "{place}: in English: {ja:?}");
            }
        }
    }
    assert!(sentences > 300, "{sentences}");
}

/// Each call, with its line, from behind its parenthesis to the one that closes it.
fn calls_of<'t>(text: &'t str, call: &str) -> Vec<(usize, &'t str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(call) {
        let behind = &text[at + call.len()..];
        let (mut depth, mut quoted, mut escaped) = (1, false, false);
        for (end, c) in behind.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                found.push((text[..at].lines().count(), &behind[..end]));
                break;
            }
        }
    }
    found
}

/// The string literals of an expression, without what they capture.
fn literals(expression: &str) -> Vec<String> {
    let (mut found, mut now) = (Vec::new(), None::<String>);
    let (mut escaped, mut depth) = (false, 0);
    for c in expression.chars() {
        match (&mut now, c) {
            (None, '"') => now = Some(String::new()),
            (None, _) => {}
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(text), '"') => {
                found.push(std::mem::take(text));
                now = None;
            }
            (Some(_), '{') => depth += 1,
            (Some(_), '}') => depth -= 1,
            (Some(text), c) if depth <= 0 => text.push(c),
            (Some(_), _) => {}
        }
    }
    found
}

/// How many English words stand in a text: small letters between blanks.
fn words(text: &str) -> usize {
    let is_word = |word: &&str| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase())
    };
    text.split_whitespace().filter(is_word).count()
}

fn is_japanese(text: &str) -> bool {
    text.chars()
        .any(|c| ('\u{3040}'..='\u{30ff}').contains(&c) || ('\u{4e00}'..='\u{9fff}').contains(&c))
}
