//! The inputs of a ceremony: its plan; the CP/CPS, the policy and the roster of its CA; and the
//! requests that the plan names.
//!
//! They are read once, and their form is checked here; [`compile`](crate::compile::compile) judges
//! their meaning.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::canonical::canonical;
use crate::cps::{Cps, Found, Tree};
use crate::hex::Digest;
use crate::language::Bilingual;
use crate::name::Name;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::roster::Roster;
use crate::rule::RuleId;
use crate::says;
use crate::text::{self, text_of};
use crate::time::Instant;
use crate::tool_release::ToolRelease;
use crate::violation::{Input, Violation};
use crate::x509::request::{self, Request, RequestError};

/// Everything that a plan is compiled from.
#[derive(Debug)]
pub struct Inputs {
    /// The plan.
    pub plan: Plan,
    /// The CP/CPS.
    pub cps: Cps,
    /// The policy.
    pub policy: Policy,
    /// The roster.
    pub roster: Roster,
    /// The release of the program, if there is one.
    pub release: Option<ToolRelease>,
    /// The certificate signing requests, by the names of their certificates, as they were read.
    pub requests: BTreeMap<Name, Result<Request, RequestError>>,
    /// Every instant that is written in plan, CP/CPS and policy, with its place.
    pub(crate) instants: Vec<(Input, Range<usize>, Instant)>,
    /// The canonical texts, and the requests unchanged, by file name.
    texts: BTreeMap<String, String>,
    /// The policy's entries, as the demands of the CP/CPS name them.
    entries: Tree,
    /// The text of `cps.toml` as it was read, which the places in it are about.
    cps_text: String,
}

/// The documents, as octets.
#[derive(Debug, Clone, Copy)]
pub struct Documents<'a> {
    /// `plan.toml`
    pub plan: &'a [u8],
    /// `cps.toml`
    pub cps: &'a [u8],
    /// `policy.toml`
    pub policy: &'a [u8],
    /// `roster.toml`
    pub roster: &'a [u8],
    /// `release.toml`, if there is one
    pub release: Option<&'a [u8]>,
}

impl Inputs {
    /// Reads the documents and the files that the plan names.
    ///
    /// # Errors
    ///
    /// All errors of form of all documents.
    pub fn read(
        documents: Documents<'_>,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, Vec<Violation>> {
        let mut violations = Vec::new();
        let mut keep = |found: Vec<Violation>| violations.extend(found);
        let plan = Plan::parse(documents.plan).map_err(&mut keep).ok();
        let cps = Cps::parse(documents.cps).map_err(&mut keep).ok();
        let policy = Policy::parse(documents.policy).map_err(&mut keep).ok();
        let roster = Roster::parse(documents.roster).map_err(&mut keep).ok();
        let release = documents.release.map(ToolRelease::parse).transpose().map_err(&mut keep).ok();
        let (Some(plan), Some(cps), Some(policy), Some(roster), Some(release)) =
            (plan, cps, policy, roster, release)
        else {
            return Err(violations);
        };
        let mut texts = BTreeMap::new();
        let all = [
            (Input::Plan, documents.plan),
            (Input::Cps, documents.cps),
            (Input::Policy, documents.policy),
            (Input::Roster, documents.roster),
        ];
        let released = documents.release.map(|octets| (Input::Release, octets));
        for (input, octets) in all.into_iter().chain(released) {
            texts.insert(input.to_string(), canonical(input, octets).map_err(|v| vec![v])?);
        }
        let text = text_of(Input::Policy, documents.policy).map_err(|v| vec![v])?;
        let entries = Tree::of(text);
        let cps_text = String::from_utf8_lossy(documents.cps).into_owned();
        let requests = requests(&plan, files, &mut texts)?;
        let mut instants = Vec::new();
        for (input, octets) in [
            (Input::Plan, documents.plan),
            (Input::Cps, documents.cps),
            (Input::Policy, documents.policy),
        ] {
            let found = text::instants(input, octets).map_err(|v| vec![v])?;
            instants.extend(found.into_iter().map(|(span, at)| (input, span, at)));
        }
        Ok(Self {
            plan,
            cps,
            policy,
            roster,
            release,
            requests,
            instants,
            texts,
            entries,
            cps_text,
        })
    }

    /// Reads the inputs of a sealed folder.
    ///
    /// # Errors
    ///
    /// A violation if the files are not exactly the inputs that the plan asks for, each in its
    /// canonical text.
    pub fn sealed(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Vec<Violation>> {
        let file =
            |input: Input| files.get(&input.to_string()).map(Vec::as_slice).unwrap_or_default();
        let documents = Documents {
            plan: file(Input::Plan),
            cps: file(Input::Cps),
            policy: file(Input::Policy),
            roster: file(Input::Roster),
            release: files.get(&Input::Release.to_string()).map(Vec::as_slice),
        };
        let inputs = Self::read(documents, files)?;
        for (name, octets) in files {
            let canonical = inputs.texts.get(name).map(String::as_bytes);
            if canonical != Some(octets.as_slice()) {
                return Err(vec![Violation::whole(
                    Input::Plan,
                    RuleId::S_INPUTS,
                    says!("正規形の入力", "inputs in their canonical text"),
                    says!(
                        "別の形の `{name}`、又は計画が求めない入力",
                        "`{name}` in another form, or an input that no plan asks for"
                    ),
                    says!("封印したときのフォルダーを使う", "take the folder as it was sealed"),
                )]);
            }
        }
        Ok(inputs)
    }

    /// Makes the violation that is reported if a proof of possession does not verify.
    #[must_use]
    pub fn refused_possession(&self, check: &str) -> Violation {
        let of_check = |(_, request): &(&Name, &Result<Request, RequestError>)| {
            request.as_ref().is_ok_and(|request| request.possession.subject == check)
        };
        let name = self.requests.iter().find(of_check).map(|(name, _)| name);
        let mut certificates = self.plan.certificate.iter();
        let named = certificates.find(|(found, _)| Some(found.get_ref()) == name);
        let csr = named.and_then(|(_, certificate)| certificate.csr.as_ref());
        Violation::at(
            Input::Plan,
            csr.map(toml::Spanned::span).unwrap_or_default(),
            RuleId::R_DS,
            says!("証明を求める鍵で署名された CSR", "a request signed with the key that it brings"),
            name.map_or_else(|| Bilingual::plain(check), |name| says!("{name} の CSR", "{check}")),
            says!(
                "Document Signer に新しい CSR を求める",
                "ask the Document Signer for a new request"
            ),
        )
    }

    /// Returns the digest of the procedure that people are trained on: CP/CPS data and policy.
    #[must_use]
    pub fn procedure(&self) -> Digest {
        let text = |input: Input| {
            self.texts.get(&input.to_string()).map_or(&[][..], |text| text.as_bytes())
        };
        Digest::of_parts("gishiki procedure v1", &[text(Input::Cps), text(Input::Policy)])
    }

    /// The policy's entries by their paths.
    pub(crate) const fn entries(&self) -> &Tree {
        &self.entries
    }

    /// The entries of the CP/CPS by their paths.
    pub(crate) fn cps_entries(&self) -> Tree {
        Tree::of(&self.cps_text)
    }

    /// Follows a dotted path to an entry of the policy.
    pub(crate) fn entry(&self, path: &str) -> Found {
        self.entries.at(path)
    }

    /// The canonical texts, and the requests, by file name.
    #[must_use]
    pub const fn texts(&self) -> &BTreeMap<String, String> {
        &self.texts
    }
}

/// The certificate signing requests that a plan names.
fn requests(
    plan: &Plan,
    files: &BTreeMap<String, Vec<u8>>,
    texts: &mut BTreeMap<String, String>,
) -> Result<BTreeMap<Name, Result<Request, RequestError>>, Vec<Violation>> {
    let mut requests = BTreeMap::new();
    for (name, certificate) in &plan.certificate {
        let Some(csr) = &certificate.csr else { continue };
        let refused = |found: Bilingual| {
            let asked = says!(
                "計画と並ぶ ASCII の通常のファイル(電子証明書ごとに別のもの)",
                "a plain file beside the plan, in ASCII, of its own for each certificate"
            );
            let advice =
                says!("受け取った CSR をそのまま写す", "copy the request as it was received");
            vec![Violation::at(Input::Plan, csr.span(), RuleId::R_CSR_INTAKE, asked, found, advice)]
        };
        let file = csr.get_ref();
        let absent = || refused(says!("ファイル `{file}` なし", "no file `{file}`"));
        let octets = files.get(file).ok_or_else(absent)?;
        let text = core::str::from_utf8(octets).ok().filter(|text| text.is_ascii());
        let other = || {
            says!("`{file}` にある ASCII 以外のオクテット", "octets in `{file}` that are not ASCII")
        };
        let text = text.ok_or_else(|| refused(other()))?;
        requests.insert(name.get_ref().clone(), request::read(name.get_ref().as_str(), text));
        if texts.insert(file.clone(), text.to_string()).is_some() {
            return Err(refused(says!("`{file}` の重複", "`{file}` twice")));
        }
    }
    Ok(requests)
}

/// Returns the digest that names an input, computed over its canonical text.
#[must_use]
pub fn input_digest(text: &str) -> Digest {
    Digest::of_parts("gishiki input v1", &[text.as_bytes()])
}
