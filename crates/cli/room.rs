//! The room: reads it, checks the module that it names, and opens the token.

use std::fs;
use std::path::Path;

use ceremony::hex::Digest;
use ceremony::record::{Mode, Place};
use ceremony::room::Room;
use token::{Pkcs11Token, Token};

use crate::conduct::fault;
use crate::exit::Halt;
use crate::files::{read, read_document, shown};

/// A room that was entered: where the ceremony is held, and its token.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) mode: Mode,
    pub(crate) place: Place,
    pub(crate) token: Token,
}

/// Reads the room, compares the module's digest, and opens the module. Nothing on the token is
/// touched.
pub(crate) fn enter(path: &Path) -> Result<Entered, Halt> {
    let octets = read_document(path)?;
    let wrong = |violation: ceremony::violation::Violation| {
        Halt::media(
            violation.rule,
            format!("{} in {}", violation.asked, shown(path)),
            violation.found,
        )
    };
    let room = Room::parse(&octets).map_err(wrong)?;
    let text =
        ceremony::canonical::canonical(ceremony::violation::Input::Room, &octets).map_err(wrong)?;
    let module = Path::new(room.token.module.get_ref());
    // Modules are often links to a versioned file; the digest is what names them.
    let module = fs::canonicalize(module).map_err(|error| {
        Halt::media("S-ROOM", format!("the module {}", shown(module)), error.to_string())
    })?;
    let found = Digest::of(&read(&module)?);
    let asked = room.token.sha256.get_ref();
    if found != *asked {
        let asked = format!("the module {} with SHA-256 {asked}", shown(&module));
        return Err(Halt::media("S-ROOM", asked, found.to_string()));
    }
    let label = room.token.label.as_ref().map(|text| text.get_ref().as_str());
    let initialize = room.token.initialize.as_ref().map(|text| text.get_ref().as_str());
    let token = Pkcs11Token::open(&module, label, initialize).map_err(|error| {
        Halt::Token(fault("S-TOKEN", "a PKCS #11 module that opens", &error.to_string()))
    })?;
    let place = Place {
        room: ceremony::compile::input_digest(&text).to_string(),
        terminal: room.terminal.get_ref().to_string(),
        tool: env!("CARGO_PKG_VERSION").to_string(),
        image: "none".to_string(),
        token: room.token.serial.get_ref().clone(),
    };
    let mode = if room.drill { Mode::Drill } else { Mode::Real };
    Ok(Entered { mode, place, token: Token::Pkcs11(Box::new(token)) })
}
