//! The one way to the PIN of a login: it is typed, or put together from shares of it.
//!
//! **Invariant:** a token gets a PIN that people typed as such, or one that shares of this very
//! token gave. A wrong share is found here and never counted by a token as a wrong PIN.

use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use token::{Pin, Who};

use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::report::plain;
use crate::secrets::{PinSource, keep_out_of_swap};
use crate::shares::{Hand, Lock, Mistake, Reading, Refused, Share, Slip};
use crate::wiped::Wiped;

/// How the PIN of a login is given.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// By somebody who knows it.
    Typed,
    /// By so many custodians, each with a share; their number is in the shares, too.
    Shares(Lock, Option<u8>),
}

/// Returns a PIN for one login. `name` is what people are asked for. A failed login is never
/// retried automatically.
pub(crate) fn obtain(
    source: &mut PinSource,
    form: &Form,
    name: &str,
    lang: Lang,
) -> Result<Pin, Halt> {
    match form {
        Form::Typed => source.take(&format!("{name}: "), lang),
        Form::Shares(lock, need) => {
            let _wiped = Wiped::begin();
            keep_out_of_swap();
            put_together(source, Hand::new(lock.clone(), *need), name, lang)
        }
    }
}

fn put_together(
    source: &mut PinSource,
    mut hand: Hand,
    name: &str,
    lang: Lang,
) -> Result<Pin, Halt> {
    source.tell(&match lang {
        Lang::Ja => format!(
            "   {name} はシェアから組み立てます。保管者が順に、自分の用紙の語を 1 行ずつ入力します。入力は表示されません。\n   \
             どの語も最初の 4 文字で足り、大文字と小文字、区切りは問いません。(中断するには Ctrl-D)\n"
        ),
        Lang::En => format!(
            "   The {name} is put together from shares. One custodian after the other types the words of their sheet, line by line; \
             nothing is shown.\n   The first four letters of a word are enough, case and spacing are free. (to leave: Ctrl-D)\n"
        ),
    })?;
    loop {
        while !hand.is_full() {
            let of = hand.need().map_or_else(String::new, |need| match lang {
                Lang::Ja => format!("/{need}"),
                Lang::En => format!(" of {need}"),
            });
            let next = hand.next();
            let share = format!("{name}, {} {next}{of}", pick(lang, "シェア", "share"));
            // An empty line is none of a sheet's, and the share is asked for again.
            let Some(share) = read(source, &share, lang)? else { continue };
            let (index, dealing) = (share.index, share.dealing);
            match hand.take(share) {
                Ok(()) => source.tell(&match lang {
                    Lang::Ja => format!("   ✓ シェア {index}(配布 {dealing})\n"),
                    Lang::En => format!("   ✓ share {index} of dealing {dealing}\n"),
                })?,
                Err(refused @ Refused::Need { .. }) => return Err(stopped(why(&hand, refused))),
                Err(refused) => mistaken(source, why(&hand, refused), lang)?,
            }
        }
        if let Some(pin) = hand.pin() {
            return Ok(pin);
        }
        let found = says!(
            "これらのシェアからは、このトークンの PIN が得られない。トークンには何も渡していない。用紙の製造番号と配布の番号を確かめ、最初のシェアからやり直す",
            "these shares give no PIN of this token, which was not asked: compare serial number and dealing on the sheets, and begin with the first share again"
        );
        mistaken(source, found, lang)?;
    }
}

/// Reads one share: at the terminal line by line, and `None` where the first line is empty; from a
/// descriptor in one line.
pub(crate) fn read(source: &mut PinSource, name: &str, lang: Lang) -> Result<Option<Share>, Halt> {
    let mut reading = Reading::default();
    loop {
        let number = reading.line();
        let prompt = match lang {
            Lang::Ja => format!("{name}、{number} 行目: "),
            Lang::En => format!("{name}, line {number}: "),
        };
        let line = source.line(&prompt)?;
        if line.is_empty() && number == 1 && source.is_terminal() {
            return Ok(None);
        }
        match reading.take(line.octets()) {
            Ok(Some(share)) => return Ok(Some(share)),
            Ok(None) if source.is_terminal() => {}
            Ok(None) => {
                let line = reading.line();
                let found = says!(
                    "{line} 行目のないシェア(1 行に、シェアのすべての語を書く)",
                    "a share without its line {line} (one line has all words of a share)"
                );
                return Err(stopped(found));
            }
            Err(slip) => {
                mistaken(source, slipped(slip), lang)?;
                if slip.what == Mistake::Beyond {
                    reading = Reading::default();
                }
            }
        }
    }
}

/// Tells people of a mistake, who try again; where nobody can, it ends the command.
fn mistaken(source: &PinSource, found: Bilingual, lang: Lang) -> Result<(), Halt> {
    if source.is_terminal() {
        return source.tell(&format!("   ✗ {}\n", plain(lang.said(&found))));
    }
    Err(stopped(found))
}

fn stopped(found: Bilingual) -> Halt {
    let asked = says!("PIN を組み立てられるシェア", "shares that give the PIN");
    Halt::Interrupted(Fault::new(RuleId::S_TERMINAL, asked, found))
}

fn slipped(Slip { line, what }: Slip) -> Bilingual {
    match what {
        Mistake::Count(words) => says!(
            "{line} 行目が {words} 語しかない(1 行は 4 語)。{line} 行目をもう一度入力する",
            "line {line} has {words} words, and four are asked for: type line {line} again"
        ),
        Mistake::Unknown(place) => says!(
            "{line} 行目の {place} 語目が、一覧にある語ではない。用紙を見て、{line} 行目をもう一度入力する",
            "word {place} of line {line} is none of the list: look at the sheet, and type line {line} again"
        ),
        Mistake::Wrong => says!(
            "{line} 行目のどれかの語が違うか、別の用紙の行である。用紙を見て、{line} 行目をもう一度入力する",
            "line {line} has a wrong word, or is of another sheet: look at the sheet, and type line {line} again"
        ),
        Mistake::Beyond => says!(
            "最後の行の後にも語がある。用紙 1 枚の語だけを入力する",
            "there are words behind the last line: type the words of one sheet only"
        ),
    }
}

fn why(hand: &Hand, refused: Refused) -> Bilingual {
    let serial = &hand.lock().serial;
    match refused {
        Refused::Token => says!(
            "別のトークンのシェアである。製造番号 {serial} の用紙のものを入力する",
            "a share of another token: take the sheet with serial number {serial}"
        ),
        Refused::Who => match hand.lock().who {
            Who::User => says!(
                "SO PIN のシェアである。「PIN」の用紙のものを入力する",
                "a share of the SO PIN: take the sheet of the PIN"
            ),
            Who::Officer => says!(
                "利用者の PIN のシェアである。「SO PIN」の用紙のものを入力する",
                "a share of the user's PIN: take the sheet of the SO PIN"
            ),
        },
        Refused::Need { said, needed } => says!(
            "{needed} 人分を要するシェア(指定は {said} 人分)。room.toml の shares、又は --shares を {needed} に改める",
            "a share of a dealing that needs {needed} of them, where {said} were said: say {needed} in room.toml (`shares`) or in --shares"
        ),
        Refused::Dealing { before, this } => says!(
            "先のシェアは配布 {before}、これは配布 {this} のものである。配布の番号が同じ用紙のものを入力する",
            "the shares before are of dealing {before}, this one is of dealing {this}: take sheets of one dealing"
        ),
        Refused::Twice(index) => says!(
            "シェア {index} は既に入力されている。別の保管者の用紙のものを入力する",
            "share {index} was given already: take the sheet of another custodian"
        ),
    }
}
