//! Reads what is on the machine's screen, letter by letter, by the font that the image draws with.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::drill_iso;
use crate::machine::{Machine, PATIENCE, Plugged, assert_for_people};
use crate::medium::{Sticks, ext4};

/// A letter's lines of pixels, each from the highest bit on.
type Shape = Vec<u32>;

/// The letters that can be drawn, narrow and wide.
pub(crate) struct Font {
    /// Lines of pixels of a letter; a narrow one is half as wide.
    height: usize,
    letters: BTreeMap<(usize, Shape), char>,
}

impl Font {
    /// Reads the font of this size that `bterm` maps (`nix/live/font.c` has its form).
    pub(crate) fn read(layer: &Path, size: &str) -> Self {
        let octets = std::fs::read(layer.join(format!("usr/share/unifont-{size}.bgf"))).unwrap();
        let word = |at: usize| u32::from_le_bytes(octets[at..at + 4].try_into().unwrap());
        let number = |word: u32| usize::try_from(word).unwrap();
        let place = |at: usize| number(word(at));
        let (height, mask) = (place(12), word(16));
        let (offset, index, content) = (place(20), place(28), place(36));
        let mut letters = BTreeMap::new();
        for row in 0..=mask {
            let mut entry = index + place(offset + number(row) * 4) * 4;
            while word(entry) != 0 {
                let code = word(entry) & !mask | row;
                let width = number(word(entry) & mask);
                let glyph = content + place(entry + 4) * 4;
                let shape = (0..height).map(|line| word(glyph + line * 4)).collect();
                // Strokes and radicals look like letters, and no text is of them.
                let drawn = !matches!(code, 0x2e80..=0x2fdf | 0x31c0..=0x31ef);
                if let Some(letter) = char::from_u32(code).filter(|_| drawn) {
                    let known = letters.entry((width, shape)).or_insert(letter);
                    // Of letters that look alike, the one that people type.
                    *known = letter.min(*known);
                }
                entry += 8;
            }
        }
        assert!(letters.len() > 20_000, "{} letters", letters.len());
        Self { height, letters }
    }

    /// The lines of a screen, a picture in the PPM format.
    fn lines(&self, ppm: &[u8]) -> Vec<String> {
        let mut fields = ppm.splitn(4, |octet| octet.is_ascii_whitespace());
        assert_eq!(fields.next(), Some(b"P6".as_slice()));
        let mut number = || {
            let field = std::str::from_utf8(fields.next().unwrap()).unwrap();
            field.parse::<usize>().unwrap()
        };
        let (width, height) = (number(), number());
        let pixels = fields.next().unwrap().strip_prefix(b"255\n").unwrap();
        let dark = |x: usize, y: usize| pixels[(y * width + x) * 3] < 0x40;
        let shape = |x: usize, y: usize, wide: usize| -> Shape {
            let line = |line: usize| {
                let bits = (0..wide).filter(|bit| x + bit < width && dark(x + bit, y + line));
                bits.fold(0, |shape, bit| shape | 1 << (31 - bit))
            };
            (0..self.height).map(line).collect()
        };
        let narrow = self.height / 2;
        let line = |y: usize| {
            let (mut text, mut x) = (String::new(), 0);
            while x < width {
                let letter = |wide: usize| self.letters.get(&(wide, shape(x, y, wide))).copied();
                // A wide letter may begin with an empty half.
                let (letter, wide) = match (letter(narrow), letter(self.height)) {
                    (None | Some(' '), Some(wide)) if wide != '\u{3000}' => (wide, self.height),
                    (Some(letter), _) => (letter, narrow),
                    (None, _) => ('\u{fffd}', narrow),
                };
                text.push(letter);
                x += wide;
            }
            text.trim_end().to_string()
        };
        (0..height / self.height).map(|row| line(row * self.height)).collect()
    }
}

/// Waits until the screen shows all of these, and gives its text.
pub(crate) fn expect(machine: &Machine, font: &Font, picture: &Path, asked: &[&str]) -> String {
    let until = Instant::now() + PATIENCE;
    loop {
        let shown = look(machine, font, picture);
        if asked.iter().all(|text| shown.contains(text)) {
            assert_for_people(&shown);
            return shown;
        }
        assert!(Instant::now() < until, "{asked:?} is not on the screen:\n{shown}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Presses a key, shortly: it is repeated on the slowest of machines only.
fn press(machine: &Machine, key: &str) {
    machine.monitor(&format!("sendkey {key} 10"));
}

/// Types letters and digits on the machine's keyboard, and Enter.
fn enter(machine: &Machine, font: &Font, text: &str) {
    assert!(text.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit()));
    let keys: Vec<String> = text.chars().map(String::from).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    if !keys.is_empty() {
        type_keys(machine, font, &keys, text);
    }
    press(machine, "ret");
}

/// Presses keys until they stand before the cursor as this text: where one was repeated, the line
/// is typed anew.
fn type_keys(machine: &Machine, font: &Font, keys: &[&str], text: &str) {
    let until = Instant::now() + PATIENCE;
    let typed = format!(" {text}█");
    while Instant::now() < until {
        for key in keys {
            press(machine, key);
        }
        for _ in 0..10 {
            if look(machine, font, &machine.picture()).contains(&typed) {
                return;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        press(machine, "ctrl-u");
    }
    panic!("{text:?} could not be typed:\n{}", look(machine, font, &machine.picture()));
}

/// What is on the screen now.
fn look(machine: &Machine, font: &Font, picture: &Path) -> String {
    machine.monitor(&format!("screendump {}", picture.display()));
    let ppm = std::fs::read(picture).unwrap_or_default();
    if ppm.is_empty() { String::new() } else { font.lines(&ppm).join("\n") }
}

#[test]
fn the_ceremony_is_led_in_japanese_on_the_screen() {
    let iso = drill_iso();
    let sticks = Sticks::new(&iso);
    let media = vec![sticks.a.as_path(), &sticks.b, &sticks.token];
    let mut machine = Machine::boot(&Plugged { media, ..Plugged::of(&iso) });
    machine.expect("English ? ");
    let layer = crate::built("layers.base");
    let (font, large) = (Font::read(&layer, "small"), Font::read(&layer, "large"));
    let folder = crate::support::root().join("target/screen");
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(format!("{name}.ppm"));
    let language = ["3: 文字の大きさ", "1: 日本語", "2: English ?"];
    expect(&machine, &font, &file("language"), &language);
    enter(&machine, &font, "3");
    expect(&machine, &large, &file("large"), &language);
    enter(&machine, &large, "3");
    expect(&machine, &font, &file("language"), &language);
    enter(&machine, &font, "1");
    expect(&machine, &font, &file("keyboard"), &["1: JIS(日本語)"]);
    // The screen has the dialogue now, and the serial line is told.
    machine.send("2");
    let said = machine.expect("English ? ");
    assert!(said.contains("The dialogue is on the screen."), "{said}");
    let shown = |name: &str, asked: &[&str]| expect(&machine, &font, &file(name), asked);
    enter(&machine, &font, "1");
    shown("symbols", &["例: @ ^ : _ \\ |", "試し打ち"]);
    // The keys of a JIS keyboard, in the example's order.
    let keys = ["bracket_left", "equal", "apostrophe", "shift-ro", "ro", "shift-yen"];
    type_keys(&machine, &font, &keys, "@^:_\\|");
    enter(&machine, &font, "");
    shown("symbols", &["✓ 例のとおりです"]);
    enter(&machine, &font, "");
    let digest = ::ceremony::hex::Digest::of(&std::fs::read(&iso).unwrap()).to_string();
    shown("system", &["イメージの SHA-256", &digest, "時計: 2026-04-01 10:3", "の形で:"]);
    enter(&machine, &font, "yes");
    shown("menu", &["✓ 基準と一致しました", "1: セレモニーを行う", "0: 電源を切る"]);
    // These end nothing; the last leaves a letter on the line.
    for keys in ["ctrl-c", "ctrl-alt-delete", "alt-sysrq-b", "ret"] {
        press(&machine, keys);
    }
    enter(&machine, &font, "1");
    shown("act", &["── 1.", "確認した者の ID"]);
    picture_of_the_screen(&machine, &folder.join("act.png"));
    enter(&machine, &font, "p99");
    shown("refused", &["参加者の ID ではありません: p99"]);
    enter(&machine, &font, "p12");
    shown("next-act", &["── 2."]);
    looks_back(&machine, &shown);
}

/// Page up shows what has left the screen, and page down comes back; what is typed meanwhile goes
/// nowhere.
fn looks_back(machine: &Machine, shown: &impl Fn(&str, &[&str]) -> String) {
    let act = ["── 2.", "(空白区切り): █"];
    let now = shown("now", &act);
    assert!(!now.contains("1: 日本語"), "{now}");
    // A picture may be taken while the screen is drawn.
    let comes_back = || {
        let until = Instant::now() + PATIENCE;
        while shown("back", &act) != now {
            assert!(Instant::now() < until, "the screen is not as it was:\n{now}");
        }
    };
    for _ in 0..3 {
        press(machine, "shift-pgup");
    }
    shown("before", &["1: 日本語", "キーボード  1: JIS", "↑0 ", "PageUp / PageDown"]);
    press(machine, "p");
    // Where the key was repeated, its second letter was typed.
    press(machine, "ctrl-u");
    comes_back();
    press(machine, "pgup");
    shown("before", &["1: 日本語", "PageUp / PageDown"]);
    press(machine, "pgdn");
    comes_back();
}

/// The screen as a picture that any program shows: a PNG with the screen's size in its header.
fn picture_of_the_screen(machine: &Machine, png: &Path) {
    machine.monitor(&format!("screendump {} -f png", png.display()));
    let octets = std::fs::read(png).unwrap();
    let ppm = std::fs::read(png.with_extension("ppm")).unwrap();
    let size = String::from_utf8_lossy(&ppm[3..15]).split_whitespace().take(2).fold(
        Vec::new(),
        |mut octets, number| {
            octets.extend(number.parse::<u32>().unwrap().to_be_bytes());
            octets
        },
    );
    let header = [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &size].concat();
    assert!(octets.starts_with(&header) && octets.ends_with(b"IEND\xaeB`\x82"), "{octets:?}");
}

#[test]
fn the_tool_image_offers_the_ceremonies_of_a_stick() {
    let folder = tempfile::tempdir().unwrap();
    let stick = folder.path().join("plans.img");
    let plans = folder.path().join("plans");
    for part in ["ceremony-plans", "golden/mdoc-root"] {
        crate::support::copy(&crate::repository().join(part), &plans.join(part));
    }
    ext4(&stick, "GISHIKI-PLAN", &plans);
    let iso = crate::built("iso").join("gishiki.iso");
    let media = vec![stick.as_path()];
    let machine = Machine::boot(&Plugged { media, serial: false, ..Plugged::of(&iso) });
    let font = Font::read(&crate::built("layers.base"), "small");
    let picture = folder.path().join("screen.ppm");
    let shown = |asked: &[&str]| expect(&machine, &font, &picture, asked);
    shown(&["2: English ?"]);
    enter(&machine, &font, "2");
    shown(&["keyboard  1: JIS"]);
    enter(&machine, &font, "2");
    shown(&["@ ^ : _ \\ |", "try (Enter"]);
    enter(&machine, &font, "");
    shown(&["(production)", "1: 2026-04-genesis", "2: 2026-06-ds", "which ceremony"]);
    enter(&machine, &font, "2");
    shown(&["✗ the clock stands outside the plan's window", "10:30:00: "]);
    enter(&machine, &font, "yes");
    shown(&["rehearsing 2026-06-ds", "as the golden has it", "0: switch off"]);
    enter(&machine, &font, "1");
    shown(&["one medium labelled GISHIKI-A", "only GISHIKI, GISHIKI-EFI, GISHIKI-PLAN"]);
}
