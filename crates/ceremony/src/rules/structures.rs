//! Judges every structure of a graph, built with stand-ins and decoded again, against what plan,
//! policy and ledger ask of it.
//!
//! What is asked is said here anew, from the inputs: not by the code that built the structure.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use crate::fault::Fault;
use crate::graph::{Graph, Item, PlannedCrl};
use crate::inputs::Inputs;
use crate::key::PublicKey;
use crate::ledger::State;
use crate::name::Name;
use crate::plan::{PlanCertificate, ProfileName};
use crate::policy::ReasonCodes;
use crate::rule::RuleId;
use crate::time::Instant;
use crate::violation::{Input, Violation};
use crate::x509::judge;
use crate::x509::{ToBeSignedCertificate, subject_public_key_info};

/// 5 years and 4 months (6.3.2, 7.1.2.1), said again so that the structure is not judged by the
/// policy's own word.
const ROOT_MONTHS: u16 = 64;

/// Every violation of a rule by a structure.
pub(crate) fn structures(
    inputs: &Inputs,
    state: &State,
    graph: &Graph,
    stand_ins: &BTreeMap<Name, PublicKey>,
) -> Vec<Violation> {
    let asked = Asked::of(inputs, state, graph, stand_ins);
    let items = (0..graph.certificates.len())
        .map(Item::Certificate)
        .chain((0..graph.crls.len()).map(Item::Crl));
    let mut violations = Vec::new();
    for item in items {
        let Some(name) = graph.item_name(item) else { continue };
        let faults = match graph.to_be_signed(item, 0, stand_ins) {
            Ok(tbs) => asked.faults(item, &tbs),
            Err(error) => {
                let asked = "a structure that can be encoded".to_string();
                [Fault { rule: RuleId::S_STRUCTURE, asked, found: error.to_string() }].into()
            }
        };
        for fault in faults {
            let (input, span) = asked.place(name, &fault);
            // One address of the policy stands in many structures.
            let same = |v: &Violation| v.rule == fault.rule && v.place.span == span;
            if input == Input::Policy && violations.iter().any(same) {
                continue;
            }
            violations.push(Violation::at(
                input,
                span,
                fault.rule,
                &format!("{name}: {}", fault.asked),
                &fault.found,
                "this comes from the policy or the plan's dates",
            ));
        }
    }
    violations
}

/// What is asked of the structures of a graph.
struct Asked<'a> {
    inputs: &'a Inputs,
    graph: &'a Graph,
    keys: &'a BTreeMap<Name, PublicKey>,
    planned: BTreeMap<&'a Name, &'a PlanCertificate>,
    /// First and last second of the root of each key, of the ledger or of this plan.
    roots: BTreeMap<Name, (Instant, Instant)>,
    /// The end and the serial number of everything that is revoked.
    revoked: BTreeSet<(Instant, [u8; 20])>,
}

impl<'a> Asked<'a> {
    fn of(
        inputs: &'a Inputs,
        state: &'a State,
        graph: &'a Graph,
        keys: &'a BTreeMap<Name, PublicKey>,
    ) -> Self {
        let certificates = inputs.plan.certificate.iter();
        let here = graph
            .certificates
            .iter()
            .filter(|certificate| graph.profile_of(&certificate.name) == ProfileName::Root);
        let mut roots: BTreeMap<Name, (Instant, Instant)> = here
            .map(|root| (root.subject_key.clone(), (root.not_before, root.not_after)))
            .collect();
        roots.extend(state.root_keys().filter_map(|(name, _)| {
            let root = state.root_of(name.as_str())?;
            Some((name.clone(), (root.not_before, root.not_after)))
        }));
        let before = state.revoked().map(|(_, certificate, _)| certificate);
        let at = *inputs.plan.window.get_ref().from.get_ref();
        let now = state.certificates.iter().filter(|(name, certificate)| {
            let plan = &inputs.plan;
            let judged = |key: &Name| {
                certificate.issuer == *key || certificate.key.as_ref().is_some_and(|k| k == key)
            };
            plan.revocation.keys().any(|revoked| revoked.get_ref() == *name)
                || certificate.not_after >= at
                    && plan.compromise.keys().any(|key| judged(key.get_ref()))
        });
        let now = now.map(|(_, certificate)| certificate);
        // Judged as a set: whoever was revoked before is not revoked again (4.9.5).
        let revoked: BTreeSet<_> = before
            .chain(now)
            .map(|certificate| (certificate.not_after, certificate.serial))
            .collect();
        let planned = certificates.map(|(name, planned)| (name.get_ref(), planned)).collect();
        Self { inputs, graph, keys, planned, roots, revoked }
    }

    /// Where a fault of a structure comes from: an address from the policy, the rest from the plan.
    fn place(&self, name: &Name, fault: &Fault) -> (Input, Range<usize>) {
        let Inputs { plan, policy, .. } = self.inputs;
        let addresses = [&policy.root.issuer_alt_name, &policy.root.crl_url];
        let wrong = |address: &&&toml::Spanned<String>| match fault.rule {
            RuleId::P_URI => {
                fault.found.starts_with(address.get_ref().split('{').next().unwrap_or(""))
            }
            RuleId::S_STRUCTURE => !address.get_ref().is_ascii(),
            _ => false,
        };
        if let Some(address) = addresses.iter().find(wrong) {
            return (Input::Policy, address.span());
        }
        let certificate = self.planned.get(name).map(|planned| planned.profile.span());
        let crls = || plan.crls.as_ref().map(toml::Spanned::span);
        (Input::Plan, certificate.or_else(crls).unwrap_or_default())
    }

    fn faults(&self, item: Item, tbs: &[u8]) -> Vec<Fault> {
        match item {
            Item::Certificate(index) => {
                let Some(certificate) = self.graph.certificates.get(index) else {
                    return Vec::new();
                };
                match self.graph.profile_of(&certificate.name) {
                    ProfileName::Root => self.root_faults(certificate, tbs),
                    ProfileName::OldWithNew | ProfileName::NewWithOld => {
                        self.link_faults(certificate, tbs)
                    }
                    ProfileName::Ds => self.ds_faults(certificate, tbs),
                }
            }
            Item::Crl(index) => {
                let planned = self.graph.crls.get(index);
                planned.map(|planned| self.crl_faults(planned, tbs)).unwrap_or_default()
            }
        }
    }

    fn identifier(&self, key: &Name) -> [u8; 20] {
        self.keys.get(key).map(PublicKey::key_identifier).unwrap_or_default()
    }

    fn crl_url(&self, key: &Name) -> alloc::string::String {
        self.inputs.policy.root.crl_url.get_ref().replace("{key}", key.as_str())
    }

    fn root_faults(&self, certificate: &ToBeSignedCertificate, tbs: &[u8]) -> Vec<Fault> {
        let policy = &self.inputs.policy;
        let expected = judge::ExpectedRoot {
            ca: self.graph.ca_name.der().to_vec(),
            country: policy.ca.country.get_ref().clone(),
            curve: *policy.root.curve.get_ref(),
            not_before: self.graph.window.0.day().start(),
            months: ROOT_MONTHS,
            issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
            crl_url: self.crl_url(&certificate.subject_key),
        };
        judge::root(tbs, &expected)
    }

    /// R-LINK: from the certified key's day to the old root's end; the old one is the lower
    /// generation.
    fn link_faults(&self, certificate: &ToBeSignedCertificate, tbs: &[u8]) -> Vec<Fault> {
        let policy = &self.inputs.policy;
        let (key, issuer) = (&certificate.subject_key, &certificate.issuer_key);
        let generation = |name: &Name| self.graph.key(name).map(|key| key.generation);
        let old = if generation(key) < generation(issuer) { key } else { issuer };
        let dates = self.roots.get(key).zip(self.roots.get(old));
        let Some((&(not_before, _), &(_, not_after))) = dates else { return Vec::new() };
        let expected = judge::ExpectedLink {
            ca: self.graph.ca_name.der().to_vec(),
            country: policy.ca.country.get_ref().clone(),
            curve: *policy.root.curve.get_ref(),
            subject_key: self.identifier(key),
            issuer_key: self.identifier(issuer),
            not_before,
            not_after,
            issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
            crl_url: self.crl_url(issuer),
        };
        judge::link(tbs, &expected)
    }

    /// R-DS: what plan and policy say, the key of the request, never beyond the root.
    fn ds_faults(&self, certificate: &ToBeSignedCertificate, tbs: &[u8]) -> Vec<Fault> {
        let policy = &self.inputs.policy;
        let (name, issuer) = (&certificate.name, &certificate.issuer_key);
        let not_before = self.planned.get(name).and_then(|planned| planned.not_before.as_ref());
        let request = self.inputs.requests.get(name).and_then(|request| request.as_ref().ok());
        let (Some(not_before), Some(request), Some(&(_, root_ends))) =
            (not_before, request, self.roots.get(issuer))
        else {
            return Vec::new();
        };
        let expected = judge::ExpectedDs {
            ca: self.graph.ca_name.der().to_vec(),
            country: policy.ca.country.get_ref().clone(),
            subject: certificate.subject.der().to_vec(),
            public_key: subject_public_key_info(&request.public),
            issuer_curve: *policy.root.curve.get_ref(),
            issuer_key: self.identifier(issuer),
            not_before: *not_before.get_ref(),
            max_days: *policy.ds.max_days.get_ref(),
            root_ends,
            purpose: policy.ds.extended_key_usage.get_ref().clone(),
            issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
            crl_url: self.crl_url(issuer),
        };
        judge::ds(tbs, &expected)
    }

    /// R-CRL-COVER: everything that is revoked, of all generations, until it stood in one CRL after
    /// its end (4.9.7; RFC 5280 3.3; D13).
    fn crl_faults(&self, planned: &PlannedCrl, tbs: &[u8]) -> Vec<Fault> {
        let policy = &self.inputs.policy;
        let day = planned.crl.this_update.day().start();
        let interval = i64::from(*policy.crl.update_days.get_ref()) * 86_400;
        let stands = |(end, _): &&(Instant, [u8; 20])| end.plus_seconds(interval) >= day;
        let expected = judge::ExpectedCrl {
            ca: self.graph.ca_name.der().to_vec(),
            curve: *policy.root.curve.get_ref(),
            key_identifier: self.identifier(&planned.crl.issuer_key),
            this_update: planned.crl.this_update,
            validity_days: *policy.crl.validity_days.get_ref(),
            number: self.graph.crl_number(planned.slot, 0),
            reasons: match policy.crl.reason_codes.get_ref() {
                ReasonCodes::Include => judge::EntryReasons::Include,
                ReasonCodes::Omit => judge::EntryReasons::Omit,
            },
            revoked: self.revoked.iter().filter(stands).map(|(_, serial)| *serial).collect(),
        };
        judge::crl(tbs, &expected)
    }
}
