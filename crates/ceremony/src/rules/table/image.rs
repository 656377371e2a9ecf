//! The rules of the live image: what it refuses of its machine, and what is refused of it.

use super::{Rule, Stage, rule};

const fn live(id: &'static str, clause: &'static str, sentence: &'static str) -> Rule {
    rule(id, clause, Stage::Live, true, sentence)
}

const fn image(id: &'static str, sentence: &'static str) -> Rule {
    rule(id, "gishiki", Stage::Image, true, sentence)
}

/// The rules of the live image.
pub(super) const IMAGE: &[Rule] = &[
    live("S-LIVE", "6.5.1", "a system that is no live image"),
    live("S-COMMAND-LINE", "6.5.1", "another command line of the kernel than the image's"),
    live("S-NO-NETWORK", "6.7", "a network interface that the image does not name"),
    live("R-AIRGAP", "6.7", "a link to an HSM where the policy permits none"),
    live("S-LINK", "6.7", "a link whose card, address, route, neighbour or filter is another"),
    live("S-DRIVER", "gishiki", "a token's driver that the kernel has not taken"),
    live("S-DAEMON", "gishiki", "a token's daemon that does not run"),
    live("S-MODULES", "6.5.1", "a kernel that loads further modules"),
    live("S-LOCKDOWN", "6.5.1", "a kernel that is not locked down"),
    live("S-NO-SWAP", "6.5.1", "a swap area"),
    live("S-CLOCK", "6.8", "a clock set to no time"),
    live("S-PLANS", "gishiki", "a medium of plans without a plan"),
    live("S-SELF-TEST", "gishiki", "a rehearsal on the image that differs from its golden"),
    live("S-MEDIUM", "gishiki", "a medium that is missing, doubled, or in another form"),
    live("S-IMAGE", "6.6.1", "another image than the one that the papers name"),
    image("S-LOCK", "an input of the image that is not the locked one, or a lock without it"),
    image("S-STALE", "a locked package whose version has left the mirror"),
    image("S-SOURCES", "an input or source of a recipe that no lock or repository has"),
    image("S-RECIPE", "a derivation that is missing, or is not what its name says"),
    image("S-BUILT", "an image with other octets than its pin"),
    image("S-PIN", "a file that is no pin, no ISO or no unified kernel image"),
    image(
        "S-STICK",
        "a stick that is not free, removable and large enough, or gives back other octets",
    ),
];
