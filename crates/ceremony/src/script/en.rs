//! The script in English.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Labels, Language, Step, first_to_last, role, sheet_names};
use crate::document::{Column, StepWords};
use crate::graph::{Act, Graph, Op, PeopleAct, TokenAct};
use crate::name::Name;
use crate::plan::{ApplicationKind, Order};
use crate::token::Holder;

pub(super) const LABELS: Labels = Labels {
    title: "Key ceremony script",
    ceremony: "ceremony",
    window: "window",
    place: "place",
    copy: "copy number, of how many",
    digests: "Values to compare",
    digests_note: "Each value is shown in hexadecimal and in words. `graph` and `bindings` are read aloud and entered by two people at the step “papers”. If they differ, stop.",
    exceptions: "Exceptions from rules that this plan was granted",
    people: "Participants",
    reserve: "in reserve",
    people_head: [
        Column::little("id"),
        Column::rest("name"),
        Column::rest("organisation"),
        Column::rest("roles"),
        Column::rest("card (first 4 words of its key)"),
        Column::hand("signature"),
        Column::hand("date"),
        Column::hand("time"),
    ],
    material: "What is brought into the room",
    material_note: "Marks and seals are written down when a thing is first on the table, and again when it leaves.",
    material_head: [
        Column::rest("what"),
        Column::hand("label or serial number"),
        Column::hand("seal before, unbroken"),
        Column::hand("seal after"),
        Column::hand("kept by"),
    ],
    materials: [
        "start medium with the image",
        "journal medium A",
        "journal medium B",
        "calibrated clock",
        "activation data (cards, envelopes)",
        "",
    ],
    token: "HSM",
    agenda: "Agenda",
    agenda_head: [
        Column::rest("part"),
        Column::little("steps"),
        Column::little("minutes"),
        Column::hand("begun"),
        Column::hand("ended"),
    ],
    all_parts: "all",
    keys: "Key pairs",
    made: "made in this ceremony",
    exists: "exists",
    decisions: "Decided before: applications, judgements, orders",
    structures: "Certificates and CRLs to be signed",
    crl_numbers: "numbers",
    phases: [
        "1 Entry",
        "2 Opening (repeated when an interrupted ceremony is resumed)",
        "3 Work",
        "4 Seal",
        "5 After the seal",
    ],
    columns: StepWords {
        number: "No.",
        who: "Who",
        say: "Said and done",
        see: "Must be seen",
        time: "Time",
        initials: "Initials of the witnesses",
    },
    fingerprint: "SHA-256, in hexadecimal: ",
    head: "head of the record (8 words on the screen) ",
    head_by: " confirmed on the screen by (id) ",
    signed: "each signs the answer with their own card",
    signed_by: "signed with the card of whoever leaves",
    annex_resume: "Annex A: resuming after an interruption",
    resume: &[
        "After a power cut, a kill or a pulled medium, start the machine again and insert the same two journal media. Nobody repeats a key generation or a signature on their own.",
        "Run `gishiki resume`. It replays each journal on its own. Of what stands on one medium only it takes nothing but the token's answer to a question that stands on both. If the two differ, or one does not replay, it says which, and with the consent of two people of two roles puts one aside.",
        "Roll call, papers, clock, token identity and activation are done again. At the step “papers”, the last “head of the record” that was noted in this script and confirmed on the screen is also read aloud and entered, or `none`; the screen does not show it. What people said after that head is asked again.",
        "A signature in doubt is burned with its numbers, and the next attempt follows (annex B). A key pair in doubt is adopted if it is complete; otherwise its remains are removed with the consent of two people of two roles.",
        "A copy in doubt is made again, after what is left of it was removed from both tokens. A destruction in doubt is done again, until nothing of the key is left.",
        "After the window it can only be closed as aborted, and sealed.",
    ],
    questions: "The command is `gishiki resume --room ROOM --journal A --journal B --out OUT`, with the same `--ledger LEDGER` and `--anchor ANCHOR` as at the beginning; the machine prints it with its paths when it stops. On the live image the menu has it. These are all questions that it may ask, in their order:",
    questions_head: [
        Column::rest("when"),
        Column::rest("who answers"),
        Column::rest("what is typed"),
    ],
    questions_first: &[
        [
            "The machine's clock is before the last record, or outside the window.",
            "whoever sets the clock, while somebody else watches",
            "Enter, after the clock was set; `late`, if it is right and the ceremony is to be closed as aborted; `no` goes no further",
        ],
        [
            "One journal does not replay, or differs from the other (`--put-aside`).",
            "two people of two roles",
            "their ids, if it is put aside; `no` changes nothing",
        ],
        [
            "A stop stands on one medium only.",
            "who stopped it; for a stop by a rule, two people of two roles",
            "`no`, if it holds; their ids, if they lift it",
        ],
    ],
    questions_steps: [
        "Steps {steps} are done again.",
        "as each step says",
        "as each step says; at “papers” also 8 words of the last head that was noted and confirmed, or `none`",
    ],
    questions_later: &[
        [
            "People had answered a step after that head.",
            "as that step says",
            "the same once more, at that step",
        ],
        [
            "The HSM failed to make a key, and whether to ask it once more.",
            "two people of two roles",
            "their ids; `no` stops the ceremony",
        ],
        [
            "Something that is no whole key pair, or no planned object, was left on an HSM, and is to be removed.",
            "two people of two roles",
            "their ids; `no` stops the ceremony",
        ],
        [
            "A person's card does not sign.",
            "two others of two roles",
            "`failed`, and then their ids",
        ],
    ],
    more_heads: "The machine also asks for a head after a refusal and after a key generation that failed, where no step has a line for it. It is written here:",
    after_step: "after step ",
    eight_words: ": 8 words ",
    annex_attempts: "Annex B: numbers of later attempts",
    attempts: "Nothing but these values changes in a later attempt; the next three are listed. A CRL's number is its first number plus the number of the attempt, from 0.",
    annex_refusal: "Annex C: stopping",
    refusal: "Every participant may answer any question with “no” and a reason; the ceremony then stops. A stopped ceremony is sealed too and enters the ledger; its certificates and CRLs are not handed out. \
             If a card does not work, two others of two roles say so and sign it; what that person does afterwards is stated without a signature. If the audit key cannot sign, follow `gishiki abandon`: the digest of the unsealed journal is copied to paper and signed by all.",
    annex_slip: "Annex D: the slip for the anchor",
    slip: "This slip pins the ceremony: two people copy it into `anchor.toml`. The head, and the audit key where this slip has lines for it, are written at the step “Anchor”, and everyone signs. The head of the postscript is shown after the last exit was entered: those who leave last write it and sign beside it. Every line is written in words.",
    slip_head: "`head` (the chain value of the last record before the seal) ",
    slip_postscript: "`postscript` (the chain value of the last record after the seal) ",
    slip_audit_key: "`audit-key` (made in this ceremony) ",
    date: "date ",
    all_sign: " signatures of all ",
    annex_differs: "Annex E: what differed from the script",
    differs: "What is done otherwise, later, or by somebody else is entered at the screen as `deviation`, and written here. A sheet that is full is followed by another.",
    differs_head: [
        Column::little("time"),
        Column::little("step"),
        Column::rest("what differed, and what was done"),
        Column::hand("signatures"),
    ],
    annex_attest: "Annex F: attestation",
    attest: "Each participant signs on leaving: the ceremony followed this script, and whatever differed from it stands in annex E and in the record.",
    attest_head: [
        Column::little("id"),
        Column::rest("name"),
        Column::hand("date"),
        Column::hand("time"),
        Column::hand("signature"),
    ],
    annex_words: "Annex G: words of this script",
    words_head: [Column::rest("word"), Column::rest("what it means")],
    words: &[
        [
            "HSM, token",
            "the device that holds private keys and signs with them; no private key leaves it in the clear",
        ],
        [
            "`graph`",
            "all operations of the ceremony in their order; its id identifies what is done",
        ],
        [
            "`bindings`",
            "the digests of everything that the ceremony rests on: plan, policy, roster and the rest",
        ],
        [
            "record, journal medium",
            "each event is written to two media before the next one begins; each record names the digest of the one before",
        ],
        ["head of the record", "the digest of the last record, which names all records before it"],
        ["audit key", "the key with which the HSM signs the record; it signs no certificate"],
        ["seal", "the signature of the audit key on the list of every file that the ceremony made"],
        [
            "postscript",
            "the records after the seal: shutting down, reading the anchor aloud, exits",
        ],
        [
            "anchor",
            "the values on paper by which anybody can tell years later that nothing was changed",
        ],
        [
            "attempt",
            "an operation that failed is done again under numbers of its own; a number is never used twice",
        ],
        ["CRL", "the signed list of certificates that were revoked"],
        ["PIN", "what is typed for an HSM or a card to act; it is never shown and never recorded"],
    ],
};

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

pub(super) fn step(graph: &Graph, op: &Op) -> Step {
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
            "The serial number on the screen is the one on the device's plate.".into(),
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
