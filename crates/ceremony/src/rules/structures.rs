//! Judges every structure of a graph against plan, policy and ledger, after encoding it with
//! stand-in keys and decoding it again.
//!
//! The expected values are computed from the inputs again, not by the code that built the
//! structure.

use alloc::collections::{BTreeMap, BTreeSet};
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
use crate::says;
use crate::time::Instant;
use crate::violation::{Input, Violation};
use crate::x509::judge;
use crate::x509::{ToBeSignedCertificate, signer_key_info};

/// The key whose CRL address is judged; for other keys, the address differs only in the key's name.
const FIRST_KEY: &str = "g1";

/// Returns every violation of a rule by a structure.
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
                let asked = says!("符号化できる署名の対象", "a structure that can be encoded");
                [Fault::new(RuleId::S_STRUCTURE, asked, error.said())].into()
            }
        };
        for fault in faults {
            let (input, span) = asked.place(name, &fault);
            // An address of the policy is in many structures; it is reported once.
            let same = |v: &Violation| v.rule == fault.rule && v.place.span == span;
            if input == Input::Policy && violations.iter().any(same) {
                continue;
            }
            violations.push(Violation::at(
                input,
                span,
                fault.rule,
                {
                    let asked = fault.asked;
                    says!(asked; "{name}: {asked}", "{name}: {asked}")
                },
                fault.found,
                says!(
                    "ポリシー又は計画の該当の項目を正す",
                    "correct the policy or the plan's dates"
                ),
            ));
        }
    }
    violations
}

/// The expected contents of the structures of a graph.
struct Asked<'a> {
    inputs: &'a Inputs,
    graph: &'a Graph,
    keys: &'a BTreeMap<Name, PublicKey>,
    planned: BTreeMap<&'a Name, &'a PlanCertificate>,
    /// First and last second of each key's root certificate, from the ledger or this plan.
    roots: BTreeMap<Name, (Instant, Instant)>,
    /// The notAfter and the serial number of every revoked certificate.
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
        // A set, because a certificate that was revoked before is not listed again (4.9.5).
        let revoked: BTreeSet<_> = before
            .chain(now)
            .map(|certificate| (certificate.not_after, certificate.serial))
            .collect();
        let planned = certificates.map(|(name, planned)| (name.get_ref(), planned)).collect();
        Self { inputs, graph, keys, planned, roots, revoked }
    }

    /// Returns where a fault of a structure comes from: the policy for an address, otherwise the
    /// plan.
    fn place(&self, name: &Name, fault: &Fault) -> (Input, Range<usize>) {
        let Inputs { plan, policy, .. } = self.inputs;
        let (issuer, crls) = (&policy.root.issuer_alt_name, policy.root.crl_urls.get_ref());
        // The CA's own Name was judged before; what is left to say of names is a Document Signer's.
        if [RuleId::I_COUNTRY, RuleId::I_STATE].contains(&fault.rule) {
            return (Input::Policy, policy.ds.name.span());
        }
        if fault.rule == RuleId::I_ROOT_CDP {
            return (Input::Policy, policy.root.crl_urls.span());
        }
        let wrong = match fault.rule {
            RuleId::I_ROOT_IAN => true,
            RuleId::P_URI => {
                issuer.get_ref().uri.as_ref().is_some_and(|uri| !judge::reachable(uri))
            }
            RuleId::S_STRUCTURE => !issuer.get_ref().is_ascii(),
            _ => false,
        };
        if wrong {
            return (Input::Policy, issuer.span());
        }
        let wrong = crls.iter().find(|url| match fault.rule {
            RuleId::P_URI => !judge::retrievable(&url.get_ref().replace("{key}", FIRST_KEY)),
            RuleId::S_STRUCTURE => !url.get_ref().is_ascii(),
            _ => false,
        });
        if let Some(wrong) = wrong {
            return (Input::Policy, wrong.span());
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

    fn root_faults(&self, certificate: &ToBeSignedCertificate, tbs: &[u8]) -> Vec<Fault> {
        let policy = &self.inputs.policy;
        let expected = judge::ExpectedRoot {
            ca: self.graph.ca_name.der().to_vec(),
            country: self.graph.ca_name.country().into(),
            curve: *policy.root.curve.get_ref(),
            not_before: self.graph.window.0.midnight(),
            validity: policy.root.validity.get_ref().clone(),
            issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
            crl_urls: policy.root.urls_of(&certificate.subject_key),
            authority_key_identifier: policy.root.authority_key_identifier,
        };
        judge::root(tbs, &expected)
    }

    /// R-LINK: a link certificate is valid from the certified key's day to the old root's end. The
    /// old root is that of the lower generation.
    fn link_faults(&self, certificate: &ToBeSignedCertificate, tbs: &[u8]) -> Vec<Fault> {
        let policy = &self.inputs.policy;
        let (key, issuer) = (&certificate.subject_key, &certificate.issuer_key);
        let generation = |name: &Name| self.graph.key(name).map(|key| key.generation);
        let old = if generation(key) < generation(issuer) { key } else { issuer };
        let dates = self.roots.get(key).zip(self.roots.get(old));
        let Some((&(not_before, _), &(_, not_after))) = dates else { return Vec::new() };
        let expected = judge::ExpectedLink {
            ca: self.graph.ca_name.der().to_vec(),
            country: self.graph.ca_name.country().into(),
            curve: *policy.root.curve.get_ref(),
            subject_key: self.identifier(key),
            issuer_key: self.identifier(issuer),
            not_before,
            not_after,
            issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
            crl_urls: policy.root.urls_of(issuer),
        };
        judge::link(tbs, &expected)
    }

    /// R-DS: a DS certificate has the values of plan and policy and the request's key, and does not
    /// outlive the root.
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
            country: self.graph.ca_name.country().into(),
            subject: certificate.subject.der().to_vec(),
            public_key: signer_key_info(&request.public),
            issuer_curve: *policy.root.curve.get_ref(),
            issuer_key: self.identifier(issuer),
            not_before: *not_before.get_ref(),
            max_days: *policy.ds.max_days.get_ref(),
            root_ends,
            purpose: policy.ds.extended_key_usage.get_ref().clone(),
            issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
            crl_urls: policy.root.urls_of(issuer),
        };
        judge::ds(tbs, &expected)
    }

    /// R-CRL-COVER: a CRL lists every revoked certificate of all generations, until one CRL after
    /// the certificate's end has listed it (4.9.7; RFC 5280 3.3; D13).
    fn crl_faults(&self, planned: &PlannedCrl, tbs: &[u8]) -> Vec<Fault> {
        let policy = &self.inputs.policy;
        let day = planned.crl.this_update.day();
        let before = day
            .plus(policy.crl.period.get_ref(), -1)
            .unwrap_or(day)
            .start(*policy.ca.offset.get_ref());
        let stands = |(end, _): &&(Instant, [u8; 20])| *end >= before;
        // A key without a root has no CRL that could be right.
        let root = self.roots.get(&planned.crl.issuer_key);
        let root_ends = root.map_or(planned.crl.this_update, |(_, ends)| *ends);
        let expected = judge::ExpectedCrl {
            ca: self.graph.ca_name.der().to_vec(),
            curve: *policy.root.curve.get_ref(),
            key_identifier: self.identifier(&planned.crl.issuer_key),
            this_update: planned.crl.this_update,
            validity: policy.crl.validity.get_ref().clone(),
            root_ends,
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
