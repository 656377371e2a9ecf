//! What of a policy could never be carried out, found before a plan needs it.
//!
//! A CA founds itself years before it issues, so a Name or a span that no Document Signer could
//! have is refused with every plan, and not with the first that issues. What depends on the day of
//! an issue is judged with the structure.

use alloc::vec::Vec;

use toml::Spanned;

use crate::language::Bilingual;
use crate::policy::{Policy, rdns};
use crate::rule::RuleId;
use crate::says;
use crate::time::CalendarSpan;
use crate::violation::{Input, Violation};
use crate::x509::{DirectoryName, DirectoryNameError, Rdn};

/// The number of a Document Signer that stands for all: the shortest that one has.
const NUMBER: &str = "0001";

/// Returns the CA's Name.
///
/// # Errors
///
/// R-DN, for each attribute that is wrong.
pub(super) fn ca_name(policy: &Policy) -> Result<DirectoryName, Vec<Violation>> {
    named(&policy.ca.name, &rdns(&policy.ca.name))
}

/// Returns the Name of these attributes, or why they are none, each at its place.
fn named(
    place: &Spanned<Vec<Spanned<Rdn>>>,
    rdns: &[Rdn],
) -> Result<DirectoryName, Vec<Violation>> {
    let refused = |(at, error): (Option<usize>, DirectoryNameError)| {
        let span = at.and_then(|at| place.get_ref().get(at)).map(Spanned::span);
        Violation::at(
            Input::Policy,
            span.unwrap_or_else(|| place.span()),
            RuleId::R_DN,
            says!(
                "1 つの C と CN を含み、ほかに ST、L、O、OU、serialNumber を含みうる X.500 の識別名",
                "an X.500 name of one C, a CN, and of ST, L, O, OU, serialNumber as wanted"
            ),
            error.said(),
            match error {
                DirectoryNameError::Countries { .. } | DirectoryNameError::NoCommonName => {
                    says!("C を 1 つと、CN を書く", "write one C, and a CN")
                }
                DirectoryNameError::Country { .. } => {
                    says!("C を英大文字 2 字で書く", "write C as two capital letters")
                }
                DirectoryNameError::Length { .. }
                | DirectoryNameError::NotPrintable { .. }
                | DirectoryNameError::Unreadable { .. } => {
                    says!("より短く平易な名を選ぶ", "choose a shorter or plainer name")
                }
            },
        )
    };
    DirectoryName::new(rdns)
        .map_err(|_| DirectoryName::faults(rdns).into_iter().map(refused).collect())
}

/// Judges what the policy says of every Document Signer.
pub(super) fn document_signers(policy: &Policy, ca: Option<&DirectoryName>) -> Vec<Violation> {
    let numbered = rdns(&policy.ds.name);
    let numbered: Vec<Rdn> = numbered.iter().map(|rdn| rdn.replaced("{number}", NUMBER)).collect();
    let mut faults = match named(&policy.ds.name, &numbered) {
        Err(faults) => faults,
        // The CA's own Name, where that is refused, is compared with nothing.
        Ok(name) => ca.map_or_else(Vec::new, |ca| of_the_ca(policy, ca, &name)),
    };
    faults.extend(spans(policy));
    faults.extend(purpose(policy));
    faults
}

/// I-COUNTRY, I-STATE: a Document Signer has the C and the ST of its CA (ISO/IEC 18013-5 B.1.4).
fn of_the_ca(policy: &Policy, ca: &DirectoryName, name: &DirectoryName) -> Vec<Violation> {
    let states = |name: &DirectoryName| -> Vec<Rdn> {
        let found = name.rdns().iter().filter(|rdn| matches!(rdn, Rdn::St(_)));
        found.cloned().collect()
    };
    let listed = |states: &[Rdn]| match states {
        [] => Bilingual::none(),
        some => Bilingual::plain(crate::x509::shown(some)),
    };
    let (asked, found) = (states(ca), states(name));
    let judged = [
        (
            ca.country() == name.country(),
            RuleId::I_COUNTRY,
            says!("認証局と同じ C={}", "the C of the CA: {}", ca.country()),
            Bilingual::plain(name.country()),
        ),
        (
            asked == found,
            RuleId::I_STATE,
            {
                let asked = listed(&asked);
                says!(asked; "認証局と同じ ST: {asked}", "the ST of the CA: {asked}")
            },
            listed(&found),
        ),
    ];
    let wrong = judged.into_iter().filter(|(holds, ..)| !holds);
    let place = policy.ds.name.span();
    let refused = |(_, rule, asked, found)| {
        let advice = says!("ca.name と ds.name をそろえる", "make ds.name agree with ca.name");
        Violation::at(Input::Policy, place.clone(), rule, asked, found, advice)
    };
    wrong.map(refused).collect()
}

/// I-DS-VALIDITY, R-DS: a Document Signer is valid for some time, within `ds.max-days` and for no
/// longer than a root, on whatever day it begins.
fn spans(policy: &Policy) -> Vec<Violation> {
    let (validity, root) = (&policy.ds.validity, policy.root.validity.get_ref());
    let refuse = |rule, asked, advice| {
        let found = validity.get_ref().said();
        Violation::at(Input::Policy, validity.span(), rule, asked, found, advice)
    };
    let days = *policy.ds.max_days.get_ref();
    let (none, most) = (CalendarSpan::of_days(0), CalendarSpan::of_days(days));
    let mut faults = Vec::new();
    if !validity.get_ref().may_exceed(&none) || validity.get_ref().may_exceed(&most) {
        let asked = says!(
            "どの日に始まっても 1 日以上、ds.max-days の {days} 日以内の ds.validity",
            "a ds.validity of a day to the {days} days of ds.max-days, on whatever day it begins"
        );
        let advice = says!("ds.validity を短くする", "choose a shorter ds.validity");
        faults.push(refuse(RuleId::I_DS_VALIDITY, asked, advice));
    }
    if validity.get_ref().may_exceed(root) {
        let root = root.said();
        let asked = says!(
            root;
            "root.validity の {root} より長くない ds.validity",
            "a ds.validity no longer than the {root} of root.validity"
        );
        let advice = says!(
            "DS 電子証明書は、ルートの有効期間の中だけで有効",
            "a DS certificate is valid only while its root is"
        );
        faults.push(refuse(RuleId::R_DS, asked, advice));
    }
    faults
}

/// I-DS-EKU: the purpose is an object identifier.
fn purpose(policy: &Policy) -> Option<Violation> {
    let purpose = &policy.ds.extended_key_usage;
    let parsed = purpose.get_ref().parse::<der::asn1::ObjectIdentifier>();
    parsed.is_err().then(|| {
        Violation::at(
            Input::Policy,
            purpose.span(),
            RuleId::I_DS_EKU,
            says!(
                "オブジェクト識別子(1.0.18013.5.1.2 など)",
                "an object identifier such as 1.0.18013.5.1.2"
            ),
            Bilingual::plain(purpose.get_ref()),
            says!("数字と点で書く", "write it in numbers with dots"),
        )
    })
}
