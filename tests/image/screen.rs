//! Reads what is on the machine's screen, letter by letter, by the font that the image draws with.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::drill_iso;
use crate::machine::{Machine, PATIENCE, Plugged};
use crate::medium::{Sticks, ext4};

/// Lines of pixels of a letter; a narrow one is half as wide.
const HEIGHT: usize = 16;

/// A letter's lines of pixels, each from the highest bit on.
type Shape = [u32; HEIGHT];

/// The letters that can be drawn, narrow and wide.
pub(crate) struct Font {
    letters: BTreeMap<(usize, Shape), char>,
}

impl Font {
    /// Reads the font that `bterm` maps (`nix/live/font.c` has its form).
    pub(crate) fn read(layer: &Path) -> Self {
        let octets = std::fs::read(layer.join("usr/share/unifont.bgf")).unwrap();
        let word = |at: usize| u32::from_le_bytes(octets[at..at + 4].try_into().unwrap());
        let number = |word: u32| usize::try_from(word).unwrap();
        let place = |at: usize| number(word(at));
        let (mask, offset, index, content) = (word(16), place(20), place(28), place(36));
        let mut letters = BTreeMap::new();
        for row in 0..=mask {
            let mut entry = index + place(offset + number(row) * 4) * 4;
            while word(entry) != 0 {
                let code = word(entry) & !mask | row;
                let width = number(word(entry) & mask);
                let glyph = content + place(entry + 4) * 4;
                let shape = std::array::from_fn(|line| word(glyph + line * 4));
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
        Self { letters }
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
            std::array::from_fn(|line| {
                let bits = (0..wide).filter(|bit| x + bit < width && dark(x + bit, y + line));
                bits.fold(0, |shape, bit| shape | 1 << (31 - bit))
            })
        };
        let line = |y: usize| {
            let (mut text, mut x) = (String::new(), 0);
            while x < width {
                let letter = |wide: usize| self.letters.get(&(wide, shape(x, y, wide))).copied();
                // A wide letter may begin with an empty half.
                let (letter, wide) = match (letter(8), letter(16)) {
                    (None | Some(' '), Some(wide)) if wide != '\u{3000}' => (wide, 16),
                    (Some(narrow), _) => (narrow, 8),
                    (None, _) => ('\u{fffd}', 8),
                };
                text.push(letter);
                x += wide;
            }
            text.trim_end().to_string()
        };
        (0..height / HEIGHT).map(|row| line(row * HEIGHT)).collect()
    }
}

/// Waits until the screen shows all of these, and gives its text.
pub(crate) fn expect(machine: &Machine, font: &Font, picture: &Path, asked: &[&str]) -> String {
    let until = Instant::now() + PATIENCE;
    loop {
        machine.monitor(&format!("screendump {}", picture.display()));
        let ppm = std::fs::read(picture).unwrap_or_default();
        let shown = if ppm.is_empty() { String::new() } else { font.lines(&ppm).join("\n") };
        if asked.iter().all(|text| shown.contains(text)) {
            return shown;
        }
        assert!(Instant::now() < until, "{asked:?} is not on the screen:\n{shown}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Types on the machine's keyboard, and Enter.
pub(crate) fn enter(machine: &Machine, text: &str) {
    for letter in text.chars() {
        assert!(letter.is_ascii_lowercase() || letter.is_ascii_digit(), "{letter}");
        machine.monitor(&format!("sendkey {letter}"));
    }
    machine.monitor("sendkey ret");
}

#[test]
fn the_ceremony_is_led_in_japanese_on_the_screen() {
    let iso = drill_iso();
    let sticks = Sticks::new(&iso);
    let media = vec![sticks.a.as_path(), &sticks.b, &sticks.token];
    let machine = Machine::boot(&Plugged { media, serial: false, ..Plugged::of(&iso) });
    let font = Font::read(&crate::built("layers.base"));
    let folder = crate::support::root().join("target/screen");
    std::fs::create_dir_all(&folder).unwrap();
    let shown = |name: &str, asked: &[&str]| {
        expect(&machine, &font, &folder.join(format!("{name}.ppm")), asked)
    };
    shown("language", &["1: 日本語", "2: English ?"]);
    enter(&machine, "1");
    let digest = ::ceremony::hex::Digest::of(&std::fs::read(&iso).unwrap()).to_string();
    shown("system", &["イメージの SHA-256", &digest, "時計: 2026-04-01 10:3", "の形で:"]);
    enter(&machine, "yes");
    shown("menu", &["✓ 基準と一致しました", "1: 儀式を行う", "3: 電源を切る"]);
    // These end nothing; the last leaves a letter on the line.
    for keys in ["ctrl-c", "ctrl-alt-delete", "alt-sysrq-b", "ret"] {
        machine.monitor(&format!("sendkey {keys}"));
    }
    enter(&machine, "1");
    shown("act", &["── 1.", "確認した者の ID"]);
    picture_of_the_screen(&machine, &folder.join("act.png"));
    enter(&machine, "p99");
    shown("refused", &["参加者ではありません: p99"]);
    enter(&machine, "p12");
    shown("next-act", &["── 2."]);
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
    let font = Font::read(&crate::built("layers.base"));
    let picture = folder.path().join("screen.ppm");
    let shown = |asked: &[&str]| expect(&machine, &font, &picture, asked);
    shown(&["2: English ?"]);
    enter(&machine, "2");
    shown(&["(production)", "10:30:00: "]);
    enter(&machine, "yes");
    shown(&["1: 2026-04-genesis", "2: 2026-06-ds", "which ceremony"]);
    enter(&machine, "2");
    shown(&["rehearsing 2026-06-ds", "as the golden has it", "3: switch off"]);
    enter(&machine, "1");
    shown(&["one medium labelled GISHIKI-A", "only GISHIKI, GISHIKI-EFI, GISHIKI-PLAN"]);
}
