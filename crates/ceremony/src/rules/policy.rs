//! Rules on the policy file that hold for every CA: what makes a policy safe, and what standards
//! limit. [`demands`](super::demands) compares it with the CA's own CP/CPS.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::Report;
use crate::inputs::Inputs;
use crate::key::Curve;
use crate::language::Bilingual;
use crate::policy::rdns;
use crate::says;
use crate::violation::Input;
use crate::x509::{self, DirectoryName};

/// S-AUDIT-CURVE: the audit key is on P-256, because ECDSA P-256 with SHA-256 is what every
/// verifier of the seal's format supports.
pub(super) fn audit_curve(report: &mut Report<'_>) {
    let curve = &report.inputs.policy.audit.curve;
    if *curve.get_ref() != Curve::P256 {
        report.refuse(
            Input::Policy,
            curve.span(),
            says!("監査用の鍵は P-256", "P-256 for the audit key"),
            Bilingual::plain(curve.get_ref().name()),
            Bilingual::default(),
        );
    }
}

/// R-HSM-DEDICATED: the audit key, a second use of the root's HSM, is justified in a line (6.2.1.1,
/// 5.4.6).
pub(super) fn audit_justified(report: &mut Report<'_>) {
    let why = &report.inputs.policy.audit.justification;
    if why.get_ref().trim().len() < 20 {
        report.refuse(
            Input::Policy,
            why.span(),
            says!(
                "監査用の鍵をルート鍵の HSM に置く理由",
                "a line that justifies the audit key on the root's HSM"
            ),
            Bilingual::plain(why.get_ref()),
            says!("節番号を挙げて理由を書く", "say why, with the section"),
        );
    }
}

/// S-TOKEN-POLICY: the policy's entries about its tokens' modules weaken no key.
///
/// Only usage attributes, MODIFIABLE and COPYABLE may be left out of templates or not returned, and
/// no private or secret key is among the objects that a token contains from the start.
pub(super) fn token(report: &mut Report<'_>) {
    let token = &report.inputs.policy.token;
    for (list, what) in [
        (&token.leave_out, says!("leave-out", "left out")),
        (&token.not_told, says!("not-told", "not told")),
    ] {
        for attribute in list.iter().filter(|attribute| !attribute.get_ref().is_usage()) {
            report.refuse(
                Input::Policy,
                attribute.span(),
                says!(
                    what;
                    "{what} には用途の属性、modifiable、copyable だけ",
                    "only usages, modifiable and copyable are {what}"
                ),
                Bilingual::plain(attribute.get_ref().name()),
                says!(
                    "鍵を安全にする属性は必ず指定し、読み戻して確かめる",
                    "attributes that make a key safe are always set and read back"
                ),
            );
        }
    }
    for brought in &token.may_hold {
        let class = &brought.class;
        if !["certificate", "public-key", "data", "other"].contains(&class.get_ref().as_str()) {
            report.refuse(
                Input::Policy,
                class.span(),
                says!(
                    "certificate、public-key、data、other のいずれか",
                    "certificate, public-key, data or other"
                ),
                Bilingual::plain(class.get_ref()),
                says!(
                    "ルート認証局のトークンには、認証局の鍵のほかに秘密鍵も共通鍵も置かない",
                    "a root CA's token holds no private or secret key but the CA's"
                ),
            );
        }
        if brought.label.get_ref().is_empty() {
            let span = brought.label.span();
            let asked =
                says!("製品が備えるもののラベル", "the label of the object that the token brings");
            let advice = says!(
                "`gishiki probe` の表示のとおりに書く",
                "name it as `gishiki probe` shows it"
            );
            report.refuse(Input::Policy, span, asked, Bilingual::none(), advice);
        }
    }
}

/// S-CRL-BATCH: a batch of one key has 1 to 1,024 CRLs: a CRL number has room for 4,096 CRLs of all
/// keys of a ceremony.
pub(super) fn batch(report: &mut Report<'_>) {
    let most = &report.inputs.policy.crl.max_batch;
    if !(1..=1024).contains(most.get_ref()) {
        report.refuse(
            Input::Policy,
            most.span(),
            says!(
                "一度に署名する CRL は鍵ごとに 1 から 1024 件",
                "a batch of 1 to 1024 CRLs of a key"
            ),
            Bilingual::plain(most.get_ref()),
            Bilingual::default(),
        );
    }
}

/// S-LANGUAGE: every text that people read is written in each of the CA's languages.
pub(super) fn languages(report: &mut Report<'_>) {
    let Inputs { cps, policy, .. } = report.inputs;
    let languages = &policy.ca.languages;
    let refuse = |report: &mut Report<'_>, input, span, asked: Bilingual, found: Bilingual| {
        let advice = says!("不足するものを書く", "write what is missing");
        report.refuse(input, span, asked, found, advice);
    };
    for (place, language) in languages.iter().enumerate() {
        if languages.iter().take(place).any(|other| other.get_ref() == language.get_ref()) {
            let asked = says!("それぞれ 1 回の言語", "each language once");
            let found = Bilingual::plain(language.get_ref().code());
            refuse(report, Input::Policy, language.span(), asked, found);
        }
    }
    if languages.is_empty() {
        let asked = says!("文書の言語", "a language for the documents");
        refuse(report, Input::Policy, policy.ca.id.span(), asked, Bilingual::none());
    }
    let place = |path: String| report.inputs.entry(&path).span;
    let roles: Vec<_> = policy
        .role
        .iter()
        .map(|(id, role)| (id, &role.name, place(format!("role.{id}.name"))))
        .collect();
    let organizations: Vec<_> = policy
        .organization
        .iter()
        .map(|(id, found)| (id, &found.name, place(format!("organization.{id}.name"))))
        .collect();
    let duties: Vec<_> = policy
        .duty
        .iter()
        .map(|(id, duty)| (id, &duty.name, place(format!("duty.{id}.name"))))
        .collect();
    for language in languages.iter().map(toml::Spanned::get_ref) {
        let code = language.code();
        for (id, name, span) in roles.iter().chain(&organizations).chain(&duties) {
            if !name.is_in(*language) {
                let asked = says!("{id} の名の `{code}`", "the name of {id} in `{code}`");
                refuse(report, Input::Policy, span.clone(), asked, Bilingual::none());
            }
        }
        for (id, _) in cps.rule.iter().filter(|(_, found)| !found.says.is_in(*language)) {
            let name = id.get_ref();
            let asked = says!("{name} の `{code}` の文", "the sentence of {name} in `{code}`");
            refuse(report, Input::Cps, id.span(), asked, Bilingual::none());
        }
    }
}

/// R-ORGANIZATIONS: the organisations that approved the CP/CPS, and decide together under it, are
/// organisations of the policy, each named once.
pub(super) fn organizations(report: &mut Report<'_>) {
    let Inputs { cps, policy, .. } = report.inputs;
    let approved = &cps.document.approved_by;
    let refuse = |report: &mut Report<'_>, span, found: Bilingual| {
        report.refuse(
            Input::Cps,
            span,
            says!("ポリシーにある組織(1 回ずつ)", "organisations of the policy, each once"),
            found,
            says!(
                "運用規程を承認した組織を書き、ポリシーの [organization.…] に加える",
                "name the organisations that approved the CP/CPS, and give the policy their [organization.…]"
            ),
        );
    };
    if approved.is_empty() {
        refuse(report, cps.document.version.span(), Bilingual::none());
    }
    for (place, organization) in approved.iter().enumerate() {
        let name = organization.get_ref();
        let again = approved.iter().take(place).any(|other| other.get_ref() == name);
        if again || !policy.organization.contains_key(name) {
            refuse(report, organization.span(), Bilingual::plain(name));
        }
    }
}

/// R-DN-FIXED: the CA's Name, its folder and the addresses in its certificates are the same in
/// every generation, as in the first ceremony (3.1.2, 3.1.4; D5).
pub(super) fn fixed(report: &mut Report<'_>) {
    let (policy, state) = (&report.inputs.policy, report.state);
    let (Some(genesis), Some(addresses)) = (&state.genesis, &state.addresses) else { return };
    let ca = &policy.ca;
    let name = DirectoryName::new(&rdns(&ca.name));
    // An invalid Name is reported where it is built.
    if let Some(name) = name.ok().filter(|name| name.der() != state.ca_name) {
        let asked = says!(
            "{1} 以来の {0} の識別名(DN)",
            "the Name that {} has had since {}",
            genesis.ca,
            genesis.ceremony
        );
        report.refuse(Input::Policy, ca.name.span(), asked, Bilingual::plain(name), same());
    }
    let (id, root) = (&ca.id, &policy.root);
    let (alt_name, urls) = (&root.issuer_alt_name, &root.crl_urls);
    let found_urls: Vec<&String> = urls.get_ref().iter().map(toml::Spanned::get_ref).collect();
    let (ca_fixed, alt_name_fixed, urls_fixed) = (
        *id.get_ref() == genesis.ca,
        *alt_name.get_ref() == addresses.issuer_alt_name,
        found_urls.iter().copied().eq(&addresses.crl_urls),
    );
    for (fixed, place, asked, found) in [
        (ca_fixed, id.span(), genesis.ca.to_string(), id.get_ref().to_string()),
        (
            alt_name_fixed,
            alt_name.span(),
            addresses.issuer_alt_name.to_string(),
            alt_name.get_ref().to_string(),
        ),
        (
            urls_fixed,
            urls.span(),
            x509::shown_urls(&addresses.crl_urls),
            x509::shown_urls(found_urls),
        ),
    ] {
        if !fixed {
            let asked = says!("{asked}({} と同じ)", "{asked}, as in {}", genesis.ceremony);
            report.refuse(Input::Policy, place, asked, Bilingual::plain(found), same());
        }
    }
}

/// The advice: why none of these may change.
fn same() -> Bilingual {
    says!(
        "認証局の名と場所は、すべての世代を通じて 1 つ",
        "one CA has one name and one place in all its generations"
    )
}

/// S-CRL-URL: the CRLs of each key have addresses of their own, which contain the key's name (D6).
pub(super) fn crl_urls(report: &mut Report<'_>) {
    let urls = &report.inputs.policy.root.crl_urls;
    if urls.get_ref().is_empty() {
        report.refuse(
            Input::Policy,
            urls.span(),
            says!("1 つ以上のアドレス", "one address or more"),
            Bilingual::none(),
            says!(
                "ルートと DS の電子証明書は CRL のアドレスを持つ",
                "certificates of the root and of Document Signers say where the CRLs are"
            ),
        );
    }
    for url in urls.get_ref().iter().filter(|url| url.get_ref().matches("{key}").count() != 1) {
        report.refuse(
            Input::Policy,
            url.span(),
            says!("{{key}} を 1 か所に含むアドレス", "an address with {{key}} in it, once"),
            Bilingual::plain(url.get_ref()),
            says!(
                "このままでは、ある鍵の CRL が別の鍵の CRL に取って代わる",
                "the CRLs of one key would take the place of another's"
            ),
        );
    }
}

/// R-DN: a Document Signer's Name contains its number (3.1.5).
pub(super) fn ds_name(report: &mut Report<'_>) {
    let name = &report.inputs.policy.ds.name;
    let rdns = rdns(name);
    if rdns.iter().map(|rdn| rdn.value().matches("{number}").count()).sum::<usize>() != 1 {
        report.refuse(
            Input::Policy,
            name.span(),
            says!("{{number}} を 1 か所に含む名称", "a Name with {{number}} in it, once"),
            Bilingual::plain(x509::shown(&rdns)),
            says!(
                "このままでは、すべての Document Signer が同じ名になる",
                "all Document Signers would have one name"
            ),
        );
    }
}

/// I-DS-VALIDITY: a DS certificate is valid for 457 days at most (ISO/IEC 18013-5 B.1.4).
pub(super) fn ds_days(report: &mut Report<'_>) {
    let days = &report.inputs.policy.ds.max_days;
    if !(1..=457).contains(days.get_ref()) {
        report.refuse(
            Input::Policy,
            days.span(),
            says!("DS 電子証明書は 1 から 457 日", "1 to 457 days for a DS certificate"),
            Bilingual::plain(days.get_ref()),
            says!("上限は規格が定める", "the standard states the maximum"),
        );
    }
}

/// I-DS-EKU: the one extended key usage of a DS certificate is that of ISO/IEC 18013-5 or of a
/// scheme of its own (D15).
///
/// It is none of the Web's (neither anyExtendedKeyUsage nor one of PKIX), and none that ISO/IEC
/// 18013-5 Annex B gives to something else: in its arc only 2 is a Document Signer, 3 is JWS, 4 a
/// link, 6 mdoc reader authentication, 7 an IACA and 8 a VICAL.
pub(super) fn ds_purpose(report: &mut Report<'_>) {
    const ANY: &str = "2.5.29.37.0";
    const PKIX: &str = "1.3.6.1.5.5.7.3";
    const ISO: &str = "1.0.18013.5.1";
    const DOCUMENT_SIGNER: &str = "1.0.18013.5.1.2";
    let purpose = &report.inputs.policy.ds.extended_key_usage;
    let found = purpose.get_ref().as_str();
    let within = |arc: &str| {
        found.strip_prefix(arc).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if found == ANY || within(PKIX) || (within(ISO) && found != DOCUMENT_SIGNER) {
        report.refuse(
            Input::Policy,
            purpose.span(),
            says!(
                "Document Signer の用途(1.0.18013.5.1.2 など)",
                "a purpose of Document Signers, such as 1.0.18013.5.1.2"
            ),
            Bilingual::plain(found),
            says!(
                "DS 電子証明書は MSO の署名だけに用いる",
                "a DS certificate signs MSOs and is for nothing else"
            ),
        );
    }
}
