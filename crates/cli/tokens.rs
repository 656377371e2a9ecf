//! The tokens of a room: which one an operation asks, and the PINs that it takes.

use std::collections::BTreeMap;

use ceremony::graph::{Act, Holder, Op};
use ceremony::key::Proof;
use ceremony::name::Name;
use ceremony::run::{Fault, Run};
use ceremony::token::{CopyRemains, CopyRequest, TokenAnswer, TokenError, TokenRequest};
use token::Token;

use crate::conduct::bug;
use crate::exit::Halt;
use crate::proofs::prove_coming;
use crate::secrets::PinSource;

/// What a token answered, and the signatures in it that were proved as they came.
pub(crate) type Performed = (Result<TokenAnswer, TokenError>, Vec<Proof>);

/// The tokens of a room.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) root: Token,
    pub(crate) spares: BTreeMap<Name, Token>,
}

impl Tokens {
    pub(crate) fn of(&mut self, holder: &Holder) -> Result<&mut Token, Halt> {
        match holder {
            Holder::Root => Ok(&mut self.root),
            Holder::Spare(name) => self
                .spares
                .get_mut(name)
                .ok_or_else(|| bug(Fault::new("S-SPARE", "a token of the room", name.as_str()))),
        }
    }

    /// A login takes a PIN; a copy takes both PINs of both tokens.
    pub(crate) fn hold_pins(&mut self, pin: Option<&mut PinSource>, op: &Op) -> Result<(), Halt> {
        let Some(pin) = pin else { return Ok(()) };
        let at = |holder: &Holder| match holder {
            Holder::Root => String::new(),
            Holder::Spare(name) => format!(" ({name})"),
        };
        if let Act::Login { token } = &op.act {
            let taken = pin.take(&format!("PIN{}: ", at(token)))?;
            self.of(token)?.hold_pin(taken);
        }
        if let Act::Copy { to, .. } = &op.act {
            for holder in [Holder::Root, Holder::Spare(to.clone())] {
                let so = pin.take(&format!("SO PIN{}: ", at(&holder)))?;
                let user = pin.take(&format!("PIN{}: ", at(&holder)))?;
                let token = self.of(&holder)?;
                token.hold_so_pin(so);
                token.hold_pin(user);
            }
        }
        Ok(())
    }

    /// In a rehearsal nobody stands at two modules: the rehearsal tokens do what people would.
    pub(crate) fn stand_in(&mut self, run: &Run, op: &Op) {
        if let Act::Clone { key, to } = &op.act
            && let (Token::Rehearsal(root), Some(Token::Rehearsal(spare)), Some(id)) =
                (&self.root, self.spares.get_mut(to), run.key_id(key))
        {
            spare.take_clone(root, id);
        }
    }

    /// Asks two tokens for a copy; what a lost attempt left of one is removed first.
    pub(crate) fn copy(
        &mut self,
        op: &Op,
        request: CopyRequest,
        remains: Option<CopyRemains>,
    ) -> Result<Result<TokenAnswer, TokenError>, Halt> {
        let Act::Copy { to, .. } = &op.act else {
            return Err(bug(Fault::new("S-ORDER", "a copy", "")));
        };
        let Self { root, spares } = self;
        let spare = spares
            .get_mut(to)
            .ok_or_else(|| bug(Fault::new("S-SPARE", "a token of the room", to.as_str())))?;
        if let Some(remains) = remains {
            match token::clear(root, spare, remains) {
                Ok(TokenAnswer::Left { objects: 0 }) => {}
                Ok(answer) => {
                    let found = format!("{answer:?}");
                    return Err(Halt::Token(Fault::new(
                        "R-BACKUP",
                        "nothing left of a copy",
                        &found,
                    )));
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(token::copy(root, spare, request))
    }

    /// Asks the token; signatures are verified on another thread while it makes the next.
    pub(crate) fn perform(
        &mut self,
        run: &Run,
        holder: &Holder,
        request: TokenRequest,
    ) -> Result<Performed, Halt> {
        let expected = run.expected_signatures().map_err(bug)?;
        let token = self.of(holder)?;
        if expected.is_empty() {
            return Ok((token.perform(request), Vec::new()));
        }
        let (watcher, coming) = std::sync::mpsc::channel();
        token.watch(watcher);
        std::thread::scope(|scope| {
            let proving = scope.spawn(move || prove_coming(&expected, &coming));
            let answer = token.perform(request);
            Ok((answer, proving.join().unwrap_or_default()))
        })
    }
}
