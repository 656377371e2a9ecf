//! The tokens of a room: which one an operation asks, and which PINs it needs.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use ceremony::fault::Fault;
use ceremony::graph::{Act, Op, PeopleAct, TokenAct};
use ceremony::key::Proof;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::rule::RuleId;
use ceremony::run::{ProbeAnswer, ProbeRequest, Run};
use ceremony::says;
use ceremony::token::{CopyRemains, CopyRequest, Holder, TokenAnswer, TokenError, TokenRequest};
use token::{Entry, Module, Token, Tries, Who};

use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::pins::{Form, obtain};
use crate::proofs::prove_coming;
use crate::report::plain;
use crate::secrets::PinSource;

/// Returns the name of a PIN in its prompt: whose it is, and of which token.
fn prompt(token: &Token, holder: &Holder, who: Who, lang: Lang) -> String {
    let pin = match who {
        Who::User => pick(lang, "利用者の PIN", "user PIN"),
        Who::Officer => "SO PIN",
    };
    let name = match holder {
        Holder::Root => "HSM".to_string(),
        Holder::Spare(name) => name.to_string(),
    };
    let plate = token.plate().map(|(label, serial)| (plain(&label), plain(&serial)));
    match (plate, lang) {
        (None, Lang::Ja) => format!("{name} の{pin}"),
        (None, Lang::En) => format!("{name}, {pin}"),
        (Some((label, serial)), Lang::Ja) => {
            format!("{name}(ラベル {label}、製造番号 {serial})の{pin}")
        }
        (Some((label, serial)), Lang::En) => {
            format!("{name} (label {label}, serial {serial}), {pin}")
        }
    }
}

/// Returns what a token reports about its PIN, which is shown before the prompt.
pub(crate) fn said_of_pin(entry: Entry, lang: Lang) -> Vec<&'static str> {
    let tries = match entry.tries {
        Tries::Enough => None,
        Tries::Low => Some(pick(
            lang,
            "前回の正しい入力の後に PIN の誤りがありました。続けて誤るとトークンがロックされます。",
            "a wrong one was entered since the last right one; more of them lock the token.",
        )),
        Tries::Last => Some(pick(
            lang,
            "あと 1 回誤ると、このトークンはロックされます。",
            "the next wrong one locks this token.",
        )),
        Tries::Locked => Some(pick(
            lang,
            "ロックされています。入力は求めません。HSM の管理者が解除するまで使えません。",
            "it is locked, and not asked for. The token cannot be used until its officer unlocks it.",
        )),
    };
    let device = (entry.at_the_device && entry.tries != Tries::Locked).then(|| {
        pick(
            lang,
            "この端末ではなく、HSM の装置(キーパッドまたはカード)で入力してください。",
            "enter it at the HSM itself (its keypad or its cards), not at this terminal.",
        )
    });
    tries.into_iter().chain(device).collect()
}

/// Returns an error of the token, after a word for the one that people cause.
pub(crate) fn failed(error: &TokenError) -> Bilingual {
    let said = error.said();
    match error.code.as_str() {
        "CKR_PIN_INCORRECT" => says!(said; "PIN が違います({said})", "a wrong PIN ({said})"),
        _ => said,
    }
}

/// A token's answer, and proofs of the signatures in it that were verified as they arrived.
pub(crate) type Performed = (Result<TokenAnswer, TokenError>, Vec<Proof>);

/// Opens a module; `initialize` is what it expects in the reserved field of `C_Initialize`.
pub(crate) fn module(path: &Path, initialize: Option<&str>) -> Result<Module, Halt> {
    Module::open(path, initialize).map_err(|error| {
        let asked = says!("開ける PKCS #11 モジュール", "a PKCS #11 module that opens");
        Halt::Token(Fault::new(RuleId::S_TOKEN, asked, error.said()))
    })
}

fn absent(name: &Name) -> Fault {
    let asked = says!("実施場所のトークン", "a token of the room");
    Fault::new(RuleId::S_SPARE, asked, Bilingual::plain(name))
}

/// The tokens of a room.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) root: Token,
    pub(crate) spares: BTreeMap<Name, Token>,
    /// The PINs that are put together from shares; every other is typed.
    pub(crate) shared: BTreeMap<(Holder, Who), Form>,
}

impl Tokens {
    pub(crate) fn of(&mut self, holder: &Holder) -> Result<&mut Token, Halt> {
        match holder {
            Holder::Root => Ok(&mut self.root),
            Holder::Spare(name) => self.spares.get_mut(name).ok_or_else(|| Halt::Bug(absent(name))),
        }
    }

    /// Asks for the PINs that a request needs: a login one, a copy both PINs of both tokens, a
    /// signature one if its key authenticates always. What the token reports about its PIN is shown
    /// first.
    pub(crate) fn hold_pins(
        &mut self,
        pin: Option<&mut PinSource>,
        op: &Op,
        request: Option<(&Holder, &TokenRequest)>,
        lang: Lang,
    ) -> Result<(), Halt> {
        #[cfg(test)]
        if crate::simulator::is_on() {
            crate::simulator::enter_pin(op);
            return Ok(());
        }
        let Some(pin) = pin else { return Ok(()) };
        if let Act::Token(TokenAct::Login { token }) = &op.act {
            self.hold(pin, token, Who::User, lang)?;
        }
        if let Act::Token(TokenAct::Copy { to, .. }) = &op.act {
            for holder in [Holder::Root, Holder::Spare(to.clone())] {
                for who in [Who::Officer, Who::User] {
                    self.hold(pin, &holder, who, lang)?;
                }
            }
        }
        match request {
            Some((holder, request)) => self.hold_for(pin, holder, request, lang),
            None => Ok(()),
        }
    }

    /// Asks for the PIN that a request needs besides that of the login, if any. If the key cannot
    /// be found now, the request itself will report it.
    pub(crate) fn hold_for(
        &mut self,
        pin: &mut PinSource,
        holder: &Holder,
        request: &TokenRequest,
        lang: Lang,
    ) -> Result<(), Halt> {
        if self.of(holder)?.wants_pin(request).unwrap_or(false) {
            self.hold(pin, holder, Who::User, lang)?;
        }
        Ok(())
    }

    /// Asks for one PIN, or sends people to the device. No PIN is asked for a token that is locked
    /// or cannot be read: the request itself will report why.
    pub(crate) fn hold(
        &mut self,
        pin: &mut PinSource,
        holder: &Holder,
        who: Who,
        lang: Lang,
    ) -> Result<(), Halt> {
        let Ok(entry) = self.of(holder)?.entry(who) else { return Ok(()) };
        let prompt = prompt(self.of(holder)?, holder, who, lang);
        for line in said_of_pin(entry, lang) {
            let _ = writeln!(std::io::stderr(), "☞ {prompt}: {line}");
        }
        if entry.at_the_device || entry.tries == Tries::Locked {
            return Ok(());
        }
        let form = self.shared.get(&(holder.clone(), who)).unwrap_or(&Form::Typed);
        let taken = obtain(pin, form, &prompt, lang)?;
        let token = self.of(holder)?;
        match who {
            Who::User => token.hold_pin(taken),
            Who::Officer => token.hold_so_pin(taken),
        }
        Ok(())
    }

    /// Lets rehearsal tokens do what people do at two modules.
    pub(crate) fn stand_in(&mut self, run: &Run, op: &Op) {
        if let Act::People(PeopleAct::Clone { key, to }) = &op.act
            && let (Token::Rehearsal(root), Some(Token::Rehearsal(spare)), Some(id)) =
                (&self.root, self.spares.get_mut(to), run.key_id(key))
        {
            spare.take_clone(root, id);
        }
    }

    /// Asks two tokens for a copy, after removing what a lost attempt left.
    pub(crate) fn copy(
        &mut self,
        op: &Op,
        request: CopyRequest,
        remains: Option<CopyRemains>,
    ) -> Result<Result<TokenAnswer, TokenError>, Halt> {
        let Act::Token(TokenAct::Copy { to, .. }) = &op.act else {
            let asked = says!("複製", "a copy");
            return Err(Halt::Bug(Fault::new(RuleId::S_ORDER, asked, Bilingual::default())));
        };
        let Self { root, spares, .. } = self;
        let spare = spares.get_mut(to).ok_or_else(|| Halt::Bug(absent(to)))?;
        if let Some(remains) = remains {
            match clear(root, spare, to, remains) {
                Ok(TokenAnswer::Left { objects: 0 }) => {}
                Ok(answer) => {
                    let asked = says!("複製の残りがないこと", "nothing left of a copy");
                    let found = Bilingual::plain(format!("{answer:?}"));
                    return Err(Halt::Token(Fault::new(RuleId::R_BACKUP, asked, found)));
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(copy(root, spare, to, request))
    }

    /// Sends the root token a request that is not part of an operation.
    pub(crate) fn ask_root(&mut self, request: TokenRequest) -> Result<TokenAnswer, TokenError> {
        perform(&mut self.root, &Holder::Root, request)
    }

    /// Sends a token a request of a probe, before anything is begun.
    pub(crate) fn probe(
        &mut self,
        holder: &Holder,
        request: ProbeRequest,
    ) -> Result<Result<ProbeAnswer, TokenError>, Halt> {
        let token = self.of(holder)?;
        #[cfg(test)]
        if crate::simulator::is_on() {
            return Ok(crate::simulator::probe(token, request));
        }
        Ok(token.probe(request))
    }

    /// Sends the request to the token. Signatures are verified on another thread while it makes the
    /// next ones.
    pub(crate) fn perform(
        &mut self,
        run: &Run,
        holder: &Holder,
        request: TokenRequest,
    ) -> Result<Performed, Halt> {
        let expected = run.expected_signatures().map_err(Halt::Bug)?;
        let token = self.of(holder)?;
        if expected.is_empty() {
            return Ok((perform(token, holder, request), Vec::new()));
        }
        #[cfg(test)]
        crate::simulator::about_to_sign(&expected);
        let (watcher, coming) = std::sync::mpsc::channel();
        token.watch(watcher);
        std::thread::scope(|scope| {
            // Without another thread they are verified once all are there.
            let proving = move || prove_coming(&expected, &coming);
            let proving = std::thread::Builder::new().spawn_scoped(scope, proving).ok();
            let answer = perform(token, holder, request);
            let proofs = proving.and_then(|proving| proving.join().ok()).unwrap_or_default();
            Ok((answer, proofs))
        })
    }
}

/// Performs a request on one token. All requests of a ceremony pass here or, for two tokens,
/// through the next two functions; the simulator replaces them.
fn perform(
    token: &mut Token,
    holder: &Holder,
    request: TokenRequest,
) -> Result<TokenAnswer, TokenError> {
    #[cfg(test)]
    if crate::simulator::is_on() {
        return crate::simulator::perform(token, holder, request);
    }
    let _ = holder;
    token.perform(request)
}

fn copy(
    from: &mut Token,
    spare: &mut Token,
    to: &Name,
    request: CopyRequest,
) -> Result<TokenAnswer, TokenError> {
    #[cfg(test)]
    if crate::simulator::is_on() {
        return crate::simulator::copy(from, spare, to, request);
    }
    let _ = to;
    token::copy(from, spare, request)
}

fn clear(
    from: &mut Token,
    spare: &mut Token,
    to: &Name,
    remains: CopyRemains,
) -> Result<TokenAnswer, TokenError> {
    #[cfg(test)]
    if crate::simulator::is_on() {
        return crate::simulator::clear(from, spare, to, remains);
    }
    let _ = to;
    token::clear(from, spare, remains)
}
