//! Adds what a ceremony uses, revokes and signs to its graph: keys, revocations, certificates,
//! CRLs.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Builder;
use crate::graph::{
    Graph, KnownKey, Origin, PlannedApplication, PlannedCrl, PlannedKey, PlannedRevocation, Written,
};
use crate::inputs::Inputs;
use crate::language::Bilingual;
use crate::ledger::{Certificate, Key, Revoked};
use crate::name::Name;
use crate::plan::generation;
use crate::plan::{PlanCertificate, ProfileName};
use crate::policy::{Backup, ReasonCodes};
use crate::rehearsal::RehearsalUse;
use crate::releases::{Release, last_releases, releases};
use crate::rule::RuleId;
use crate::says;
use crate::time::{Day, Instant, TimeError};
use crate::token::Holder;
use crate::violation::{Input, Violation};
use crate::x509::{self, DirectoryName, Reason, SubjectKey, profile};

impl Builder<'_> {
    /// Returns the audit key, then the root keys by name, both those that exist and those of the
    /// plan.
    pub(super) fn keys(&self) -> Vec<PlannedKey> {
        let Inputs { plan, policy, .. } = self.inputs;
        let mut keys: BTreeMap<Name, PlannedKey> = BTreeMap::new();
        for name in plan.key.keys().map(toml::Spanned::get_ref) {
            let key = PlannedKey {
                generation: generation(name).unwrap_or(1),
                name: name.clone(),
                usage: RehearsalUse::Root,
                curve: *policy.root.curve.get_ref(),
                backup: *policy.root.backup.get_ref(),
                origin: Origin::Here,
            };
            keys.insert(name.clone(), key);
        }
        for (name, key) in self.state.root_keys() {
            keys.insert(name.clone(), before(name, key));
        }
        let audit = match self.state.audit_key() {
            Some((name, key)) => Some(before(name, key)),
            None => self.next_audit_key(),
        };
        audit.into_iter().chain(keys.into_values()).collect()
    }

    /// Plans a new audit key if none exists: `audit`, or after its loss `audit-2` and so on.
    fn next_audit_key(&self) -> Option<PlannedKey> {
        let generation = self.state.generation(RehearsalUse::Audit) + 1;
        let name = if generation == 1 { "audit".into() } else { format!("audit-{generation}") };
        Some(PlannedKey {
            name: name.parse().ok()?,
            usage: RehearsalUse::Audit,
            curve: *self.inputs.policy.audit.curve.get_ref(),
            generation,
            backup: Backup::None,
            origin: Origin::Here,
        })
    }

    /// Returns what the ledger knows of the existing keys.
    pub(super) fn known(&self) -> BTreeMap<Name, KnownKey> {
        let keys = self.state.root_keys().chain(self.state.audit_key());
        let known = |(name, key): (&Name, &Key)| {
            (name.clone(), KnownKey { public: key.public.clone(), id: key.id.clone() })
        };
        keys.map(known).collect()
    }

    /// Returns the other tokens that take part, with the keys that they hold: tokens that copies go
    /// to, on which a key is destroyed, or from which remains are cleared.
    pub(super) fn spares(&self) -> BTreeMap<Name, BTreeSet<Name>> {
        let plan = &self.inputs.plan;
        let held = |name: &Name| -> BTreeSet<Name> {
            let spare = self.state.spares.get(name);
            spare.map(|spare| spare.copies.clone()).unwrap_or_default()
        };
        let targets = plan.copy.values().map(|copy| copy.token.get_ref().clone());
        let destroyed = |key: &Name| plan.destruction.keys().any(|gone| gone.get_ref() == key);
        let affected = self.state.spares.iter().filter(|(name, spare)| {
            let left = self.state.remains.contains_key(&Holder::Spare((*name).clone()));
            left || spare.copies.iter().any(destroyed)
        });
        let names = targets.chain(affected.map(|(name, _)| name.clone()));
        names.map(|name| (name.clone(), held(&name))).collect()
    }

    pub(super) fn applications(&self) -> BTreeMap<Name, PlannedApplication> {
        let plan = &self.inputs.plan;
        let planned = |(name, application): (&toml::Spanned<Name>, &crate::plan::Application)| {
            let name = name.get_ref();
            let of_this = |certificate: &&PlanCertificate| {
                certificate.application.as_ref().map(toml::Spanned::get_ref) == Some(name)
            };
            let requests = plan.certificate.iter().filter(|(_, c)| of_this(c));
            let requests = requests.filter_map(|(certificate, c)| {
                Some((certificate.get_ref().clone(), *c.csr_sha256.as_ref()?.get_ref()))
            });
            let planned = PlannedApplication {
                kind: *application.kind.get_ref(),
                paper: *application.paper.get_ref(),
                notification: application.notification.as_ref().map(|n| *n.get_ref()),
                by: application.by.iter().map(|person| person.get_ref().clone()).collect(),
                requests: requests.collect(),
            };
            (name.clone(), planned)
        };
        plan.application.iter().map(planned).collect()
    }

    /// Returns the certificate that each DS certificate of the plan renews.
    pub(super) fn renewals(&self) -> BTreeMap<Name, Name> {
        let certificates = self.inputs.plan.certificate.iter();
        let renewal = |(name, certificate): (&toml::Spanned<Name>, &PlanCertificate)| {
            Some((name.get_ref().clone(), certificate.renews.as_ref()?.get_ref().clone()))
        };
        certificates.filter_map(renewal).collect()
    }

    /// Returns the root keys that are judged to be compromised, with the time of the judgement.
    pub(super) fn compromised(&self) -> BTreeMap<Name, Instant> {
        let compromise = &self.inputs.plan.compromise;
        let judged = |(key, c): (&toml::Spanned<Name>, &crate::plan::Compromise)| {
            (key.get_ref().clone(), *c.judged_at.get_ref())
        };
        compromise.iter().map(judged).collect()
    }

    /// Returns the plan's written reasons, a line each: why a key is generated early or destroyed,
    /// where copies are kept, and by which version of the emergency response plan a compromise was
    /// judged (5.7.1, 5.2.1.3, 6.2.10).
    pub(super) fn reasons(&self) -> Vec<Written> {
        let plan = &self.inputs.plan;
        let keys = plan.key.iter().filter_map(|(name, key)| {
            let reason = key.reason.as_ref()?.get_ref().clone();
            Some(Written::Key { key: name.get_ref().clone(), reason })
        });
        let compromises = plan.compromise.iter().map(|(key, compromise)| Written::ResponsePlan {
            key: key.get_ref().clone(),
            version: compromise.response_plan.get_ref().clone(),
        });
        let copies = plan.copy.iter().map(|(name, copy)| Written::Copy {
            name: name.get_ref().clone(),
            key: copy.key.get_ref().clone(),
            token: copy.token.get_ref().clone(),
            kept: copy.kept.get_ref().clone(),
        });
        let destructions = plan.destruction.iter().map(|(key, destruction)| Written::Destruction {
            key: key.get_ref().clone(),
            reason: destruction.reason.get_ref().clone(),
        });
        keys.chain(compromises).chain(copies).chain(destructions).collect()
    }

    /// Returns the certificates that this ceremony revokes, by name.
    ///
    /// These are the plan's, and every unexpired certificate that a compromised key signed or that
    /// certifies a compromised key (5.7.3 (1); D12, D24).
    pub(super) fn revocations(&self) -> Vec<PlannedRevocation> {
        let plan = &self.inputs.plan;
        let at = *plan.window.get_ref().from.get_ref();
        let mut revocations = BTreeMap::new();
        for (name, revocation) in &plan.revocation {
            let ground = *revocation.ground.get_ref();
            let revoked = Revoked {
                date: revocation.date.as_ref().map_or(at, |date| *date.get_ref()),
                reason: ground.reason(),
                ground: Some(ground),
            };
            revocations.insert(name.get_ref().clone(), revoked);
        }
        for key in plan.compromise.keys() {
            let falls = |certificate: &&Certificate| {
                certificate.rests_on(key.get_ref())
                    && certificate.revoked().is_none()
                    && certificate.not_after >= at
            };
            let certificates = self.state.certificates.iter().filter(|(_, c)| falls(c));
            for (name, certificate) in certificates {
                // X.509 reserves cACompromise for CA certificates (D20).
                let reason = match certificate.profile {
                    ProfileName::Ds => None,
                    ProfileName::Root | ProfileName::OldWithNew | ProfileName::NewWithOld => {
                        Some(Reason::CaCompromise)
                    }
                };
                let revoked = Revoked { date: at, reason, ground: None };
                revocations.entry(name.clone()).or_insert(revoked);
            }
        }
        let planned = |(certificate, revoked)| PlannedRevocation { certificate, revoked };
        revocations.into_iter().map(planned).collect()
    }

    /// Adds the certificates, or reports for each that cannot be encoded why not.
    pub(super) fn certificates(&self, graph: &mut Graph) -> Result<(), Vec<Violation>> {
        let mut refused = Vec::new();
        let mut planned: Vec<_> = self.inputs.plan.certificate.iter().collect();
        // Self-signed roots first, then by signing key and name.
        planned.sort_by_key(|(name, certificate)| {
            let root = certificate.profile.get_ref() != &ProfileName::Root;
            (root, certificate.issuer.as_ref().map(|i| i.get_ref()), name.get_ref())
        });
        for (name, certificate) in planned {
            let profile = *certificate.profile.get_ref();
            let made = match profile {
                ProfileName::Root => self.root(graph, name.get_ref(), certificate).map(Some),
                ProfileName::OldWithNew | ProfileName::NewWithOld => {
                    Ok(self.link(graph, name.get_ref(), certificate))
                }
                ProfileName::Ds => self.document_signer(graph, name.get_ref(), certificate),
            };
            let made = match made {
                Ok(Some(made)) => made,
                Ok(None) => continue,
                Err(violation) => {
                    refused.push(violation);
                    continue;
                }
            };
            if let SubjectKey::Requested(public) = &made.subject_public {
                graph.certified.insert(public.spki_digest());
            }
            graph.profiles.insert(name.get_ref().clone(), profile);
            graph.certificates.push(made);
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }

    fn root(
        &self,
        graph: &Graph,
        name: &Name,
        certificate: &PlanCertificate,
    ) -> Result<x509::ToBeSignedCertificate, Violation> {
        let policy = &self.inputs.policy;
        let key = certificate.key.as_ref().map_or(name, |key| key.get_ref());
        let not_before = certificate.not_before.as_ref();
        let root = profile::Root {
            name: name.clone(),
            ca: graph.ca_name.clone(),
            key: key.clone(),
            curve: *policy.root.curve.get_ref(),
            not_before: not_before.map_or(graph.window.0, |at| *at.get_ref()),
            validity: policy.root.validity.get_ref().clone(),
            issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
            crl_urls: policy.root.urls_of(key),
            authority_key_identifier: policy.root.authority_key_identifier,
        };
        profile::root(&root).map_err(|error| {
            Violation::at(
                Input::Plan,
                not_before.map(toml::Spanned::span).unwrap_or_default(),
                RuleId::R_ROOT,
                says!("表すことのできる有効期間", "a validity that can be written"),
                error.said(),
                says!("別の日を選ぶ", "choose another day"),
            )
        })
    }

    /// Returns notBefore and notAfter of a key's root certificate, from the ledger or from this
    /// plan.
    fn root_dates(&self, graph: &Graph, key: &Name) -> Option<(Instant, Instant)> {
        if let Some(root) = self.state.root_of(key.as_str()) {
            return Some((root.not_before, root.not_after));
        }
        // Roots are the first certificates of a graph.
        let mut roots = graph
            .certificates
            .iter()
            .take_while(|planned| graph.profile_of(&planned.name) == ProfileName::Root);
        let root = roots.find(|root| root.issuer_key == *key)?;
        Some((root.not_before, root.not_after))
    }

    /// Builds a link certificate, valid from the notBefore of the certified key's root to the
    /// earlier end of the two roots, which is the old root's (7.1.2.2).
    fn link(
        &self,
        graph: &Graph,
        name: &Name,
        certificate: &PlanCertificate,
    ) -> Option<x509::ToBeSignedCertificate> {
        let policy = &self.inputs.policy;
        let key = certificate.key.as_ref()?.get_ref();
        let issuer = certificate.issuer.as_ref()?.get_ref();
        let (not_before, key_ends) = self.root_dates(graph, key)?;
        let (_, issuer_ends) = self.root_dates(graph, issuer)?;
        Some(profile::link(&profile::Link {
            name: name.clone(),
            ca: graph.ca_name.clone(),
            key: key.clone(),
            issuer: issuer.clone(),
            curve: *policy.root.curve.get_ref(),
            not_before,
            not_after: key_ends.min(issuer_ends),
            issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
            crl_urls: policy.root.urls_of(issuer),
        }))
    }

    fn document_signer(
        &self,
        graph: &Graph,
        name: &Name,
        certificate: &PlanCertificate,
    ) -> Result<Option<x509::ToBeSignedCertificate>, Violation> {
        let policy = &self.inputs.policy;
        let request = self.inputs.requests.get(name).and_then(|request| request.as_ref().ok());
        let (Some(request), Some(issuer), Some(not_before)) =
            (request, &certificate.issuer, &certificate.not_before)
        else {
            return Ok(None);
        };
        let refused = |rule, found: Bilingual| {
            let asked =
                says!("表すことのできる DS 電子証明書", "a DS certificate that can be written");
            Violation::at(Input::Plan, not_before.span(), rule, asked, found, Bilingual::default())
        };
        let number = name.as_str().strip_prefix("ds-").unwrap_or_default();
        let rdns = policy.ds.name.get_ref().iter();
        let rdns: Vec<_> = rdns.map(|rdn| rdn.get_ref().replaced("{number}", number)).collect();
        let subject = DirectoryName::new(&rdns);
        let starts = *not_before.get_ref();
        let usual = starts.plus(policy.ds.validity.get_ref());
        let usual = usual.map_err(|error| refused(RuleId::R_DS, error.said()))?.plus_seconds(-1);
        let purpose = policy.ds.extended_key_usage.get_ref();
        Ok(Some(profile::document_signer(&profile::DocumentSigner {
            name: name.clone(),
            ca: graph.ca_name.clone(),
            subject: subject.map_err(|error| {
                let place = policy.ds.name.span();
                let asked = says!("DS 電子証明書の主体者", "a subject for DS certificates");
                let (found, none) = (error.said(), Bilingual::default());
                Violation::at(Input::Policy, place, RuleId::R_DN, asked, found, none)
            })?,
            public: request.public.clone(),
            issuer: issuer.get_ref().clone(),
            issuer_curve: *policy.root.curve.get_ref(),
            not_before: starts,
            not_after: certificate.not_after.as_ref().map_or(usual, |end| *end.get_ref()),
            purpose: purpose
                .parse()
                .map_err(|error| refused(RuleId::I_DS_EKU, Bilingual::plain(error)))?,
            issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
            crl_urls: policy.root.urls_of(issuer.get_ref()),
        })))
    }

    /// Adds the CRLs of every live generation, one for each release from the day of the ceremony to
    /// the next ceremony and the spare time after it (D1; CP/CPS 7.2.2).
    ///
    /// If something is revoked in this ceremony, the first CRL takes effect at once (D37).
    pub(super) fn crls(&self, graph: &mut Graph) -> Result<(), Violation> {
        let Inputs { plan, policy, .. } = self.inputs;
        let Some(crls) = &plan.crls else { return Ok(()) };
        let next = &crls.get_ref().next_ceremony;
        let outside = |error: TimeError| {
            Violation::at(
                Input::Plan,
                next.span(),
                RuleId::R_CRL_CADENCE,
                says!("暦にある日", "days that a calendar has"),
                error.said(),
                says!("より早い日を選ぶ", "choose an earlier day"),
            )
        };
        let first = graph.window.0.day();
        let start = |day: Day| day.start(*policy.ca.offset.get_ref());
        let batch = releases(&policy.crl, first, *next.get_ref()).map_err(outside)?;
        let last = self.last_of_compromised();
        let further = match last.values().map(|end| end.day()).max() {
            Some(last) => last_releases(&policy.crl, first, last).map_err(outside)?,
            None => Vec::new(),
        };
        let further = further.into_iter().skip(batch.len()).map(|release| (release, true));
        let releases = batch.into_iter().map(|release| (release, false)).chain(further);
        let at_once = !graph.revocations.is_empty();
        let signing = self.crl_keys(graph);
        let all_revoked = self.revoked(graph);
        let mut revoked: Arc<[x509::Revoked]> = Arc::from([]);
        let mut slot = 0;
        for (Release { this, next_update, next }, beyond) in releases {
            let this_update = if at_once && this == first { graph.window.0 } else { start(this) };
            let next_update = start(next_update);
            // An entry stays until one CRL after its certificate's end has listed it (D13).
            let before = start(this.plus(policy.crl.period.get_ref(), -1).map_err(outside)?);
            let stands = all_revoked.iter().filter(|(not_after, _)| before <= *not_after);
            let today: Vec<_> = stands.map(|(_, entry)| entry.clone()).collect();
            // On most days the entries equal those of the day before, so the list is shared.
            if *today != *revoked {
                revoked = today.into();
            }
            for (key, root_ends) in &signing {
                // The last CRLs of a key are shorter, so that the last second of its root has one.
                let over = root_ends.plus_seconds(1);
                let ended = this_update >= over;
                // A compromised key never signs again, so its last CRLs go on.
                let on = !beyond || last.get(key).is_some_and(|end| this_update <= *end);
                if ended || !on {
                    continue;
                }
                let name = format!("crl-{key}-{this}");
                let crl = profile::crl(&profile::Crl {
                    name: name.parse().unwrap_or_else(|_| key.clone()),
                    ca: graph.ca_name.clone(),
                    key: key.clone(),
                    curve: *policy.root.curve.get_ref(),
                    this_update,
                    next_update: next_update.min(over),
                    revoked: Arc::clone(&revoked),
                });
                graph.crls.push(PlannedCrl { crl, slot, next_release: start(next) });
                slot += 1;
            }
        }
        Ok(())
    }

    /// Returns the keys that this plan judges to be compromised, each with the last second of
    /// what it signed, up to which its last CRLs reach.
    fn last_of_compromised(&self) -> BTreeMap<Name, Instant> {
        let judged = self.inputs.plan.compromise.keys().map(toml::Spanned::get_ref);
        judged.filter_map(|key| Some((key.clone(), self.state.signed_until(key)?))).collect()
    }

    /// Returns the root keys that sign CRLs in this ceremony, each with the end of its root
    /// certificate.
    ///
    /// These are the keys that are generated here, and the existing keys that have a certificate
    /// and are neither destroyed here nor compromised in an earlier ceremony (D7, D12).
    fn crl_keys(&self, graph: &Graph) -> BTreeMap<Name, Instant> {
        let destroyed = &self.inputs.plan.destruction;
        let mut keys = BTreeMap::new();
        for certificate in &graph.certificates {
            if graph.profile_of(&certificate.name) == ProfileName::Root {
                keys.insert(certificate.issuer_key.clone(), certificate.not_after);
            }
        }
        for (name, key) in self.state.root_keys() {
            let gone = destroyed.keys().any(|gone| gone.get_ref() == name);
            if let (Some(root), None, false) =
                (self.state.root_of(name.as_str()), key.compromised, gone)
            {
                keys.insert(name.clone(), root.not_after);
            }
        }
        keys
    }

    /// Returns the CRL entries of all generations with their certificates' ends, by serial number
    /// (4.9.7; D6).
    fn revoked(&self, graph: &Graph) -> Vec<(Instant, x509::Revoked)> {
        let mut entries = BTreeMap::new();
        let mut add = |certificate: &Certificate, revoked: &Revoked| {
            let entry = self.entry(certificate.serial, revoked);
            entries.insert(certificate.serial, (certificate.not_after, entry));
        };
        for (_, certificate, revoked) in self.state.revoked() {
            add(certificate, revoked);
        }
        for planned in &graph.revocations {
            if let Some(certificate) = self.state.certificates.get(&planned.certificate) {
                add(certificate, &planned.revoked);
            }
        }
        entries.into_values().collect()
    }

    fn entry(&self, serial: [u8; 20], revoked: &Revoked) -> x509::Revoked {
        let reason = match self.inputs.policy.crl.reason_codes.get_ref() {
            ReasonCodes::Include => revoked.reason,
            ReasonCodes::Omit => None,
        };
        x509::Revoked { serial, date: revoked.date, reason }
    }
}

fn before(name: &Name, key: &Key) -> PlannedKey {
    PlannedKey {
        name: name.clone(),
        usage: key.usage,
        curve: key.curve,
        generation: key.generation,
        backup: key.backup,
        origin: Origin::Before,
    }
}
