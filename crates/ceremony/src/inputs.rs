//! The inputs of a ceremony: its plan, the policy and the roster beside it, and the requests that
//! the plan names.
//!
//! They are read once and judged for their form here; what they mean is said by
//! [`compile`](crate::compile::compile).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crate::canonical::canonical;
use crate::hex::Digest;
use crate::name::Name;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::roster::Roster;
use crate::rule::RuleId;
use crate::violation::{Input, Violation};
use crate::x509::request::{self, Request, RequestError};

/// Everything that a plan is compiled from.
#[derive(Debug)]
pub struct Inputs {
    /// The plan.
    pub plan: Plan,
    /// The policy.
    pub policy: Policy,
    /// The roster.
    pub roster: Roster,
    /// The certificate signing requests, by the names of their certificates, as they were read.
    pub requests: BTreeMap<Name, Result<Request, RequestError>>,
    /// The canonical texts, and the requests as they stand, by file name.
    texts: BTreeMap<String, String>,
}

impl Inputs {
    /// Reads the three documents, and the files that the plan names: of each document, the first
    /// error of its form.
    pub fn read(
        plan: &[u8],
        policy: &[u8],
        roster: &[u8],
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, Vec<Violation>> {
        let mut violations = Vec::new();
        let mut keep = |violation: Violation| violations.push(violation);
        let plan_read = Plan::parse(plan).map_err(&mut keep).ok();
        let policy_read = Policy::parse(policy).map_err(&mut keep).ok();
        let roster_read = Roster::parse(roster).map_err(&mut keep).ok();
        let (Some(plan_read), Some(policy_read), Some(roster_read)) =
            (plan_read, policy_read, roster_read)
        else {
            return Err(violations);
        };
        let mut texts = BTreeMap::new();
        for (input, octets) in
            [(Input::Plan, plan), (Input::Policy, policy), (Input::Roster, roster)]
        {
            texts.insert(input.to_string(), canonical(input, octets).map_err(|v| vec![v])?);
        }
        let requests = requests(&plan_read, files, &mut texts)?;
        Ok(Self { plan: plan_read, policy: policy_read, roster: roster_read, requests, texts })
    }

    /// Reads the inputs of a sealed folder: exactly those that a plan asks for, each in its
    /// canonical text.
    pub fn sealed(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Vec<Violation>> {
        let file =
            |input: Input| files.get(&input.to_string()).map(Vec::as_slice).unwrap_or_default();
        let (plan, policy, roster) = (file(Input::Plan), file(Input::Policy), file(Input::Roster));
        let inputs = Self::read(plan, policy, roster, files)?;
        for (name, octets) in files {
            let canonical = inputs.texts.get(name).map(String::as_bytes);
            if canonical != Some(octets.as_slice()) {
                return Err(vec![Violation::whole(
                    Input::Plan,
                    RuleId::S_INPUTS,
                    "inputs in their canonical text",
                    &format!("`{name}` in another form, or an input that no plan asks for"),
                    "take the folder as it was sealed",
                )]);
            }
        }
        Ok(inputs)
    }

    /// What is said where a proof of possession does not hold.
    #[must_use]
    pub fn refused_possession(&self, check: &str) -> Violation {
        let certificates = self.plan.certificate.iter();
        let mut named = certificates
            .filter(|(name, _)| format!("the request {}", name.get_ref()) == check)
            .filter_map(|(_, certificate)| certificate.csr.as_ref());
        Violation::at(
            Input::Plan,
            named.next().map(toml::Spanned::span).unwrap_or_default(),
            RuleId::R_DS,
            "a request signed with the key that it brings",
            check,
            "ask the Document Signer for a new request",
        )
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
        let refused = |found: &str| {
            let asked = "a plain file beside the plan, in ASCII, of its own for each certificate";
            let advice = "copy the request as it was received";
            vec![Violation::at(Input::Plan, csr.span(), RuleId::R_CSR_INTAKE, asked, found, advice)]
        };
        let file = csr.get_ref();
        let octets = files.get(file).ok_or_else(|| refused(&format!("no file `{file}`")))?;
        let text = core::str::from_utf8(octets).ok().filter(|text| text.is_ascii());
        let text = text.ok_or_else(|| refused(&format!("other octets in `{file}`")))?;
        requests.insert(name.get_ref().clone(), request::read(name.get_ref().as_str(), text));
        if texts.insert(file.clone(), text.to_string()).is_some() {
            return Err(refused(&format!("`{file}` twice")));
        }
    }
    Ok(requests)
}

/// The digest that names an input: over its canonical text.
#[must_use]
pub fn input_digest(text: &str) -> Digest {
    Digest::of_parts("gishiki input v1", &[text.as_bytes()])
}
