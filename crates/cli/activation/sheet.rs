//! Hands out shares: each custodian sees theirs on a screen of their own, and types it back.

use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::pins::read;
use crate::secrets::PinSource;
use crate::secrets::sheet::{Sheet, size};
use crate::shares::Share;

/// Black on white, whatever the colours of the terminal, and those again.
const PAPER: (&str, &str) = ("\x1b[30;107m", "\x1b[0m");

/// What every sheet of a dealing has in its title.
pub(super) struct Title<'a> {
    /// The PIN or the SO PIN.
    pub(super) name: &'a str,
    /// The token's serial number and label.
    pub(super) token: &'a str,
    pub(super) of: usize,
}

/// Hands out every share, one custodian after the other.
pub(super) fn hand_out(title: &Title<'_>, shares: &[Share], lang: Lang) -> Result<(), Halt> {
    let (mut keys, of) = (PinSource::Terminal, title.of);
    keys.tell(pick(
        lang,
        "\n保管者は 1 人ずつ画面の前に来て、自分のシェアを紙に書き取り、その紙を見て入力します。ほかの者は画面を見ないでください。\n全員が済むまで、トークンは変わりません。(中断するには Ctrl-D)\n",
        "\nThe custodians come to the screen one by one. Each copies their share onto paper, and types it back from there. Nobody else looks at the screen.\nUntil all are done, nothing on the token is changed. (to leave: Ctrl-D)\n",
    ))?;
    for share in shares {
        let index = share.index;
        loop {
            shown(&mut keys, title, share, lang)?;
            if typed_back(&mut keys, title, share, lang)? {
                break;
            }
        }
        keys.tell(&match lang {
            Lang::Ja => format!("   ✓ 用紙 {index}/{of} は正しく書けています。\n"),
            Lang::En => format!("   ✓ sheet {index} of {of} is right.\n"),
        })?;
    }
    Ok(())
}

/// Shows a share to its custodian until they have copied it.
fn shown(keys: &mut PinSource, title: &Title<'_>, share: &Share, lang: Lang) -> Result<(), Halt> {
    let (index, of) = (share.index, title.of);
    keys.line(&match lang {
        Lang::Ja => format!("用紙 {index}/{of}。その保管者だけが画面の前へ。Enter で表示します: "),
        Lang::En => {
            format!("sheet {index} of {of}: only its custodian at the screen; Enter shows it: ")
        }
    })?;
    let sheet = Sheet::show(&text(title, share, lang)?)?;
    keys.line(pick(
        lang,
        "書き取ったら Enter。画面を消します: ",
        "when it is copied, Enter; the screen is then cleared: ",
    ))?;
    drop(sheet);
    Ok(())
}

/// Whether the custodian has typed their share back; an empty line shows it again.
fn typed_back(
    keys: &mut PinSource,
    title: &Title<'_>,
    share: &Share,
    lang: Lang,
) -> Result<bool, Halt> {
    let prompt = match lang {
        Lang::Ja => format!("{}、用紙 {}/{}", title.name, share.index, title.of),
        Lang::En => format!("{}, sheet {} of {}", title.name, share.index, title.of),
    };
    keys.tell(pick(
        lang,
        "書いた紙を見て、1 行ずつ入力してください。入力は表示されません。どの語も最初の 4 文字で足ります。\n1 行目で Enter だけを押すと、シェアをもう一度表示します。\n",
        "Type it from the paper, line by line; nothing is shown, and the first four letters of a word are enough.\nEnter alone at line 1 shows the share again.\n",
    ))?;
    loop {
        let Some(typed) = read(keys, &prompt, lang)? else { return Ok(false) };
        if typed == *share {
            return Ok(true);
        }
        let (dealing, index) = (typed.dealing, typed.index);
        keys.tell(&match lang {
            Lang::Ja => format!("   ✗ 別の用紙(配布 {dealing}、シェア {index})です。いま書いた用紙のものを入力してください。\n"),
            Lang::En => format!("   ✗ that is another sheet (dealing {dealing}, share {index}): type the one that was just written.\n"),
        })?;
    }
}

/// The sheet: a QR code, if the screen has room for it, then title and words.
fn text(title: &Title<'_>, share: &Share, lang: Lang) -> Result<String, Halt> {
    let Title { name, token, of } = title;
    let (index, dealing, need) = (share.index, share.dealing, share.dealing.need);
    let mut words = match lang {
        Lang::Ja => format!(
            "\n  {name} のシェア {index}/{of}({need} 個で開く)\n  トークン {token}\n  配布 {dealing}\n\n"
        ),
        Lang::En => format!(
            "\n  share {index} of {of} of the {name} ({need} open it)\n  token {token}\n  dealing {dealing}\n\n"
        ),
    };
    let lines = share.lines();
    for (number, [a, b, c, d]) in (1..).zip(&lines) {
        words.push_str(&format!("  {number}.  {a:<9}{b:<9}{c:<9}{d}\n"));
    }
    words.push('\n');
    let code = code(&lines.concat().join(" "))?;
    // Below it are the question and the line that is typed.
    let rows = code.lines().count() + words.lines().count() + 2;
    let columns = code.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let has_room = size().is_some_and(|(height, width)| {
        rows <= usize::from(height) && columns <= usize::from(width)
    });
    if !has_room {
        words.push_str(&match lang {
            Lang::Ja => {
                format!("  (QR コードは、{rows} 行 {columns} 列以上の画面なら表示します)\n")
            }
            Lang::En => {
                format!("  (a screen of {rows} lines and {columns} columns also shows a QR code)\n")
            }
        });
        return Ok(words);
    }
    let (paper, ink) = PAPER;
    let code: String = code.lines().map(|line| format!("{paper}{line}{ink}\n")).collect();
    Ok(code + &words)
}

/// The words as a QR code in half blocks. In capitals, because those have a short form there.
fn code(words: &str) -> Result<String, Halt> {
    let made = QrCode::with_error_correction_level(words.to_ascii_uppercase(), EcLevel::L);
    let made = made.map_err(|error| {
        let asked = says!("語の QR コード", "a QR code of the words");
        Halt::Bug(Fault::new(RuleId::S_TERMINAL, asked, Bilingual::plain(error)))
    })?;
    Ok(made.render::<Dense1x2>().build())
}
