//! What is said and seen at each step, in English.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::{Language, Step, first_to_last, role, sheet_names};
use crate::graph::{Act, Graph, Op, PeopleAct, TokenAct};
use crate::name::Name;
use crate::plan::{ApplicationKind, Order};
use crate::token::Holder;

/// What those who stand by do before the first entry, and after the last exit.
const FIRST_IN: [&str; 3] = [
    "First in the room",
    "Those named above say that they are in the room before all other participants.",
    "The badge is worn. Nobody else is in the room.",
];
const LAST_OUT: [&str; 3] = [
    "Last out of the room",
    "Those named above say that all other participants have left, and enter it. Then the screen shows the head of the postscript; they write it on the slip of annex D in words, and leave last.",
    "Nobody else is in the room. The words on the slip are those on the screen. The media taken out are those on record.",
];

/// How the journal media are found.
const MEDIA: [&str; 3] = [
    "Journal media",
    "Labels and seal numbers of the two journal media are read aloud and written into the table of materials.",
    "The seals were whole before they were opened. Nothing but the boot medium and these two is in the machine.",
];

pub(in crate::script) fn step(graph: &Graph, op: &Op) -> Step {
    let person = |id: &crate::name::Name| {
        graph.people.get(id).map_or_else(|| id.to_string(), |p| format!("{} ({id})", p.name.en))
    };
    let of = |id: &Name| graph.organizations.get(id).map_or("", |o| o.en.as_str());
    let (title, say, see): (String, String, String) = match &op.act {
        Act::People(PeopleAct::FirstIn) => FIRST_IN.map(String::from).into(),
        Act::People(PeopleAct::Entry { person: id }) => (
            "Entry".into(),
            format!("{} enters; those named above stand by.{}", person(id), came(graph)),
            "The badge is worn, the authentication succeeded.".into(),
        ),
        Act::People(PeopleAct::RollCall { role: r }) => (
            format!("Roll call: {}", role(graph, r, Language::En)),
            "Each says name and role and shows the credential.".into(),
            format!("They agree with the register of appointments; {}.", called(graph)),
        ),
        Act::People(PeopleAct::Papers) => (
            "Papers".into(),
            "The first 8 words or more of `graph` and `bindings` of this script are read aloud and entered; after an interruption also the last head of the record that was noted here.".into(),
            "The machine says that they agree. What differs is refused; the right value is not shown.".into(),
        ),
        Act::People(PeopleAct::Clock) => (
            "Clock".into(),
            "Two people read the calibrated clock carried in and the machine's clock, and enter the difference in \
             seconds (the machine's minus the one carried in) and the clock's name."
                .into(),
            format!("The difference is at most {} seconds.", graph.demands.max_clock_offset),
        ),
        Act::Token(TokenAct::Identify { token }) => (
            titled("Token identity", token),
            "The machine reads serial number, label and mechanisms of the HSM.".into(),
            "The mechanisms of the plan are there.".into(),
        ),
        Act::People(PeopleAct::Media) => MEDIA.map(String::from).into(),
        Act::People(PeopleAct::Plate { token }) => (
            titled("Plate of the token", token),
            "The serial number on the HSM's plate (or on the label it got at acceptance, if the plate has another number) is read aloud and entered.".into(),
            "The machine says that it agrees. The number that the machine read is not shown before.".into(),
        ),
        Act::People(PeopleAct::Activate) => (
            "Activation".into(),
            "Those named above bring activation data and second factor, and enter the factor's name.".into(),
            "As many as the policy asks are there. Nobody sees a PIN.".into(),
        ),
        Act::Token(TokenAct::Login { token }) => (
            titled("Login", token),
            "Whoever is entrusted with the PIN enters it.".into(),
            "The next step appears on the screen. A failure is shown, and is not retried by itself.".into(),
        ),
        Act::Token(TokenAct::Inventory { token }) => (
            titled("Inventory", token),
            "The machine lists every object on the token.".into(),
            "There is nothing but this CA's keys; at the first ceremony, nothing.".into(),
        ),
        Act::Token(TokenAct::ReadHead) => (
            "The ledger head".into(),
            "The machine reads the ledger head on the token and compares it with the record of the ceremony before.".into(),
            "They are the same. If not, the ledger is old, or another one.".into(),
        ),
        Act::People(PeopleAct::Application { application }) => {
            let kind = graph.applications.get(application).map(|a| a.kind);
            let kind = kind.unwrap_or(ApplicationKind::Issue);
            let state = match kind {
                ApplicationKind::Issue | ApplicationKind::Renewal => "that the content is right and that they made the keys",
                ApplicationKind::Revocation => "that the content is right and that these are the certificates to be revoked",
            };
            (
                format!("Application for {}", kind.name()),
                format!("Read the digests of the papers of application `{application}` aloud from paper (of the notification and the list of CSRs too, where there are any) and type them. The applicants state {state}. The approver approves."),
                "The machine shows that they are the same. Examination and approval are on record.".into(),
            )
        }
        Act::People(PeopleAct::Compromise { key }) => (
            "Judgement of compromise".into(),
            format!("Those named above state for every deciding organisation that they judged the root key `{key}` to be compromised."),
            "The version of the emergency response plan, as the decisions at the head of this script have it, is that of the papers.".into(),
        ),
        Act::People(PeopleAct::Order { order }) => (
            "Order".into(),
            match order {
                Order::StopDsIssuing => "Those named above order the issuing of DS certificates to stop.".into(),
                Order::StopApplications => "Those named above order that no new applications for documents are taken.".into(),
                Order::ResumeDsIssuing => "Those named above order the issuing of DS certificates to resume.".into(),
                Order::ResumeApplications => "Those named above order that new applications for documents are taken again.".into(),
            },
            "The order is signed on paper.".into(),
        ),
        Act::People(PeopleAct::Supersede { ceremony, kept }) => (
            "Destruction of unreleased CRLs".into(),
            superseded(ceremony, kept),
            "Somebody is named who keeps the record of the destruction.".into(),
        ),
        Act::People(PeopleAct::ApproveDestruction { key, organization }) => (
            "Approval of the destruction".into(),
            format!("Those named above approve for {} the destruction of `{key}`.", of(organization)),
            "The approver holds the role.".into(),
        ),
        Act::People(PeopleAct::ApproveLoss { key, organization }) => (
            "Going on without a lost key".into(),
            lost(graph, key, organization),
            "The approver holds the role. What became of the HSM is as the plan says. Everybody knows that this key signs no CRL any more.".into(),
        ),
        Act::People(PeopleAct::ApproveRecovery { token, organization }) => (
            "Approval of the recovery".into(),
            format!("Those named above approve for {} that `{token}`, which holds copies of the keys, takes the place of the lost HSM, and that a new audit key is generated on it.", of(organization)),
            "The approver holds the role. What became of the lost HSM is as the plan says.".into(),
        ),
        Act::Token(TokenAct::Copy { key, to }) => (
            "Backup of a private key".into(),
            format!("Those named above and the security officers of both tokens copy the root key `{key}` to the token `{to}`. It travels encrypted under a TRUSTED key that exists only inside the two tokens, and never leaves the machine."),
            "The copy's public key and attributes are as planned. Nothing of the agreement is left on either token.".into(),
        ),
        Act::People(PeopleAct::Clone { key, to }) => (
            "Backup of a private key (the modules' own cloning)".into(),
            format!("Those named above copy the root key `{key}` to the token `{to}` by the maker's procedure, and enter its name and version."),
            "The key travels encrypted from module to module and is left nowhere else.".into(),
        ),
        Act::Token(TokenAct::Inspect { key, token }) => (
            titled("Read-back of a copy", token),
            format!("The machine reads the copy of `{key}` back in a fresh session."),
            "Public key and attributes are as planned.".into(),
        ),
        Act::Token(TokenAct::Destroy { key, token }) => (
            titled("Destruction of a private key", token),
            format!("Those named above destroy the key pair `{key}` on the token and see in a fresh session that it is gone."),
            "Nothing with its CKA_ID is left on the token.".into(),
        ),
        Act::Token(TokenAct::Clear { key, token, .. }) => (
            titled("Removal of remains", token),
            format!("Those named above remove what an earlier ceremony that did not end may have left of `{key}` on the token, and see in a fresh session that it is gone."),
            "Nothing with that CKA_ID is left on the token.".into(),
        ),
        Act::People(PeopleAct::HandOver { certificates }) => (
            "Hand-over of DS certificates".into(),
            format!(
                "Hand the DS certificates {} over to those named above. This is the notice of their issue. After an abort nothing is handed over: this step is left out.",
                first_to_last(certificates.iter())
            ),
            "The receiver has confirmed that their entries are as applied for.".into(),
        ),
        Act::Token(TokenAct::Generate { key }) => (
            "Key pair generation".into(),
            format!("The key pair `{key}` is generated inside the HSM and read back in a fresh session."),
            "Every attribute is as planned.".into(),
        ),
        Act::Token(TokenAct::SignHead) => (
            "First signature of the audit key".into(),
            "The audit key signs the head of the record so far.".into(),
            "The signature verifies.".into(),
        ),
        Act::Token(TokenAct::ReadValue { key }) => (
            "Negative step: reading".into(),
            format!("The machine tries to read the private value of `{key}`."),
            "The token refuses. If a value comes out, stop.".into(),
        ),
        Act::Token(TokenAct::Wrap { key }) => (
            "Negative step: wrapping".into(),
            format!("The machine tries to wrap the private key `{key}` under an ordinary key."),
            "The token refuses. If it can be taken out, stop.".into(),
        ),
        Act::Token(TokenAct::Sign(sheet)) => {
            let (names, count) = sheet_names(graph, &sheet.items);
            match &sheet.token {
                Holder::Root => (
                    format!("Signing ({count})"),
                    format!("`{}` signs {names}.", sheet.key),
                    "Every signature verifies.".into(),
                ),
                token @ Holder::Spare(name) => (
                    titled(&format!("Signing by a copy ({count})"), token),
                    format!("The copy of `{}` on the token `{name}` signs {names}: the restore drill.", sheet.key),
                    "The signature verifies under the root key: it proves the copy.".into(),
                ),
            }
        }
        Act::People(PeopleAct::Fingerprint { certificate }) => (
            "Fingerprint".into(),
            format!(
                "The SHA-256 of `{certificate}` is read aloud from the screen and written below."
            ),
            "What was read is what the screen shows.".into(),
        ),
        Act::People(PeopleAct::Complete { organization }) => (
            "Completion".into(),
            format!("Those named above approve for {} that the work was completed.", of(organization)),
            "The approver holds the role.".into(),
        ),
        Act::Token(TokenAct::WriteHead) => (
            "Ledger head".into(),
            "The ledger head is written on the token and read back.".into(),
            "No older head is left.".into(),
        ),
        Act::Seal => (
            "Seal".into(),
            "First everybody who came is shown what is on record under their name, and signs the whole record with their own card. Whoever finds something wrong answers `no` there, and says what as a deviation. Then the audit key signs the list of every file that was made.".into(),
            "Every signature verifies, and so does the seal.".into(),
        ),
        Act::Token(TokenAct::Logout { token }) => (titled("Logout", token), "Log out of the token.".into(), "No session is left.".into()),
        Act::People(PeopleAct::Deactivate) => (
            "Deactivation".into(),
            "The HSM is shut down in order. The machine stays on for the steps that follow; its power is cut after the last exit was entered and the slip was written.".into(),
            "The private key is inactive.".into(),
        ),
        Act::People(PeopleAct::AnchorWords) => (
            "Anchor".into(),
            "The audit key's digest and the head of the record are read aloud in words and entered. What the slip \
             for `anchor.toml` has lines for is written there, and signed by all."
                .into(),
            "Slip and screen agree.".into(),
        ),
        Act::People(PeopleAct::Exit { person: id }) => (
            "Exit".into(),
            format!("{} leaves; those named above stand by.{}", person(id), stayed_away(graph)),
            "The media taken out are those on record.".into(),
        ),
        Act::People(PeopleAct::LastOut) => LAST_OUT.map(String::from).into(),
    };
    Step { title, say, see }
}

/// What those who stand by enter, where people may stay away.
fn came(graph: &Graph) -> &'static str {
    if graph.has_reserves() {
        " They enter `present`; `absent` of a person who does not come, which cannot be changed after the next head is noted."
    } else {
        ""
    }
}

/// What is said of the exit of people who may have stayed away.
fn stayed_away(graph: &Graph) -> &'static str {
    if graph.has_reserves() {
        " If this person is recorded as absent, the machine does not ask this step: it is struck out."
    } else {
        ""
    }
}

/// Who has to be there at a roll call.
fn called(graph: &Graph) -> &'static str {
    if graph.has_reserves() { "everyone who came is there" } else { "everyone is there" }
}

fn titled(title: &str, token: &Holder) -> String {
    match token {
        Holder::Root => title.to_string(),
        Holder::Spare(name) => format!("{title} (token {name})"),
    }
}

/// Lists names of keys; `None` if there are none.
fn listed(keys: &BTreeSet<Name>) -> Option<String> {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    (!keys.is_empty()).then(|| keys.join(", "))
}

/// Says of which key the CA managers confirm the loss.
fn lost(graph: &Graph, key: &Name, organization: &Name) -> String {
    format!(
        "Those named above confirm for {} that the root key `{key}` was lost with its HSM and that there is no copy of it. They approve that the CA goes on with other root keys, and that a new audit key is generated.",
        graph.organizations.get(organization).map_or("", |o| o.en.as_str())
    )
}

/// Says which CRLs are destroyed, and which are kept.
fn superseded(ceremony: &Name, kept: &BTreeSet<Name>) -> String {
    match listed(kept) {
        None => format!(
            "Order the CRLs of ceremony `{ceremony}` that are not released yet to be destroyed, where they are published from and on media."
        ),
        Some(kept) => format!(
            "Order the CRLs of ceremony `{ceremony}` that are not released yet to be destroyed, where they are published from and on media. Those of {kept} are kept and released as planned: nothing takes their place."
        ),
    }
}
