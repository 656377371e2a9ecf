//! `activation`: deals a token's PIN to several people, and tries whether shares open the token.
//!
//! **Invariant:** until every share was typed back from its sheet and every choice of shares was
//! put together, nothing on the token is changed. Its PIN is then set once.
//!
//! **Deliberately absent:** printing, and any file. A printer keeps what it prints; a share is
//! written by the hand of its custodian.

mod sheet;

use std::path::Path;

use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::token::TokenError;
use rand::rngs::SysRng;
use rand::{TryRng as _, rand_core::UnwrapErr};
use token::{Pin, Pkcs11Token, Tries, Unchanged, Who};
use zeroize::Zeroizing;

use crate::args::{ActivationCommand, Deal, Opened, Try};
use crate::halt::Halt;
use crate::lang::Lang;
use crate::pins::{Form, obtain};
use crate::report::{plain, print, tell};
use crate::secrets::{PinSource, keep_out_of_swap};
use crate::shares::{Lock, Share, all_give, deal, octets_for, written};
use crate::tokens::{failed, said_of_pin};
use crate::wiped::Wiped;
use crate::{files, tokens};

/// Performs a subcommand of `activation`.
pub(crate) fn perform(command: &ActivationCommand, lang: Lang) -> Result<(), Halt> {
    match command {
        ActivationCommand::Deal(asked) => Target::find(&asked.opened, lang)?.deal(asked, lang),
        ActivationCommand::Try(asked) => Target::find(&asked.opened, lang)?.attempt(asked, lang),
    }
}

/// A token, and which of its PINs is meant.
struct Target {
    token: Pkcs11Token,
    label: String,
    lock: Lock,
}

impl Target {
    /// Finds the token, and tells people what it says of its PIN. A read.
    fn find(opened: &Opened, lang: Lang) -> Result<Self, Halt> {
        let (serial, label, token) = found(&opened.module, opened.serial.as_deref())?;
        let who = if opened.so { Who::Officer } else { Who::User };
        let target = Self { token, label, lock: Lock { who, serial } };
        let entry = target.token.entry(who).map_err(|error| target.unfit(error.said()))?;
        let said = said_of_pin(entry, lang);
        said.iter().for_each(|line| tell(&format!("☞ {}: {line}", target.name())));
        match (entry.at_the_device, entry.tries) {
            (true, _) => Err(target.unfit(says!(
                "PIN を HSM の装置で入力するトークン",
                "one whose PIN is entered at the HSM itself"
            ))),
            (false, Tries::Locked) => {
                Err(target.unfit(says!("ロックされたトークン", "one that is locked")))
            }
            (false, Tries::Enough | Tries::Low | Tries::Last) => Ok(target),
        }
    }

    /// The name of the PIN.
    const fn name(&self) -> &'static str {
        match self.lock.who {
            Who::User => "PIN",
            Who::Officer => "SO PIN",
        }
    }

    /// The token for people.
    fn said(&self) -> String {
        plain(&format!("{} ({})", self.lock.serial, self.label))
    }

    fn unfit(&self, found: Bilingual) -> Halt {
        let said = self.said();
        let asked =
            says!("PIN を受け取れるトークン {said}", "a token that takes a PIN here, {said}");
        Halt::Token(Fault::new(RuleId::S_TOKEN, asked, found))
    }

    fn deal(&self, asked: &Deal, lang: Lang) -> Result<(), Halt> {
        let (need, of) = (asked.need, asked.of);
        if need > of {
            let asked = says!("--need 以上の --of", "as many shares (--of) as are needed (--need)");
            let found = says!("{of} 個のうち {need} 個", "{need} of {of}");
            let advice = says!("両方を確かめる", "see both numbers");
            return Err(Halt::asked(RuleId::S_COMMAND_LINE, asked, found, advice));
        }
        let _wiped = Wiped::begin();
        keep_out_of_swap();
        let octets = self.octets()?;
        let (name, lock) = (self.name(), &self.lock);
        let form = match asked.shares {
            None => Form::Typed,
            Some(present) => Form::Shares(lock.clone(), Some(present)),
        };
        let mut source = PinSource::of(asked.pin_fd);
        let present = match lang {
            Lang::Ja => format!("現在の {name}"),
            Lang::En => format!("present {name}"),
        };
        let present = obtain(&mut source, &form, &present, lang)?;
        let tried = self.token.try_pin(lock.who, &present);
        tried.map_err(|error| self.not_opened(&error, &form))?;
        let random = drawn(octets)?;
        let [high, low] = id()?;
        let mut rng = UnwrapErr(SysRng);
        let id = u16::from_be_bytes([high, low]);
        let shares = deal(lock, id, &random, (need, of), &mut rng);
        if !all_give(lock, &random, &shares) {
            let asked = says!("どの組でも PIN になるシェア", "shares that all give the PIN");
            return Err(Halt::Bug(Fault::new(RuleId::S_TOKEN, asked, Bilingual::none())));
        }
        let title = sheet::Title { name, token: &self.said(), of: shares.len() };
        sheet::hand_out(&title, &shares, lang)?;
        self.set(&shares, &present, &written(&random), lang)
    }

    /// How many random octets this token's PINs have room for.
    fn octets(&self) -> Result<usize, Halt> {
        let lengths = self.token.pin_lengths().map_err(|error| self.unfit(error.said()))?;
        octets_for(lengths.0, lengths.1).ok_or_else(|| {
            let (least, most) = lengths;
            let said = self.said();
            let asked = says!(
                "64 ビット以上の PIN (英小文字と数字 13 文字以上)を設定できるトークン {said}",
                "a token {said} that takes a PIN of 64 bits: 13 letters and digits"
            );
            let found = says!(
                "PIN の長さは {least}〜{most}(ulMinPinLen、ulMaxPinLen)",
                "PINs of {least} to {most} octets (ulMinPinLen, ulMaxPinLen)"
            );
            Halt::Token(Fault::new(RuleId::S_TOKEN, asked, found))
        })
    }

    /// A login that failed with a PIN that was given in this form.
    fn not_opened(&self, error: &TokenError, form: &Form) -> Halt {
        let (said, name) = (self.said(), self.name());
        let asked =
            says!("トークン {said} を開く {name}", "the {name} that opens the token {said}");
        let found = match (form, error.code.as_str()) {
            (Form::Shares(..), "CKR_PIN_INCORRECT") => says!(
                "シェアどうしは合うが、トークンの {name} と異なる(CKR_PIN_INCORRECT)。その配布の後に {name} が変わっている。最後の配布の用紙を使う",
                "shares that fit each other, but give another {name} than the token's (CKR_PIN_INCORRECT): it was changed since. Take the sheets of the last dealing"
            ),
            (Form::Typed | Form::Shares(..), _) => failed(error),
        };
        Halt::Token(Fault::new(RuleId::S_TOKEN, asked, found))
    }

    /// Sets the PIN. What to try if this is interrupted is said before.
    fn set(&self, shares: &[Share], present: &Pin, new: &Pin, lang: Lang) -> Result<(), Halt> {
        let Some(first) = shares.first() else { return Ok(()) };
        let (name, said) = (self.name(), self.said());
        let (dealing, need, of) = (first.dealing, first.dealing.need, shares.len());
        tell(&match lang {
            Lang::Ja => format!(
                "\n全員の用紙を確かめました。これから {name} を設定します。\n   ここで途切れたら、gishiki activation try を実行してください。成功すれば新しい用紙が、失敗すればこれまでの {name} が有効です。"
            ),
            Lang::En => format!(
                "\nAll sheets are right. The {name} is set now.\n   If this is cut off, run `gishiki activation try`: if it works, the new sheets are good; otherwise the {name} before is."
            ),
        });
        match self.token.change_pin(self.lock.who, present, new) {
            Ok(()) => print(&match lang {
                Lang::Ja => format!(
                    "✓ {said} の {name} を設定し、1 回ログインして確かめました。\n  配布 {dealing}: シェア {of} 個、うち {need} 個で開きます。これまでの {name} と、以前の配布の用紙はもう使えません。用紙は廃棄してください。\n"
                ),
                Lang::En => format!(
                    "✓ The {name} of {said} is set, and one login with it has worked.\n  Dealing {dealing}: {of} shares, of which {need} open it. The {name} before and sheets of earlier dealings open nothing any more: destroy those sheets.\n"
                ),
            }),
            Err(Unchanged::Refused(error)) => {
                let found = error.said();
                let asked = says!("トークン {said} の新しい {name}", "a new {name} for {said}");
                let found = says!(
                    found;
                    "{found}。これまでの {name} のまま変わっていない。配布 {dealing} の用紙は廃棄する",
                    "{found}; it has the {name} before. Destroy the sheets of dealing {dealing}"
                );
                Err(Halt::Token(Fault::new(RuleId::S_TOKEN, asked, found)))
            }
            Err(Unchanged::Unknown(error)) => {
                let found = error.said();
                let asked = says!(
                    "トークン {said} の新しい {name} による 1 回のログイン",
                    "a new {name} for {said}, and one login with it"
                );
                let found = says!(
                    found;
                    "{found}。どちらの {name} が有効か分からない。用紙もこれまでの {name} も残し、gishiki activation try を実行する。成功すれば配布 {dealing} の用紙が、失敗すればこれまでの {name} が有効",
                    "{found}; nobody knows which {name} it has. Keep the sheets and the {name} before, and run `gishiki activation try`: if it works, the sheets of dealing {dealing} are good, otherwise the {name} before is"
                );
                Err(Halt::Token(Fault::new(RuleId::S_TOKEN, asked, found)))
            }
        }
    }

    fn attempt(&self, asked: &Try, lang: Lang) -> Result<(), Halt> {
        let form = Form::Shares(self.lock.clone(), None);
        let pin = obtain(&mut PinSource::of(asked.pin_fd), &form, self.name(), lang)?;
        let tried = self.token.try_pin(self.lock.who, &pin);
        tried.map_err(|error| self.not_opened(&error, &form))?;
        let (said, name) = (self.said(), self.name());
        print(&match lang {
            Lang::Ja => format!(
                "✓ シェアから得た {name} で {said} に 1 回ログインできました。何も変えていません。\n"
            ),
            Lang::En => format!(
                "✓ The {name} that the shares give opens {said}: one login has worked. Nothing was changed.\n"
            ),
        })
    }
}

/// Finds a token by its serial number, or the only one that is there.
fn found(module: &Path, serial: Option<&str>) -> Result<(String, String, Pkcs11Token), Halt> {
    let module = tokens::module(module, None)?;
    let unread = |error: TokenError| {
        let asked = says!("トークンの一覧", "a list of the tokens");
        Halt::Token(Fault::new(RuleId::S_TOKEN, asked, error.said()))
    };
    let plates = module.plates().map_err(unread)?;
    let is_asked = |plate: &&(String, String)| serial.is_none_or(|serial| *serial == plate.0);
    let mut asked = plates.iter().filter(is_asked);
    match (asked.next(), asked.next()) {
        (Some((serial, label)), None) => {
            let token = module.token_with(serial).map_err(unread)?;
            Ok((serial.clone(), label.clone(), token))
        }
        (first, _) => {
            let wanted = match serial {
                Some(serial) => {
                    says!(
                        "製造番号 {serial} のトークン 1 つ",
                        "one token with serial number {serial}"
                    )
                }
                None => says!("ただ 1 つのトークン", "one token"),
            };
            let there = plates.iter().map(|(serial, label)| format!("{serial} ({label})"));
            let there = Bilingual::plain(there.collect::<Vec<_>>().join(", "));
            let there = if plates.is_empty() { Bilingual::none() } else { there };
            let advice = match first {
                Some(_) => says!("--serial で 1 つを指定する", "name one by --serial"),
                None => says!(
                    "接続と製造番号を確かめる",
                    "see that it is plugged in, and its serial number"
                ),
            };
            Err(Halt::asked(RuleId::S_TOKEN_SERIAL, wanted, there, advice))
        }
    }
}

/// Draws random octets from the operating system.
fn drawn(octets: usize) -> Result<Zeroizing<Vec<u8>>, Halt> {
    let mut random = Zeroizing::new(vec![0; octets]);
    SysRng.try_fill_bytes(&mut random).map_err(undrawn)?;
    Ok(random)
}

fn id() -> Result<[u8; 2], Halt> {
    let mut id = [0; 2];
    SysRng.try_fill_bytes(&mut id).map_err(undrawn)?;
    Ok(id)
}

fn undrawn(error: rand::rngs::SysError) -> Halt {
    let asked = says!("オペレーティングシステムの乱数", "random octets of the operating system");
    let found = files::said(&std::io::Error::from(error));
    Halt::media(RuleId::S_FILE, asked, found)
}
