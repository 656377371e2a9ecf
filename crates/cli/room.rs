//! Reads the room, checks the modules that it names, and opens the tokens.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ceremony::fault::Fault;
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::record::{Mode, Place};
use ceremony::room::{Room, RoomToken};
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::token::Holder;
use token::{Module, Token, Who};

use crate::cards::Cards;
use crate::files::{self, read, read_document};
use crate::halt::Halt;
use crate::live::BootLog;
use crate::pins::Form;
use crate::shares::Lock;
use crate::sources::shown;
use crate::tokens::Tokens;

/// A room that was read and checked: where the ceremony is held, and its tokens.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) mode: Mode,
    pub(crate) place: Place,
    pub(crate) tokens: Tokens,
    pub(crate) cards: Cards,
}

/// How much of a room a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Its tokens.
    Tokens,
    /// Its modules only: the ceremony is sealed, so no token is asked for anything.
    Modules,
}

/// Reads the room, compares the modules' digests, and opens the modules. No token is changed.
pub(crate) fn enter(path: &Path, wanted: Wanted) -> Result<Entered, Halt> {
    #[cfg(test)]
    if let Some(entered) = crate::simulator::entered() {
        return Ok(entered);
    }
    let octets = read_document(path)?;
    let room = Room::parse(&octets).map_err(Halt::unread(path, &octets))?;
    let text = ceremony::canonical::canonical(ceremony::violation::Input::Room, &octets)
        .map_err(|violation| Halt::unread(path, &octets)(vec![violation]))?;
    let mut opened = Vec::new();
    let root = open(&mut opened, &room.token, wanted)?;
    let mut shared: BTreeMap<_, _> = shared(Holder::Root, &room.token).collect();
    let mut spares = BTreeMap::new();
    for (name, spare) in &room.spare {
        spares.insert(name.clone(), open(&mut opened, spare, wanted)?);
        shared.extend(self::shared(Holder::Spare(name.clone()), spare));
    }
    let mut cards = Cards::default();
    for card in &room.cards {
        let initialize = card.initialize.as_ref().map(|text| text.get_ref().as_str());
        let module = Path::new(card.module.get_ref());
        cards.modules.push(module_of(&mut opened, module, *card.sha256.get_ref(), initialize)?);
    }
    let serial = |token: &RoomToken| token.serial.get_ref().clone();
    let place = Place {
        room: ceremony::inputs::input_digest(&text).to_string(),
        terminal: room.terminal.get_ref().to_string(),
        tool: crate::args::VERSION.to_string(),
        image: crate::live::measured(),
        token: serial(&room.token),
        spares: room.spare.iter().map(|(name, spare)| (name.clone(), serial(spare))).collect(),
        since_boot: BootLog::here().events()?,
    };
    let mode = if room.drill { Mode::Drill } else { Mode::Real };
    Ok(Entered { mode, place, tokens: Tokens { root, spares, shared }, cards })
}

/// Opens a module that the room names, once for all its tokens and cards.
fn module_of(
    opened: &mut Vec<(PathBuf, Module)>,
    module: &Path,
    asked: Digest,
    initialize: Option<&str>,
) -> Result<Module, Halt> {
    // Modules are often links to a versioned file; the digest is what names them.
    let path = fs::canonicalize(module).map_err(|error| {
        let asked = says!("モジュール {}", "the module {}", shown(module));
        Halt::media(RuleId::S_ROOM, asked, files::said(&error))
    })?;
    let found = Digest::of(&read(&path)?);
    if found != asked {
        let path = shown(&path);
        let asked = says!(
            "SHA-256 が {asked} のモジュール {path}",
            "the module {path} with SHA-256 {asked}"
        );
        return Err(Halt::media(RuleId::S_ROOM, asked, Bilingual::plain(found)));
    }
    if let Some((_, module)) = opened.iter().find(|(other, _)| *other == path) {
        return Ok(module.clone());
    }
    let module = crate::tokens::module(&path, initialize)?;
    opened.push((path, module.clone()));
    Ok(module)
}

/// The PINs of a token that its custodians put together from shares.
fn shared(holder: Holder, token: &RoomToken) -> impl Iterator<Item = ((Holder, Who), Form)> {
    let serial = token.serial.get_ref().clone();
    let both = [(Who::User, &token.shares), (Who::Officer, &token.so_shares)];
    both.into_iter().filter_map(move |(who, need)| {
        let lock = Lock { who, serial: serial.clone() };
        // The room's reader has judged it: 2 to 15.
        let need = need.as_ref().map(|need| u8::try_from(*need.get_ref()).unwrap_or(u8::MAX))?;
        let form = Form::Shares(lock, Some(need));
        Some(((holder.clone(), who), form))
    })
}

/// Opens a token by the module that the room names.
fn open(
    opened: &mut Vec<(PathBuf, Module)>,
    token: &RoomToken,
    wanted: Wanted,
) -> Result<Token, Halt> {
    let initialize = token.initialize.as_ref().map(|text| text.get_ref().as_str());
    let path = Path::new(token.module.get_ref());
    let module = module_of(opened, path, *token.sha256.get_ref(), initialize)?;
    let label = token.label.as_ref().map(|text| text.get_ref().as_str());
    let found = Token::Pkcs11(Box::new(module.token(label)));
    if wanted == Wanted::Modules {
        return Ok(found);
    }
    // Here a wrong number can still be mended; the ceremony's first record names it.
    let serial = token.serial.get_ref();
    found.is_there(serial).map_err(|error| {
        let asked = says!("製造番号 {serial} のトークン", "a token with serial number {serial}");
        Halt::Token(Fault::new(RuleId::S_TOKEN_SERIAL, asked, error.said()))
    })?;
    Ok(found)
}
