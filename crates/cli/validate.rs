//! `gishiki validate`: whether a certificate may be relied on, in words, step by step.
//!
//! **Deliberately absent:** any judgement. What holds is said by `ceremony::path`; here files
//! become octets, and steps become lines.

use std::path::{Path, PathBuf};

use ceremony::bounds::OFFERED;
use ceremony::fault::Fault;
use ceremony::path::{
    Ca, Iaca, Item, Offered, RehearsalKeys, Role, Shown, Step, Verdict, Weight, validate,
};
use ceremony::policy::Policy;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::verify::Refusal;

use crate::args;
use crate::files::read_der;
use crate::halt::Halt;
use crate::lang::Lang;
use crate::report::{plain, print};
use crate::sources::shown;

/// Prints the verdict; a refusal ends the command with its first reason.
pub(crate) fn say(asked: &args::Validate, lang: Lang) -> Result<(), Halt> {
    let mut left = OFFERED.most;
    let mut all = |paths: &[PathBuf], label| -> Result<Vec<Vec<u8>>, Halt> {
        paths.iter().map(|path| read_der(path, label, &mut left)).collect()
    };
    let target = std::slice::from_ref(&asked.certificate);
    let target = all(target, "CERTIFICATE")?.pop().unwrap_or_default();
    let offered = Offered {
        roots: all(&asked.root, "CERTIFICATE")?,
        links: all(&asked.link, "CERTIFICATE")?,
        crls: all(&asked.crl, "X509 CRL")?,
        target,
    };
    let rehearsal = if asked.rehearsal { RehearsalKeys::Accepted } else { RehearsalKeys::Refused };
    let annex_b = match asked.warn {
        Some(args::Warned::Iso) => Weight::Warn,
        None => Weight::Refuse,
    };
    let ca = asked.ca.as_deref().map(ca).transpose()?;
    let verdict = validate(&offered, asked.at, &Iaca { rehearsal, annex_b, ca });
    print(&words(&verdict, asked, lang))?;
    let reasons = verdict.reasons();
    let Some((item, fault)) = reasons.first() else { return Ok(()) };
    Err(Halt::Verification(Refusal::of(shown(file(*item, asked)), (*fault).clone())))
}

fn file(item: Item, asked: &args::Validate) -> &Path {
    let path = match item {
        Item::Root(place) => asked.root.get(place),
        Item::Link(place) => asked.link.get(place),
        Item::Crl(place) => asked.crl.get(place),
        Item::Target => None,
    };
    path.unwrap_or(&asked.certificate)
}

/// Words the verdict, then each input: what it is, and what was found wrong with it.
fn words(verdict: &Verdict, asked: &args::Validate, lang: Lang) -> String {
    let word = match (verdict.is_valid(), asked.rehearsal, lang) {
        (true, false, Lang::Ja) => "有効",
        (true, false, Lang::En) => "valid",
        (true, true, Lang::Ja) => "リハーサルとして有効",
        (true, true, Lang::En) => "valid, as a rehearsal",
        (false, _, Lang::Ja) => "拒否",
        (false, _, Lang::En) => "refused",
    };
    let mut text = format!("{word}: {} ({})\n", shown(&asked.certificate), verdict.at());
    for step in verdict.steps() {
        let mark = if step.judgement.holds() { '✓' } else { '✗' };
        let path = shown(file(step.item, asked));
        text.push_str(&format!("\n{mark} {} {path}\n", kind(step, lang)));
        for line in facts(&step.shown, lang) {
            text.push_str(&format!("    {line}\n"));
        }
        text.push_str(&format!("    {}\n", rules(step, lang)));
        let warned = match lang {
            Lang::Ja => "! 警告 ",
            Lang::En => "! warning ",
        };
        for (mark, faults) in [("✗ ", step.judgement.faults()), (warned, step.judgement.warnings())]
        {
            for fault in faults {
                text.push_str(&told(mark, fault, lang));
            }
        }
    }
    text
}

/// Words a fault with its source, what was asked and what was found.
fn told(mark: &str, fault: &Fault, lang: Lang) -> String {
    let clause = ceremony::rules::find(fault.rule).map_or("gishiki", |rule| rule.clause);
    let (wanted, was) = match lang {
        Lang::Ja => ("求めたもの", "あったもの"),
        Lang::En => ("asked", "found"),
    };
    format!(
        "  {mark}{} [{clause}] {}\n      {wanted}: {}\n      {was}: {}\n",
        fault.rule,
        meaning(fault.rule, lang),
        plain(lang.said(&fault.asked)),
        plain(lang.said(&fault.found))
    )
}

/// Reads the rules of the CA from the policy.toml in this folder.
fn ca(folder: &Path) -> Result<Ca, Halt> {
    let path = folder.join("policy.toml");
    let octets = crate::files::read_document(&path)?;
    let policy = Policy::parse(&octets).map_err(Halt::unread(path, &octets))?;
    let broken = says!("名称にできる RDN の列", "RDNs that can be a Name");
    Ca::of(&policy).map_err(|error| Halt::media(RuleId::P_NAME_STRING, broken, error.said()))
}

fn kind(step: &Step, lang: Lang) -> &'static str {
    let role = match &step.shown {
        Shown::Certificate { role, .. } => Some(*role),
        Shown::Crl { .. } | Shown::Unread => None,
    };
    match (step.item, role, lang) {
        (Item::Root(_), _, Lang::Ja) => "信頼するルート",
        (Item::Root(_), _, Lang::En) => "trusted root",
        (Item::Link(_), _, Lang::Ja) => "リンク証明書",
        (Item::Link(_), _, Lang::En) => "link certificate",
        (Item::Crl(_), _, Lang::Ja) => "CRL",
        (Item::Crl(_), _, Lang::En) => "CRL",
        (Item::Target, Some(Role::Root), Lang::Ja) => "対象(ルート証明書)",
        (Item::Target, Some(Role::Root), Lang::En) => "in question, a root:",
        (Item::Target, Some(Role::Link), Lang::Ja) => "対象(リンク証明書)",
        (Item::Target, Some(Role::Link), Lang::En) => "in question, a link:",
        (Item::Target, Some(Role::Signer), Lang::Ja) => "対象(DS証明書)",
        (Item::Target, Some(Role::Signer), Lang::En) => "in question, a Document Signer:",
        (Item::Target, None, Lang::Ja) => "対象",
        (Item::Target, None, Lang::En) => "in question:",
    }
}

fn facts(of: &Shown, lang: Lang) -> Vec<String> {
    let pick = |ja: &'static str, en: &'static str| match lang {
        Lang::Ja => ja,
        Lang::En => en,
    };
    match of {
        Shown::Unread => Vec::new(),
        Shown::Certificate { subject, serial, key, validity: (first, last), .. } => Vec::from([
            plain(subject),
            format!("{} {serial}", pick("シリアル番号", "serial number")),
            format!("{} {key}", pick("鍵識別子", "key identifier")),
            format!("{first} – {last}"),
        ]),
        Shown::Crl { number, key, updates: (this, next), entries } => Vec::from([
            format!("{} {number}", pick("CRL 番号", "CRL number")),
            format!("{} {key}", pick("署名鍵の識別子", "signed by key")),
            match next {
                Some(next) => format!("{this} – {next}"),
                None => this.to_string(),
            },
            format!("{entries} {}", pick("件の失効", "revoked")),
        ]),
    }
}

/// Lists the rules that an input was judged by and kept.
fn rules(step: &Step, lang: Lang) -> String {
    let told = step.judgement.faults().iter().chain(step.judgement.warnings());
    let broken: Vec<RuleId> = told.map(|fault| fault.rule).collect();
    let judged = step.judgement.judged().iter();
    let kept: Vec<&str> =
        judged.filter(|rule| !broken.contains(rule)).map(|rule| rule.as_str()).collect();
    let head = match lang {
        Lang::Ja => "満たした規則",
        Lang::En => "keeps",
    };
    format!("{head}: {}", if kept.is_empty() { "–".to_string() } else { kept.join(" ") })
}

/// Says for people what a broken rule of the path means for this input. The table says what the
/// rule refuses in general.
fn meaning(rule: RuleId, lang: Lang) -> &'static str {
    let (ja, en) = match rule {
        RuleId::P_DER => ("読み取れません", "it cannot be read"),
        RuleId::P_PATH_ISSUER => {
            ("発行者の名前を信頼する鍵がありません", "no trusted key has this issuer's Name")
        }
        RuleId::P_PATH_KEY => {
            ("署名した鍵を信頼していません", "the key that signed is not trusted")
        }
        RuleId::P_PATH_CA => {
            ("証明書に署名してよい鍵ではありません", "the key may not sign certificates")
        }
        RuleId::P_PATH_ALGORITHM => (
            "署名を検証できないアルゴリズムです",
            "this program cannot verify signatures of this algorithm",
        ),
        RuleId::P_PATH_LENGTH => (
            "pathLenConstraint の許す数を超えています",
            "more CA certificates than pathLenConstraint allows",
        ),
        RuleId::P_PATH_SIGNATURE => ("署名が検証できません", "the signature does not verify"),
        RuleId::P_PATH_TIME => ("この時刻は有効期間の外です", "this time is outside its validity"),
        RuleId::R_VERIFIER => {
            ("処理できないクリティカル拡張があります", "a critical extension cannot be processed")
        }
        RuleId::P_PATH_CRL => ("この時刻のCRLがありません", "there is no CRL of this time for it"),
        RuleId::P_CRL_TIME => ("この時刻のCRLではありません", "it is not the CRL of this time"),
        RuleId::P_REVOKED => ("失効しています", "it is revoked"),
        RuleId::R_LINK => {
            ("リンク証明書の形ではありません", "it has not the form of a link certificate")
        }
        RuleId::S_REHEARSAL_KEY => {
            ("リハーサル用の公知の鍵です", "its key is one of the rehearsal's, known to everyone")
        }
        other if other.as_str().starts_with("I-") || other == RuleId::R_DS_NOT_CA => {
            ("ISO/IEC 18013-5 Annex B の形ではありません", "it has not the form of Annex B")
        }
        _ => ("形が規則に合いません", "its form breaks a rule"),
    };
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}
