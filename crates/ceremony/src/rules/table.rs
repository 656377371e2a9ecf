//! The table of rules: the one place where a rule's id, clause and sentence stand.

use super::{Rule, Stage, certificates, crls, keys, plan, policy};
use crate::rule::RuleId;

mod image;
mod life;
mod people;

const fn rule(
    id: RuleId,
    clause: &'static str,
    stage: Stage,
    must: bool,
    sentence: &'static str,
) -> Rule {
    Rule { id, clause, stage, must, sentence }
}

/// Every rule. A rule that has several places of judgement stands once for each function.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    PLAN.iter().chain(life::LIFE).chain(people::PEOPLE).chain(ROOM).chain(image::IMAGE)
}

/// The rules of files and plans.
const PLAN: &[Rule] = &[
    // The form of inputs.
    rule(
        RuleId::S_TEXT,
        "gishiki",
        Stage::Form,
        true,
        "text that is not UTF-8, NFC, or holds control, bidirectional or invisible characters, or is larger than 3 MiB",
    ),
    rule(
        RuleId::S_FORM,
        "gishiki",
        Stage::Form,
        true,
        "a document that is no TOML, or has unknown, doubled, missing or wrongly typed entries",
    ),
    // The plan.
    rule(
        RuleId::S_AFTER,
        "gishiki",
        Stage::Plan(plan::after),
        true,
        "a plan that does not come after the last ceremony of its ledger, or not under a new name",
    ),
    rule(
        RuleId::S_SEQUENCE,
        "RFC 5280 5.2.3",
        Stage::Plan(plan::sequence),
        true,
        "a sequence that does not rise, or leaves no room in a CRL number",
    ),
    rule(
        RuleId::S_TOKEN_POLICY,
        "6.2.1.1, 6.2.6",
        Stage::Plan(policy::token),
        true,
        "a policy that lets a safety attribute be left out or not told, or a secret be brought along",
    ),
    rule(
        RuleId::S_WINDOW,
        "gishiki; D9",
        Stage::Plan(plan::window),
        true,
        "a window that is empty or not on one day in Japan; an operation outside the window",
    ),
    rule(
        RuleId::S_SERIALS,
        "RFC 5280 4.1.2.2",
        Stage::Plan(plan::serials),
        true,
        "a seed of serial numbers that is visibly not random, or was used before",
    ),
    rule(
        RuleId::R_CPS_IN_FORCE,
        "1.5.3, 9.10.1, 9.12",
        Stage::Plan(plan::cps_in_force),
        true,
        "a ceremony outside the period in which the CP/CPS is in force",
    ),
    rule(
        RuleId::S_KEYS,
        "gishiki",
        Stage::Plan(keys::keys),
        true,
        "a first ceremony that makes anything but the root key g1, a later one that makes more than the next generation's",
    ),
    rule(
        RuleId::S_REFERENCE,
        "gishiki",
        Stage::Plan(certificates::references),
        true,
        "a key or an application that neither plan nor ledger has",
    ),
    rule(
        RuleId::R_CERT_KINDS,
        "1.3.1, 1.4.1, 1.4.2",
        Stage::Plan(certificates::kinds),
        true,
        "a certificate that is none of the three kinds: too much or too little is said of it",
    ),
    rule(
        RuleId::S_NAME,
        "gishiki",
        Stage::Plan(certificates::said_by_names),
        true,
        "a root or link certificate, or an application, under a name that another thing may have",
    ),
    rule(
        RuleId::R_NO_RENEW,
        "4.6",
        Stage::Plan(certificates::one_root_each),
        true,
        "a root key that is certified twice or never",
    ),
    rule(
        RuleId::R_ROOT,
        "7.1.2.1, 6.3.2; D8, D9",
        Stage::Plan(certificates::root_begins),
        true,
        "a root that does not begin on the day of its issue, or is not valid for 5 years 4 months",
    ),
    rule(
        RuleId::R_ROOT,
        "6.3.2",
        Stage::Plan(policy::root_validity),
        true,
        "a policy with another validity of the root",
    ),
    rule(
        RuleId::R_KEYLIFE,
        "5.6, 6.3.2",
        Stage::Plan(policy::key_life),
        true,
        "a policy with another use of root keys than 5 years",
    ),
    rule(
        RuleId::R_CRL_CADENCE,
        "4.9.7; D3",
        Stage::Plan(crls::cadence),
        true,
        "no CRLs, or a next ceremony later than three months",
    ),
    rule(
        RuleId::R_CRL_CADENCE,
        "4.9.7; D3",
        Stage::Plan(policy::crl_interval),
        true,
        "a policy with more than 90 days between ceremonies",
    ),
    rule(
        RuleId::R_CRL_CADENCE,
        "4.9.7, 4.9.8; D17",
        Stage::Plan(crls::prompt),
        false,
        "a revocation more than 48 hours after its approval, a compromise more than 48 hours after the judgement",
    ),
    rule(
        RuleId::R_CRL_CADENCE,
        "4.9.7; D3",
        Stage::Warn(crls::late),
        false,
        "a ceremony later than the last one planned it, or after its CRLs ran out: reported",
    ),
    rule(
        RuleId::S_CRL_BATCH,
        "D1",
        Stage::Plan(crls::batch),
        true,
        "a batch of more CRLs than the policy allows",
    ),
    rule(
        RuleId::S_CRL_BATCH,
        "D1",
        Stage::Plan(policy::batch),
        true,
        "a policy with batches of more than 104 CRLs",
    ),
    rule(
        RuleId::S_CRL_END,
        "D7",
        Stage::Plan(crls::crl_within_root),
        true,
        "a CRL that ends after the root of its key",
    ),
    rule(
        RuleId::S_EXCEPTION,
        "gishiki",
        Stage::Plan(plan::exception),
        true,
        "an exception for a rule that allows none, without reason, two roles or an end ahead",
    ),
];

/// The rules of what happens, and of what is judged afterwards.
const ROOM: &[Rule] = &[
    // Names and structures.
    rule(
        RuleId::R_DN,
        "3.1.1, 3.1.2, 7.1.4",
        Stage::Structure,
        true,
        "a name that is no X.500 name of country, organization and common name",
    ),
    rule(
        RuleId::S_STRUCTURE,
        "X.690",
        Stage::Structure,
        true,
        "a structure that cannot be encoded",
    ),
    // The run.
    rule(
        RuleId::S_OPENED,
        "gishiki",
        Stage::Run,
        true,
        "a first record with other digests than the inputs give",
    ),
    rule(RuleId::S_ORDER, "gishiki", Stage::Run, true, "an event that may not follow"),
    rule(RuleId::S_TIME_BACK, "6.8", Stage::Run, true, "a time before the last record"),
    rule(
        RuleId::S_ATTEMPTS,
        "gishiki",
        Stage::Run,
        true,
        "a seventeenth attempt at a key generation or a signing",
    ),
    rule(RuleId::S_ANSWER, "gishiki", Stage::Run, true, "an answer to something else"),
    rule(
        RuleId::S_WORDS,
        "gishiki",
        Stage::Run,
        true,
        "free text that is empty, too long, or not plain",
    ),
    rule(
        RuleId::S_REFUSED,
        "gishiki",
        Stage::Run,
        true,
        "a refusal in a rule's name that names people; one that is lifted by others than those who made it",
    ),
    rule(
        RuleId::S_ORPHAN,
        "gishiki",
        Stage::Run,
        true,
        "the removal of a key pair that is complete",
    ),
    rule(
        RuleId::S_MODE,
        "gishiki",
        Stage::Run,
        true,
        "a rehearsal, drill or real ceremony taken for another",
    ),
    rule(
        RuleId::S_DRILL,
        "gishiki",
        Stage::Run,
        true,
        "a drill on a token that is no drill token, or the reverse",
    ),
    rule(
        RuleId::S_PAPERS,
        "5.2.1.4",
        Stage::Run,
        true,
        "papers with another graph or other bindings",
    ),
    rule(
        RuleId::S_NOTED,
        "5.4.4, 5.4.5",
        Stage::Run,
        true,
        "a session that does not go on from the last head that people noted on paper",
    ),
    rule(
        RuleId::R_FINGERPRINT,
        "2.2, 6.1.4",
        Stage::Run,
        true,
        "a fingerprint that was not read as it is",
    ),
    rule(
        RuleId::S_ANCHOR,
        "gishiki",
        Stage::Run,
        true,
        "anchor words that are not the ceremony's; a ceremony that is not the anchor's",
    ),
    rule(RuleId::S_TOKEN_SERIAL, "gishiki", Stage::Run, true, "a token with another serial number"),
    rule(
        RuleId::S_TOKEN_MECHANISM,
        "gishiki",
        Stage::Run,
        true,
        "a token without a mechanism that is needed",
    ),
    rule(RuleId::S_TOKEN, "gishiki", Stage::Run, true, "a token that failed"),
    rule(
        RuleId::S_KEY_ABSENT,
        "gishiki",
        Stage::Run,
        true,
        "a key of the records that is not on the token",
    ),
    rule(
        RuleId::R_KEY_IN_HSM,
        "6.2.1.1, 6.2.6, 6.2.7.1",
        Stage::Run,
        true,
        "a key pair that is not one pair with every attribute as asked",
    ),
    rule(
        RuleId::S_PUBLIC_KEY,
        "SEC 1 3.2.2.1",
        Stage::Run,
        true,
        "a public key that is off its curve, or seen before",
    ),
    rule(
        RuleId::S_REHEARSAL_KEY,
        "gishiki",
        Stage::Run,
        true,
        "a rehearsal key anywhere else than in a rehearsal",
    ),
    rule(RuleId::R_NO_TRANSFER, "6.2.6", Stage::Run, true, "a token that gives out a private key"),
    rule(
        RuleId::S_SIGNATURE,
        "FIPS 186-5",
        Stage::Run,
        true,
        "a signature that does not verify over our own octets",
    ),
    rule(RuleId::S_NONCE, "FIPS 186-5", Stage::Run, true, "a signature whose r was seen before"),
    rule(RuleId::S_LEDGER_HEAD, "gishiki", Stage::Run, true, "another ledger head on the token"),
    // Sealed folders.
    rule(RuleId::S_INPUTS, "gishiki", Stage::Verify, true, "sealed inputs in another form"),
    rule(RuleId::S_EMPTY, "gishiki", Stage::Verify, true, "a transcript without a record"),
    rule(
        RuleId::S_RECORD,
        "5.4.1, 5.4.4",
        Stage::Verify,
        true,
        "a line that is not what replay gives",
    ),
    rule(RuleId::S_END, "gishiki", Stage::Verify, true, "a transcript that ends before its end"),
    rule(RuleId::S_SEAL, "5.4.4", Stage::Verify, true, "a seal that this transcript does not give"),
    rule(
        RuleId::S_ARTEFACT,
        "5.5.3",
        Stage::Verify,
        true,
        "a file that this transcript does not give",
    ),
    // The edge.
    rule(
        RuleId::S_FILE,
        "gishiki",
        Stage::Edge,
        true,
        "a file that is no plain, readable file of its folder",
    ),
    rule(RuleId::S_OUT, "5.4.1", Stage::Edge, true, "an output that is there already"),
    rule(
        RuleId::S_JOURNAL,
        "gishiki",
        Stage::Edge,
        true,
        "journals that are not two, or do not continue each other",
    ),
    rule(
        RuleId::S_ROOM,
        "gishiki",
        Stage::Edge,
        true,
        "a room whose module is not the one that it names",
    ),
    rule(
        RuleId::S_TERMINAL,
        "gishiki",
        Stage::Edge,
        true,
        "a ceremony without a terminal to ask people at",
    ),
    rule(
        RuleId::S_LEDGER,
        "5.7.2, 5.5.3",
        Stage::Edge,
        true,
        "a ledger that is not one history from the first ceremony: a gap, a fork, another name",
    ),
    rule(RuleId::S_BUSY, "gishiki", Stage::Edge, true, "a journal that another process holds"),
];
