//! `image attest`: has a builder attest an image with their card, and reads who attests one.
//!
//! What is signed and what counts is said by the core ([`ceremony::attestation`]). This file finds
//! the card, signs, and keeps one file for each person, so that attestations from several places
//! meet in a repository without conflict.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::image::{Pin, Proved};
use ceremony::attestation::{Builders, Built, Weighed, Written};
use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::policy::Policy;
use ceremony::roster::Roster;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::time::Instant;

use crate::args::Attest;
use crate::cards::by_card;
use crate::clock::Clock;
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::report::{plain, print, tell};
use crate::sources::shown;
use crate::{files, partial};

/// The folder of all attestations, in the repository.
const FOLDER: &str = "golden/image/attested";

/// The attestations of an image.
#[derive(Debug, Default)]
struct Found {
    /// Those that count, by person, and when they were made.
    agree: BTreeMap<Name, Instant>,
    /// The others that are not refused, and why they do not count.
    others: Vec<(PathBuf, Bilingual)>,
}

/// Has a person attest an image that was compared with its pin and its recipe.
pub(crate) fn attest(asked: &Attest, proved: &Proved, pin: &Pin, lang: Lang) -> Result<(), Halt> {
    let (person, builders) = (&asked.person, builders(&asked.ca)?);
    let (built, folder) = (built(proved, pin), folder(&builders, proved));
    let now = Clock::System(builders.offset()).now()?;
    let to_sign = builders.to_sign(person, &built, now).map_err(Halt::Media)?;
    tell(&described(&builders, person, proved, pin, lang));
    let signed = by_card(&to_sign, &asked.module, asked.pin_fd, lang)?;
    let text = Written::text(&built, now, &signed);
    let path = folder.join(format!("{person}.toml"));
    let written = Written::parse(text.as_bytes()).map_err(Halt::unread(&path, text.as_bytes()))?;
    // As it will be read: a card that signs something else leaves no file.
    builders.weigh(&built, (person, &written), &BTreeMap::new(), now).map_err(Halt::Token)?;
    std::fs::create_dir_all(&folder).and_then(|()| partial::put(&path, text.as_bytes())).map_err(
        |error| {
            let asked = says!("書き込める {}", "{}, to be written", shown(&path));
            Halt::media(RuleId::S_FILE, asked, files::said(&error))
        },
    )?;
    let head = pick(lang, "署名した", "attested");
    print(&format!("{head}: {person}: {}\n", shown(&path)))?;
    let found = read(&folder, &builders, &built, now)?;
    print(&listed(&found, &builders, lang))
}

/// Judges who attests an image that was compared with its pin and its recipe.
pub(crate) fn judge(ca: &Path, proved: &Proved, pin: &Pin, lang: Lang) -> Result<(), Halt> {
    let builders = builders(ca)?;
    let now = Clock::System(builders.offset()).now()?;
    let found = read(&folder(&builders, proved), &builders, &built(proved, pin), now)?;
    print(&listed(&found, &builders, lang))?;
    builders.refuse_fewer(&found.agree).map_err(Halt::Media)
}

/// Reads who may attest from the policy and the roster of a CA.
fn builders(ca: &Path) -> Result<Builders, Halt> {
    let (policy, roster) = (ca.join("policy.toml"), ca.join("roster.toml"));
    let octets = files::read_document(&policy)?;
    let policy = Policy::parse(&octets).map_err(Halt::unread(&policy, &octets))?;
    let octets = files::read_document(&roster)?;
    let roster = Roster::parse(&octets).map_err(Halt::unread(&roster, &octets))?;
    Builders::of(&policy, &roster).map_err(Halt::Media)
}

fn built(proved: &Proved, pin: &Pin) -> Built {
    Built { derivation: proved.derivation.clone(), iso: pin.iso_sha256 }
}

/// The folder of the attestations of an image by the people of a CA.
fn folder(builders: &Builders, proved: &Proved) -> PathBuf {
    Path::new(FOLDER).join(builders.ca().as_str()).join(&proved.image)
}

fn read(folder: &Path, builders: &Builders, built: &Built, now: Instant) -> Result<Found, Halt> {
    let mut found = Found::default();
    for name in files::names_if_any(folder)? {
        let path = folder.join(&name);
        let person = name.to_str().and_then(|name| name.strip_suffix(".toml")?.parse().ok());
        let person: Name = person.ok_or_else(|| {
            let asked = says!("PERSON.toml だけ", "PERSON.toml and nothing else");
            Halt::media(RuleId::S_FILE, asked, Bilingual::plain(shown(&path)))
        })?;
        let octets = files::read_document(&path)?;
        let written = Written::parse(&octets).map_err(Halt::unread(&path, &octets))?;
        let weighed = builders.weigh(built, (&person, &written), &found.agree, now);
        let why = match weighed.map_err(|fault| Halt::Media(of(&path, fault)))? {
            Weighed::Agrees => {
                found.agree.insert(person, *written.at.get_ref());
                continue;
            }
            Weighed::SameCard(other) => says!("{other} と同じカード", "the same card as {other}"),
            Weighed::OtherRecipe => {
                let recipe = written.derivation.get_ref();
                says!("別のレシピ {recipe} のもの", "of another recipe, {recipe}")
            }
            Weighed::Stranger => says!("任命簿にない者", "of nobody in the roster"),
        };
        found.others.push((path, why));
    }
    Ok(found)
}

/// The fault, with the file in which it is, and what to do about a file that nobody signed so.
fn of(path: &Path, fault: Fault) -> Fault {
    let (path, asked, found) = (shown(path), *fault.asked, *fault.found);
    let asked = Box::new(says!(asked; "{path}: {asked}", "{path}: {asked}"));
    let found = match fault.rule == RuleId::S_SIGNED {
        true => says!(
            found;
            "{found}。ファイルを削除し、本人がもう一度 `gishiki image attest` を行う",
            "{found}; delete the file, and let the person run `gishiki image attest` again"
        ),
        false => found,
    };
    Fault { asked, found: Box::new(found), ..fault }
}

/// What a person attests.
fn described(
    builders: &Builders,
    person: &Name,
    Proved { image, derivation, .. }: &Proved,
    pin: &Pin,
    lang: Lang,
) -> String {
    let (ca, iso) = (builders.ca(), pin.iso_sha256);
    match lang {
        Lang::Ja => format!(
            "{person}({ca})は次のことに署名する: イメージ {image} を自分でビルドした\n  レシピ {derivation}\n  できた ISO {iso}"
        ),
        Lang::En => format!(
            "{person} of {ca} attests: I built the image {image}\n  the recipe  {derivation}\n  gave the ISO  {iso}"
        ),
    }
}

/// Who attests, and what does not count.
fn listed(found: &Found, builders: &Builders, lang: Lang) -> String {
    let (count, ca) = (found.agree.len(), builders.ca());
    let mut text = match (builders.needed(), lang) {
        (Some(needed), Lang::Ja) => {
            format!("ビルド結果に署名した者: {count} 名({ca} のポリシーが求めるのは {needed} 名)\n")
        }
        (Some(needed), Lang::En) => {
            format!("attested by {count}; the policy of {ca} asks for {needed}\n")
        }
        (None, Lang::Ja) => {
            format!("ビルド結果に署名した者: {count} 名({ca} のポリシーに人数の定めなし)\n")
        }
        (None, Lang::En) => {
            format!("attested by {count}; the policy of {ca} does not say how many must\n")
        }
    };
    for (person, at) in &found.agree {
        let who = builders.named(person);
        text.push_str(&format!("  {} {at}\n", plain(lang.said(&who))));
    }
    for (path, why) in &found.others {
        let head = pick(lang, "数えない", "not counted");
        text.push_str(&format!("  {head}: {}: {}\n", shown(path), plain(lang.said(why))));
    }
    text
}
