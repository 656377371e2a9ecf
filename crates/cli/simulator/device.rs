//! A token that can fail. Its objects outlive the process of the tool. The rehearsal token gives
//! the correct answers; this module adds the faults.

use std::collections::BTreeMap;

use ceremony::hex::{Digest, Octets};
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::run::{Expected, ProbeAnswer, ProbeRequest, TokenFlag};
use ceremony::token::Holder;
use ceremony::token::{
    CopyRemains, CopyRequest, KeyTemplate, TokenAnswer, TokenError, TokenObject, TokenRequest,
    is_stray,
};
use token::Token;

use super::checker::{Effect, Met};
use super::faults::{Fault, OfToken, Remains, Site};
use super::lies::lied;
use super::world::{World, crash, with};

/// What a token holds.
#[derive(Debug, Default)]
pub(super) struct Device {
    /// Whole key pairs.
    keys: BTreeMap<Octets, KeyTemplate>,
    /// Objects that are not a complete pair.
    remains: Vec<TokenObject>,
    heads: BTreeMap<String, Vec<Octets>>,
    /// Whether it has stopped answering: for good (`dead`), or until the next session (`silent`).
    dead: bool,
    silent: bool,
}

/// What a request asks for, as far as this token has to know.
#[derive(Debug, Clone)]
enum Asked {
    Make(KeyTemplate),
    Sign {
        id: Octets,
        digests: Vec<Vec<u8>>,
    },
    Write {
        label: String,
        value: Octets,
    },
    ReadHead {
        label: String,
    },
    Inspect {
        id: Octets,
        label: String,
    },
    Destroy {
        id: Octets,
        strays: Option<String>,
    },
    Copy {
        id: Octets,
    },
    List,
    /// It cannot fail: the product's adapter closes its sessions, whatever the token says.
    Logout,
    Other,
}

impl Asked {
    fn of(request: &TokenRequest) -> Self {
        match request {
            TokenRequest::Generate { key, .. } => Self::Make(key.clone()),
            TokenRequest::Sign { id, digests, .. } => {
                Self::Sign { id: id.clone(), digests: digests.clone() }
            }
            TokenRequest::WriteHead { label, value, .. } => {
                Self::Write { label: label.clone(), value: value.clone() }
            }
            TokenRequest::ReadHead { label, .. } => Self::ReadHead { label: label.clone() },
            TokenRequest::Inspect { id, label, .. } => {
                Self::Inspect { id: id.clone(), label: label.clone() }
            }
            TokenRequest::Destroy { id, strays, .. } => {
                Self::Destroy { id: id.clone(), strays: strays.clone() }
            }
            TokenRequest::List { .. } => Self::List,
            TokenRequest::Identify { .. }
            | TokenRequest::Login { .. }
            | TokenRequest::ReadValue { .. }
            | TokenRequest::Wrap { .. } => Self::Other,
            TokenRequest::Logout { .. } => Self::Logout,
        }
    }

    fn name(&self) -> String {
        let of = |what: &str, id: &Octets| format!("{what} {}", Digest::of(&id.0));
        match self {
            Self::Make(key) => of("make", &key.id),
            Self::Sign { id, digests } => of(&format!("sign {}", digests.len()), id),
            Self::Write { value, .. } => of("write head", value),
            Self::ReadHead { .. } => "read head".into(),
            Self::Inspect { id, .. } => of("inspect", id),
            Self::Destroy { id, .. } => of("destroy", id),
            Self::Copy { id } => of("copy", id),
            Self::List => "list".into(),
            Self::Logout => "log out".into(),
            Self::Other => "other".into(),
        }
    }

    fn effect(&self, device: Option<&Device>) -> Effect {
        match self {
            Self::Make(key) => Effect::Make(key.id.clone()),
            Self::Sign { id, digests } => {
                let objects = device.map_or((0, 0), |device| device.bearing(id));
                Effect::Sign(digests.clone(), objects)
            }
            Self::Write { .. } => Effect::Other,
            Self::Destroy { id, .. } => Effect::Destroy(id.clone()),
            Self::Copy { id } => Effect::Copy(id.clone()),
            Self::ReadHead { .. } | Self::Inspect { .. } | Self::List => Effect::None,
            Self::Logout | Self::Other => Effect::None,
        }
    }
}

impl Device {
    pub(super) fn holding(keys: Vec<KeyTemplate>, head: Option<(String, Octets)>) -> Self {
        let keys = keys.into_iter().map(|key| (key.id.clone(), key)).collect();
        let heads = head.into_iter().map(|(label, value)| (label, vec![value])).collect();
        Self { keys, heads, ..Self::default() }
    }

    pub(super) fn pairs(&self) -> Vec<KeyTemplate> {
        self.keys.values().cloned().collect()
    }

    /// How many private and public objects bear this CKA_ID.
    pub(super) fn bearing(&self, id: &Octets) -> (usize, usize) {
        let whole = usize::from(self.keys.contains_key(id));
        let of = |class: &str| {
            let remains = self.remains.iter();
            remains.filter(|object| object.class == class && object.id == *id).count()
        };
        (whole + of("private-key"), whole + of("public-key"))
    }

    /// Returns the objects that are not a complete key pair.
    pub(super) fn remains(&self) -> impl Iterator<Item = &TokenObject> {
        self.remains.iter()
    }

    pub(super) fn wake(&mut self) {
        self.silent = false;
    }

    fn strays(&self, label: &str) -> u32 {
        u32::try_from(self.remains.iter().filter(|object| is_stray(object, label)).count()).unwrap()
    }

    /// What is left where only a part was made.
    fn leave(&mut self, key: &KeyTemplate, remains: Remains) {
        let object = |class: &str, id: Octets| TokenObject {
            class: class.into(),
            id,
            label: key.label.clone(),
        };
        match remains {
            Remains::Whole => {
                self.keys.insert(key.id.clone(), key.clone());
            }
            Remains::Nothing => {}
            Remains::First => self.remains.push(object("private-key", key.id.clone())),
            Remains::Second => self.remains.push(object("public-key", key.id.clone())),
            Remains::Nameless => self.remains.push(object("private-key", Octets(Vec::new()))),
        }
    }

    /// Adds to an answer the objects that the rehearsal token does not hold.
    fn complete(&self, asked: &Asked, answer: &mut TokenAnswer) {
        match (asked, answer) {
            (Asked::List, TokenAnswer::Objects { objects }) => {
                objects.extend(self.remains.iter().cloned());
                for (label, values) in &self.heads {
                    let head = TokenObject {
                        class: "data".into(),
                        id: Octets(Vec::new()),
                        label: label.clone(),
                    };
                    objects.extend(values.iter().map(|_| head.clone()));
                }
                objects.sort();
            }
            (Asked::ReadHead { label } | Asked::Write { label, .. }, answer) => {
                let values = self.heads.get(label).cloned().unwrap_or_default();
                *answer = TokenAnswer::Heads { values };
            }
            (Asked::Inspect { id, label }, TokenAnswer::Key(facts)) => {
                let (privates, publics) = self.bearing(id);
                facts.privates = u32::try_from(privates).unwrap();
                facts.publics = u32::try_from(publics).unwrap();
                facts.strays = self.strays(label);
            }
            (Asked::Make(key), TokenAnswer::Key(facts)) => facts.strays = self.strays(&key.label),
            (_, _) => {}
        }
    }
}

/// Performs a request on the token of a holder, with the fault that is to happen at this call.
pub(crate) fn perform(
    token: &mut Token,
    holder: &Holder,
    request: TokenRequest,
) -> Result<TokenAnswer, TokenError> {
    let asked = Asked::of(&request);
    let fault = with(|world| called(world, holder, &asked)).flatten();
    match fault {
        Some(OfToken::StopsBefore) => {
            unheard(token);
            crash();
        }
        Some(OfToken::FailsBefore(code)) => {
            unheard(token);
            Err(error(code))
        }
        Some(OfToken::Resets | OfToken::Dies) => {
            unheard(token);
            Err(removed())
        }
        Some(OfToken::StopsAfter(remains)) => {
            let _ = done(token, holder, request, &asked, remains);
            unheard(token);
            crash();
        }
        Some(OfToken::FailsAfter(code, remains)) => {
            let _ = done(token, holder, request, &asked, remains);
            unheard(token);
            Err(error(code))
        }
        Some(OfToken::Lies(lie)) => {
            let answer = done(token, holder, request, &asked, Remains::Whole)?;
            Ok(lied(answer, lie))
        }
        Some(OfToken::Clock(_)) | None => done(token, holder, request, &asked, Remains::Whole),
    }
}

/// The request reaches the token, or does not: the fault that happens, a dead one's included.
fn called(world: &mut World, holder: &Holder, asked: &Asked) -> Option<OfToken> {
    world.time += 1;
    world.note(format!("call {holder:?} {}", asked.name()));
    let media = world.media();
    world.checker.words = world.told.count;
    let effect = asked.effect(world.device(holder).map(|device| &*device));
    world.checker.before_effect(&media, holder, &effect);
    let fault = match world.pass(Site::Call) {
        Some(Fault::Token(_, fault)) => Some(fault),
        _ => None,
    };
    if let Some(OfToken::Clock(minutes)) = fault {
        world.skew += i64::from(minutes) * 60;
    }
    let device = world.device(holder)?;
    match fault {
        Some(OfToken::Dies) => device.dead = true,
        Some(OfToken::Resets) => device.silent = true,
        _ => {}
    }
    match (asked, fault) {
        (Asked::Logout, Some(OfToken::StopsBefore | OfToken::StopsAfter(_))) => fault,
        (Asked::Logout, _) => None,
        (_, _) if device.dead || device.silent => Some(OfToken::Resets),
        (_, _) => fault,
    }
}

/// Detaches whoever waited for signatures.
fn unheard(token: &mut Token) {
    token.watch(std::sync::mpsc::channel().0);
}

fn removed() -> TokenError {
    TokenError::new("C_GetSessionInfo", Bilingual::plain("CKR_DEVICE_REMOVED"))
}

fn error(code: u8) -> TokenError {
    let codes = [
        "CKR_GENERAL_ERROR",
        "CKR_DEVICE_ERROR",
        "CKR_FUNCTION_FAILED",
        "CKR_HOST_MEMORY",
        "CKR_SESSION_HANDLE_INVALID",
        "CKR_DEVICE_MEMORY",
        "CKR_PIN_INCORRECT",
        "CKR_PIN_LOCKED",
        "CKR_KEY_HANDLE_INVALID",
        "CKR_FUNCTION_CANCELED",
    ];
    let code = codes[usize::from(code) % codes.len()];
    TokenError::new("C_Call", Bilingual::plain(code))
}

/// What the token does, and what it holds afterwards.
fn done(
    token: &mut Token,
    holder: &Holder,
    request: TokenRequest,
    asked: &Asked,
    remains: Remains,
) -> Result<TokenAnswer, TokenError> {
    if let (Asked::Make(key), false) = (asked, remains == Remains::Whole) {
        with(|world| {
            if remains == Remains::Nameless {
                world.checker.meet(Met::Nameless);
            }
            world.device(holder).map(|device| device.leave(key, remains))
        });
        return Err(error(0));
    }
    let mut answer = token.perform(request)?;
    with(|world| {
        if let (Asked::Sign { digests, .. }, TokenAnswer::Signatures { signatures }) =
            (asked, &answer)
        {
            world.checker.signed(digests, signatures);
        }
        let device = world.device(holder)?;
        match asked {
            Asked::Make(key) => device.leave(key, Remains::Whole),
            Asked::Write { label, value } => {
                let heads = device.heads.entry(label.clone()).or_default();
                match remains {
                    Remains::Whole | Remains::Second => *heads = vec![value.clone()],
                    Remains::First | Remains::Nameless => heads.push(value.clone()),
                    Remains::Nothing => {}
                }
            }
            Asked::Destroy { id, strays } => {
                device.keys.remove(id);
                let of_it =
                    |object: &TokenObject| strays.as_ref().is_some_and(|l| is_stray(object, l));
                device.remains.retain(|object| object.id != *id && !of_it(object));
            }
            Asked::Sign { .. }
            | Asked::ReadHead { .. }
            | Asked::Inspect { .. }
            | Asked::Copy { .. }
            | Asked::List
            | Asked::Logout
            | Asked::Other => {}
        }
        device.complete(asked, &mut answer);
        Some(())
    });
    Ok(answer)
}

/// What is asked before anything is begun.
pub(crate) fn probe(token: &mut Token, asked: ProbeRequest) -> Result<ProbeAnswer, TokenError> {
    match asked {
        ProbeRequest::Token(request) => token.perform(request).map(ProbeAnswer::Token),
        ProbeRequest::Condition { .. } => Ok(ProbeAnswer::Condition(vec![
            TokenFlag::LoginRequired,
            TokenFlag::PinInitialized,
            TokenFlag::Initialized,
        ])),
        ProbeRequest::Copy { .. } => Ok(ProbeAnswer::CanCopy),
        ProbeRequest::Make { .. }
        | ProbeRequest::Refused { .. }
        | ProbeRequest::Data { .. }
        | ProbeRequest::Forget { .. } => Err(removed()),
    }
}

/// What is about to be signed, in full.
pub(crate) fn about_to_sign(expected: &[Expected]) {
    with(|world| world.checker.about_to_sign(expected));
}

/// A copy from one token to another.
pub(crate) fn copy(
    from: &mut Token,
    to: &mut Token,
    to_name: &Name,
    request: CopyRequest,
) -> Result<TokenAnswer, TokenError> {
    let key = request.key.clone();
    let holder = &Holder::Spare(to_name.clone());
    let asked = Asked::Copy { id: key.id.clone() };
    let fault = with(|world| called(world, holder, &asked)).flatten();
    let made = |from: &mut Token, to: &mut Token, request, remains| {
        if remains != Remains::Whole {
            with(|world| world.device(holder).map(|device| device.leave(&key, remains)));
            return Err(error(0));
        }
        let answer = token::copy(from, to, request)?;
        with(|world| world.device(holder).map(|device| device.leave(&key, Remains::Whole)));
        Ok(answer)
    };
    match fault {
        Some(OfToken::StopsBefore) => crash(),
        Some(OfToken::FailsBefore(code)) => Err(error(code)),
        Some(OfToken::Resets | OfToken::Dies) => Err(removed()),
        // What a copy leaves bears its CKA_ID.
        Some(OfToken::StopsAfter(Remains::Nameless)) => crash(),
        Some(OfToken::FailsAfter(code, Remains::Nameless)) => Err(error(code)),
        Some(OfToken::StopsAfter(remains)) => {
            let _ = made(from, to, request, remains);
            crash()
        }
        Some(OfToken::FailsAfter(code, remains)) => {
            let _ = made(from, to, request, remains);
            Err(error(code))
        }
        Some(OfToken::Lies(lie)) => {
            made(from, to, request, Remains::Whole).map(|answer| lied(answer, lie))
        }
        Some(OfToken::Clock(_)) | None => made(from, to, request, Remains::Whole),
    }
}

/// The removal of what a lost copy has left.
pub(crate) fn clear(
    from: &mut Token,
    to: &mut Token,
    to_name: &Name,
    remains: CopyRemains,
) -> Result<TokenAnswer, TokenError> {
    let id = remains.id.clone();
    let answer = token::clear(from, to, remains)?;
    with(|world| {
        let device = world.device(&Holder::Spare(to_name.clone()))?;
        device.keys.remove(&id);
        device.remains.retain(|object| object.id != id);
        Some(())
    });
    Ok(answer)
}
