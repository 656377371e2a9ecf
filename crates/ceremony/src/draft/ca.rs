//! A CA to fill in: its CP/CPS, the same as data, its policy, its roster and its first plan.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{document, in_languages, place, written};
use crate::canonical::quoted;
use crate::fault::Fault;
use crate::hex::encode;
use crate::key::Curve;
use crate::language::Language;
use crate::name::Name;
use crate::rule::RuleId;
use crate::says;
use crate::time::Offset;
use crate::x509::Rdn;

/// What is known of a new CA. What is not becomes a place to fill in.
#[derive(Debug, Clone, Default)]
pub struct NewCa {
    /// Its name in the file system.
    pub id: Option<Name>,
    /// The country in its Name.
    pub country: Option<String>,
    /// The organisation in its Name, which operates it.
    pub organization: Option<String>,
    /// The common name in its Name.
    pub common_name: Option<String>,
    /// The curve of its root keys.
    pub curve: Option<Curve>,
    /// The languages of its documents; if none are known, every text has a place for both.
    pub languages: Vec<Language>,
    /// The offset in which it counts its days.
    pub offset: Option<Offset>,
    /// The seed of its first plan.
    pub seed: [u8; 32],
}

impl NewCa {
    /// Judges what is known of the CA's Name as `check` does later.
    ///
    /// # Errors
    ///
    /// R-DN, with what is to be written.
    pub fn judge(&self) -> Result<(), Fault> {
        let asked = [
            (
                self.country.clone().map(Rdn::C),
                says!(
                    "ISO 3166-1 alpha-2 の国名コード、英大文字 2 文字(例: JP)",
                    "a country of ISO 3166-1 alpha-2, two capital letters such as JP"
                ),
            ),
            (
                self.organization.clone().map(Rdn::O),
                says!("認証局の名称に入れる組織名(O)", "an organisation for the CA's Name (O)"),
            ),
            (
                self.common_name.clone().map(Rdn::Cn),
                says!("認証局の名称に入れる CN", "a common name for the CA (CN)"),
            ),
        ];
        for (rdn, asked) in asked {
            let judged = rdn.as_ref().map_or(Ok(()), Rdn::judge);
            judged.map_err(|error| Fault::new(RuleId::R_DN, asked, error.said()))?;
        }
        Ok(())
    }
}

/// The people of a small CA: an id, a role, and whether a letter appoints them.
const PEOPLE: [(&str, &str, &str); 6] = [
    ("p01", "manager", "letter"),
    ("p02", "key-holder", "p01"),
    ("p03", "key-holder", "p01"),
    ("p04", "requester", "p01"),
    ("p05", "witness", "p01"),
    ("p06", "witness", "p01"),
];

/// Returns the files of a new CA's folder, by their paths in it.
#[must_use]
pub fn new_ca(ca: &NewCa) -> BTreeMap<String, String> {
    let both = [Language::Ja, Language::En];
    let languages = if ca.languages.is_empty() { both.as_slice() } else { &ca.languages };
    let values = values(ca, languages);
    let of = |template: &str| written(template, languages, &values);
    let mut roster = of(include_str!("ca/roster.toml"));
    for (id, role, by) in PEOPLE {
        let own = [("person", id), ("role", role), ("by", by)];
        let own: Vec<(&str, String)> = own.map(|(name, value)| (name, value.into())).into();
        let ja = languages.contains(&Language::Ja);
        let name_ja = "name-ja      = ‹日本語の氏名|the name as it is written in Japanese›\n";
        let own = [own, [("name-ja", if ja { name_ja.into() } else { String::new() })].into()];
        roster.push_str(&written(include_str!("ca/person.toml"), languages, &own.concat()));
    }
    BTreeMap::from([
        ("cps.md".into(), document::outline(languages)),
        ("cps.toml".into(), of(include_str!("ca/cps.toml"))),
        ("policy.toml".into(), of(include_str!("ca/policy.toml"))),
        ("roster.toml".into(), roster),
        ("genesis/plan.toml".into(), of(include_str!("ca/genesis.toml"))),
        ("genesis/README.md".into(), of(include_str!("ca/genesis.md"))),
    ])
}

/// What stands in the templates: a value that is known, or a place to fill in.
fn values(ca: &NewCa, languages: &[Language]) -> Vec<(&'static str, String)> {
    let text = |known: &Option<String>, ja: &str, en: &str| {
        known.as_ref().map_or_else(|| place(ja, en), |known| quoted(known))
    };
    let id = ca.id.as_ref().map(ToString::to_string);
    let offset = ca.offset.map(|offset| offset.to_string());
    let curve = ca.curve.map(|curve| curve.name().to_string());
    let codes = ca.languages.iter().map(|language| quoted(language.code()));
    let codes: Vec<String> = codes.collect();
    let listed = if codes.is_empty() {
        let asked = place(
            "\"ja\"、\"en\" 又はその両方の引用符付きの一覧(使わない言語の文は、この認証局のすべての文書から除く)",
            "a list of \"ja\", \"en\" or both, in quotation marks; texts in another language are then taken out of all documents",
        );
        format!("[{asked}]")
    } else {
        format!("[{}]", codes.join(", "))
    };
    let name = in_languages(
        languages,
        &place("組織の日本語の名称", "the name of the organisation in Japanese"),
        &text(&ca.organization, "組織の英語の名称", "the name of the organisation in English"),
    );
    [
        (
            "id",
            text(
                &id,
                "認証局のフォルダーの名(a–z、0–9、-)",
                "the name of the CA's folder, of a-z, 0-9 and -",
            ),
        ),
        ("languages", listed),
        (
            "offset",
            text(&offset, "UTC からの時差(例: +05:30)", "the offset from UTC, such as +05:30"),
        ),
        // In examples of times: the CA's own, if it is known.
        ("at", offset.clone().unwrap_or_else(|| "+05:30".into())),
        (
            "country",
            text(
                &ca.country,
                "ISO 3166-1 の国名コード(英大文字 2 文字)",
                "the country, two capital letters of ISO 3166-1",
            ),
        ),
        (
            "organization",
            text(
                &ca.organization,
                "認証局の名称に入れる組織名(O)",
                "the organisation in the CA's Name (O)",
            ),
        ),
        (
            "common-name",
            text(&ca.common_name, "認証局の名称に入れる CN", "the common name of the CA (CN)"),
        ),
        ("curve", text(&curve, "P-256 又は P-384", "P-256 or P-384")),
        ("organization-name", name),
        ("serials", quoted(&encode(&ca.seed))),
    ]
    .into()
}
