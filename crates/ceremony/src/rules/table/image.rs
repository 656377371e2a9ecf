//! The rules of the live image: what it refuses of its machine, and what is refused of it.

use super::{Rule, Stage, rule};
use crate::rule::RuleId;

const fn live(id: RuleId, clause: &'static str, sentence: &'static str) -> Rule {
    rule(id, clause, Stage::Live, true, sentence)
}

const fn image(id: RuleId, sentence: &'static str) -> Rule {
    rule(id, "gishiki", Stage::Image, true, sentence)
}

/// The rules of the live image.
pub(super) const IMAGE: &[Rule] = &[
    live(RuleId::S_LIVE, "6.5.1", "a system that is no live image"),
    live(RuleId::S_COMMAND_LINE, "6.5.1", "another command line of the kernel than the image's"),
    live(RuleId::S_NO_NETWORK, "6.7", "a network interface that the image does not name"),
    live(RuleId::R_AIRGAP, "6.7", "a link to an HSM where the policy permits none"),
    live(
        RuleId::S_LINK,
        "6.7",
        "a link whose card, address, route, neighbour or filter is another",
    ),
    live(RuleId::S_DRIVER, "gishiki", "a token's driver that the kernel has not taken"),
    live(RuleId::S_DAEMON, "gishiki", "a token's daemon that does not run"),
    live(RuleId::S_MODULES, "6.5.1", "a kernel that loads further modules"),
    live(RuleId::S_LOCKDOWN, "6.5.1", "a kernel that is not locked down"),
    live(RuleId::S_NO_SWAP, "6.5.1", "a swap area"),
    live(RuleId::S_CLOCK, "6.8", "a clock set to no time"),
    live(RuleId::S_PLANS, "gishiki", "a medium of plans without a plan"),
    live(RuleId::S_SELF_TEST, "gishiki", "a rehearsal on the image that differs from its golden"),
    live(RuleId::S_MEDIUM, "gishiki", "a medium that is missing, doubled, or in another form"),
    live(RuleId::S_IMAGE, "6.6.1", "another image than the one that the papers name"),
    image(RuleId::S_LOCK, "an input of the image that is not the locked one, or a lock without it"),
    image(RuleId::S_STALE, "a locked package whose version has left the mirror"),
    image(RuleId::S_SOURCES, "an input or source of a recipe that no lock or repository has"),
    image(RuleId::S_RECIPE, "a derivation that is missing, or is not what its name says"),
    image(RuleId::S_BUILT, "an image with other octets than its pin"),
    image(RuleId::S_PIN, "a file that is no pin, no ISO or no unified kernel image"),
    image(
        RuleId::S_STICK,
        "a stick that is not free, removable and large enough, or gives back other octets",
    ),
];
