//! The tables of a drafted plan, each as a person would write it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::crew::Crew;
use super::place;
use crate::canonical::quoted;
use crate::name::Name;
use crate::plan::ApplicationKind;
use crate::time::Instant;

/// Returns names as a list of TOML.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| quoted(name.as_str())).collect();
    format!("[{}]", names.join(", "))
}

/// Returns the table of an application, which people have examined and approved before.
pub(super) fn application(name: &str, kind: ApplicationKind, crew: &Crew<'_>) -> String {
    let decision = &crew.policy.decision;
    let (by, notification) = match kind {
        ApplicationKind::Issue | ApplicationKind::Renewal => (&decision.issue.by, String::new()),
        ApplicationKind::Revocation => {
            let asked = place(
                "電子証明書利用者の届出の書類の SHA-256。事由が利用者のものでなければ、この行を除く",
                "the SHA-256 of the subscriber's notification; if the ground is not the subscriber's, take out this line",
            );
            (&decision.revocation.by, format!("notification = {asked}\n"))
        }
    };
    let examiner = crew.examiner().map_or_else(
        || place("審査し承認した者の ID", "the id of the person who examined and approved it"),
        |id| quoted(id.as_str()),
    );
    let time = |ja: &str, en: &str| {
        place(&format!("{ja}日時(引用符なし)"), &format!("{en}, without quotes"))
    };
    let agreed = match (kind, &decision.ds_compromise) {
        (ApplicationKind::Revocation, Some(agreement)) => format!(
            "# If the key of a Document Signer is compromised, a {} of {} agrees before the approval:\n\
             # agreed = {{ by = \"…\", at = … }}\n",
            agreement.by.get_ref(),
            agreement.of.get_ref()
        ),
        (ApplicationKind::Revocation, None)
        | (ApplicationKind::Issue | ApplicationKind::Renewal, _) => String::new(),
    };
    format!(
        "\n[application.{name}]   # as it was examined and approved\nkind     = {}\n\
         paper    = {}\n{notification}by       = {}   # who applied\nreceived = {}\n\
         examined = {{ by = {examiner}, at = {} }}\n{agreed}approved = {{ by = {examiner}, at = {} }}\n",
        quoted(kind.name()),
        place(
            "申請の書類の SHA-256(16 進 64 桁)",
            "the SHA-256 of the application's paper, 64 hexadecimal digits"
        ),
        listed(crew.applicants(by)),
        time("申請を受け付けた", "when the application was received"),
        time("申請を審査した", "when the application was examined"),
        time("申請を承認した", "when the application was approved"),
    )
}

/// Returns the table of a Document Signer certificate, whose request people put beside the plan.
pub(super) fn signer(
    name: &str,
    issuer: &Name,
    from: Instant,
    application: &str,
    renews: Option<&Name>,
) -> String {
    let renews = renews.map_or_else(String::new, |old| {
        format!(
            "renews      = {}   # it ends before the CRLs of this ceremony do\n",
            quoted(old.as_str())
        )
    });
    format!(
        "\n[certificate.{name}]\nprofile     = \"ds\"\nissuer      = {}\nnot-before  = {}\n\
         csr         = {}   # as it was received\ncsr-sha256  = {}\napplication = {}\n{renews}",
        quoted(issuer.as_str()),
        from.midnight(),
        quoted(&format!("{name}.csr")),
        place(
            &format!("審査した発行要求 {name}.csr(計画の隣に置く)の SHA-256"),
            &format!(
                "the SHA-256 of the request that was examined; put it beside this plan as {name}.csr"
            ),
        ),
        quoted(application),
    )
}

/// Returns the tables of a new root key and its certificate.
pub(super) fn root(key: &str, from: Instant, early: bool) -> String {
    let reason = match early {
        true => format!(
            "reason      = {}\napproved-by = {}\n",
            place(
                "定めより早く更新する理由",
                "why it comes before the last one is due for renewal"
            ),
            approved()
        ),
        false => String::new(),
    };
    format!(
        "\n[key.{key}]\nuse         = \"root\"\n{reason}\n[certificate.root-{key}]\nprofile    = \"root\"\n\
         key        = {}\nnot-before = {}   # the day of the ceremony\n",
        quoted(key),
        from.midnight()
    )
}

/// Returns the tables of both link certificates.
pub(super) fn links(old: &Name, new: &str) -> String {
    format!(
        "\n[certificate.old-with-new-{old}-{new}]\nprofile = \"old-with-new\"\nkey     = \"{old}\"\n\
         issuer  = \"{new}\"\n\n[certificate.new-with-old-{old}-{new}]\nprofile = \"new-with-old\"\n\
         key     = \"{new}\"\nissuer  = \"{old}\"\n"
    )
}

/// Returns the table of a key that is destroyed.
pub(super) fn destruction(key: &Name) -> String {
    format!(
        "\n[destruction.{key}]   # on every token\napproved-by = {}\nreason      = {}\n",
        approved(),
        place(&format!("{key} にもう役目がない理由"), &format!("why {key} has no duty any more")),
    )
}

/// Returns the table of a copy on another token.
pub(super) fn copy(key: &Name, token: Option<&Name>) -> String {
    let named = token.map_or_else(|| "copy".to_string(), ToString::to_string);
    format!(
        "\n[copy.{key}-{named}]\nkey   = \"{key}\"\ntoken = {}   # as room.toml names it\nkept  = {}\n",
        token.map_or_else(
            || place(
                "複製先の HSM の、room.toml での名",
                "the name of the other HSM, as room.toml has it"
            ),
            |token| quoted(token.as_str())
        ),
        place(
            "媒体のラベル、封印、場所、保管する者",
            "label, seal and place of the medium, and who keeps it"
        ),
    )
}

/// Returns the table of a token that takes the place of the lost one.
pub(super) fn recovery(token: &Name) -> String {
    format!(
        "\n[recovery]\ntoken       = \"{token}\"   # it holds a proved copy of every key with duties\n\
         lost        = {}\napproved-by = {}\n",
        place(
            "失われたトークンの顛末(いつ、どのように失われ、残りをどこに保管するか)",
            "what became of the lost token: when, how, where what is left of it is kept"
        ),
        approved(),
    )
}

/// Returns the table of a key that is judged to be compromised.
pub(super) fn compromise(key: &Name) -> String {
    format!(
        "\n[compromise.{key}]   # everything that it signed is revoked\njudged-by     = [{}]\n\
         judged-at     = {}\nresponse-plan = {}\n",
        place(
            "危殆化を判断した者の ID(引用符付き、決定するすべての組織から)",
            "the ids of the people who judged it, in quotation marks, of every organisation that decides"
        ),
        place("判断した日時(引用符なし)", "when they judged it, without quotes"),
        place("従った緊急時対応計画の版", "the version of the emergency response plan"),
    )
}

/// Returns the table of a certificate that is revoked; `None` for one that people choose.
pub(super) fn revocation(certificate: Option<&Name>, application: &str, choices: &str) -> String {
    let (named, ground) = match certificate {
        Some(renewed) => (renewed.to_string(), quoted("renewal")),
        None => (
            place(
                "失効させる電子証明書の名(下の一覧から、引用符なし)",
                "the certificate to be revoked, of those below, without quotes",
            ),
            place(
                "失効事由(key-compromise、use-stopped、data-changed、content-wrong、breach、inaccurate、necessary のいずれか)",
                "the ground: key-compromise, use-stopped, data-changed, content-wrong, breach, inaccurate or necessary",
            ),
        ),
    };
    format!(
        "\n[revocation.{named}]\n{choices}ground      = {ground}\napplication = {}\n",
        quoted(application)
    )
}

fn approved() -> String {
    format!(
        "[{}]",
        place(
            "承認した組織の ID(引用符付き、決定するすべての組織)",
            "the ids of the organisations that approved it, in quotation marks: all that decide"
        )
    )
}
