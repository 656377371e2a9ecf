//! Certificates and CRLs that each break one rule.

use ceremony::path::Offered;
use ceremony::time::Instant;

use super::made::{
    Made, MadeCrl, NEW, OLD, SIGNER, STRANGER, crl, entry, first_day, hours, link, root, signer,
};
use crate::issuing::{extension, tlv};

/// One rule, and what breaks it.
pub(crate) type Bent = (&'static str, Vec<u8>);

/// Bent Document Signers that OpenSSL must refuse too.
pub(crate) fn for_everyone(good: &Made) -> Vec<Bent> {
    vec![
        ("P-PATH-ISSUER", good.with(|made| made.issuer = made.subject.clone())),
        ("P-PATH-KEY", good.other(35, false, &tlv(0x30, &[&tlv(0x80, &[&[7; 20]])]))),
        ("P-PATH-SIGNATURE", good.with(|made| made.signer = STRANGER)),
        ("P-PATH-TIME", good.with(|made| made.not_after = hours(first_day(), 11))),
        ("P-PATH-TIME", good.with(|made| made.not_before = hours(first_day(), 13))),
        // Nobody knows it.
        ("R-VERIFIER", good.with(|made| made.extensions.push(extension(99, true, &[5, 0])))),
        // Known to everyone, with content of nobody.
        ("R-VERIFIER", good.other(15, true, &[3, 2, 0, 6])),
        ("P-EXT-UNIQUE", good.with(|made| made.extensions.push(made.extensions[0].clone()))),
        ("P-DER", vec![0x30, 0x80, 0, 0]),
        ("R-V3", good.with(|made| made.version = 2)),
    ]
}

/// Bent Document Signers by the rules of ISO/IEC 18013-5 and the CP/CPS alone.
pub(crate) fn for_an_iaca(good: &Made) -> Vec<Bent> {
    let a_name = tlv(0x30, &[&tlv(0x82, &[b"a.example"])]);
    // Both ends count: it is 457 days and one second long.
    let far = good.not_before.plus_seconds(457 * 86_400);
    let french = crate::issuing::name("FR", "O", "CN").der().to_vec();
    vec![
        // Known, critical, and not processed.
        ("R-VERIFIER", good.other(30, true, &[0x30, 0])),
        ("R-VERIFIER", good.other(18, true, &a_name)),
        ("R-DS-NOT-CA", good.other(19, true, &[0x30, 3, 1, 1, 0xff])),
        ("R-DS-NOT-CA", good.other(15, true, &[3, 2, 1, 6])),
        ("I-DS-KEY-USAGE", good.other(15, true, &[3, 2, 6, 0xc0])),
        ("I-DS-KEY-USAGE", good.other(15, false, &[3, 2, 7, 0x80])),
        ("I-DS-EKU", good.other(37, true, &[0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1])),
        ("I-DS-EKU", good.with(|made| made.drop(37))),
        ("I-ROOT-SKI", good.other(14, false, &[&[4, 20][..], &[7; 20]].concat())),
        ("I-ROOT-IAN", good.other(18, false, &a_name)),
        ("I-ROOT-IAN", good.with(|made| made.drop(18))),
        ("I-ROOT-CDP", good.with(|made| made.drop(31))),
        ("I-ROOT-CDP", good.other(31, false, &[0x30, 0])),
        ("I-DS-VALIDITY", good.with(|made| made.not_after = far)),
        ("I-DS-KEY", good.with(|made| made.key = rsa_key())),
        ("I-DS-EXT", good.with(|made| made.extensions.push(extension(36, false, &[0x30, 0])))),
        ("I-COUNTRY", good.with(|made| made.subject = french)),
        ("I-NAME", good.with(|made| made.subject = rdns(&[(6, 0x13, b"JP")]))),
        (
            "I-STATE",
            good.with(|made| {
                made.subject = rdns(&[(6, 0x13, b"JP"), (8, 12, b"Tokyo"), (3, 12, b"DS")]);
            }),
        ),
        ("I-DS-WITHIN", good.with(|made| made.not_before = hours(first_day(), -1))),
        ("P-SERIAL", good.with(|made| made.serial = [0x95; 20])),
        (
            "I-AKI",
            good.other(35, true, &tlv(0x30, &[&tlv(0x80, &[&OLD.public().key_identifier()])])),
        ),
    ]
}

/// A key on brainpoolP256r1: its base point (RFC 5639 3.4).
pub(crate) fn brainpool() -> Vec<u8> {
    let point = "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262\
                 547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997";
    let curve = [6, 9, 0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7];
    let algorithm = tlv(0x30, &[&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], &curve]);
    tlv(0x30, &[&algorithm, &tlv(3, &[&[0, 4], &ceremony::hex::decode(point).unwrap()])])
}

/// A Name of one attribute in each RDN: the last octet of its kind, its tag, its value.
pub(crate) fn rdns(attributes: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let rdn = |(kind, tag, value): &(u8, u8, &[u8])| {
        let pair = tlv(0x30, &[&[6, 3, 0x55, 4, *kind], &tlv(*tag, &[value])]);
        tlv(0x31, &[&pair])
    };
    tlv(0x30, &[&attributes.iter().map(rdn).collect::<Vec<_>>().concat()])
}

/// An RSA key of 64 bits: of the right form for RSA.
fn rsa_key() -> Vec<u8> {
    let algorithm = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let numbers = tlv(0x30, &[&tlv(2, &[&[0x51; 8]]), &[2, 3, 1, 0, 1]]);
    tlv(0x30, &[&algorithm, &tlv(3, &[&[0], &numbers])])
}

/// The signer is good, what stands around it is not.
pub(crate) fn around(good: &Offered) -> Vec<(&'static str, Offered)> {
    let crl_of = |key, day: i64, revoked: &[[u8; 20]]| crl(key, hours(first_day(), day), revoked);
    let with = |crls: Vec<Vec<u8>>| Offered { crls, ..good.clone() };
    let mut cut = crl_of(OLD, 0, &[]);
    cut.pop();
    let mut twice = root(OLD);
    twice.push(0);
    let rooted = |roots| Offered { roots, ..good.clone() };
    vec![
        ("P-PATH-CRL", with(vec![])),
        ("P-CRL-TIME", with(vec![crl_of(OLD, -72, &[])])),
        ("P-CRL-TIME", with(vec![crl_of(OLD, 24, &[])])),
        ("P-PATH-CRL", with(vec![crl_of(NEW, 0, &[])])),
        ("P-DER", with(vec![cut])),
        ("P-REVOKED", with(vec![crl_of(OLD, 0, &[SIGNER])])),
        ("P-REVOKED", with(vec![crl_of(OLD, 0, &[]), crl_of(OLD, 1, &[SIGNER])])),
        ("P-CRL-ONCE", with(vec![crl_of(OLD, 0, &[[9; 20], [9; 20]])])),
        ("P-DER", rooted(vec![twice])),
        ("P-PATH-KEY", rooted(vec![root(STRANGER)])),
        ("P-PATH-ALGORITHM", rooted(vec![link(OLD, OLD).with(|made| made.key = brainpool())])),
        // A trusted root must be one: a Document Signer signs nothing.
        ("I-ROOT-BASIC-CONSTRAINTS", rooted(vec![link(OLD, OLD).with(|made| made.drop(19))])),
    ]
}

/// Bent CRLs: none of them can be used.
pub(crate) fn crls(good: &MadeCrl, noon: Instant) -> Vec<Bent> {
    let other = signer(OLD, first_day()).subject;
    let more = |kind, critical, value: &[u8]| {
        good.with(|crl| crl.extensions.push(extension(kind, critical, value)))
    };
    let with_entry = |extensions: &[Vec<u8>]| {
        let entry = entry([9; 20], first_day(), extensions);
        good.with(|crl| crl.entries.push(entry))
    };
    let scope = [0x30, 3, 0x81, 1, 0xff];
    let mut cases = vec![
        ("P-PATH-ISSUER", good.with(|crl| crl.issuer = other)),
        ("I-CRL-NEXT-UPDATE", good.with(|crl| crl.updates.1 = None)),
        ("P-PATH-KEY", good.with(|crl| drop(crl.extensions.remove(0)))),
        ("I-CRL-EXT", good.with(|crl| drop(crl.extensions.remove(1)))),
        ("P-CRL-DATES", good.with(|crl| crl.entries.push(entry([9; 20], noon, &[])))),
        // Partial (issuingDistributionPoint), a difference to another (deltaCRLIndicator),
        // unknown.
        ("R-VERIFIER", more(28, true, &scope)),
        ("I-CRL-EXT", more(28, false, &scope)),
        ("R-VERIFIER", more(27, true, &[2, 1, 1])),
        ("R-VERIFIER", more(99, true, &[5, 0])),
        ("I-CRL-EXT", more(99, false, &[5, 0])),
        // An entry of another issuer (certificateIssuer), and one that nobody knows.
        ("R-VERIFIER", with_entry(&[extension(29, true, &[0x30, 0])])),
        ("R-VERIFIER", with_entry(&[extension(99, true, &[5, 0])])),
        ("P-DER", with_entry(&[extension(21, false, &[10, 1, 11])])),
        ("P-CRL-NUMBER", {
            let long = tlv(2, &[&[1; 21]]);
            good.with(|crl| crl.extensions[1] = extension(20, false, &long))
        }),
        ("P-CRL-KEY", {
            let value = tlv(0x30, &[&tlv(0xa1, &[&tlv(0x82, &[b"a"])]), &tlv(0x82, &[&[5]])]);
            good.with(|crl| crl.extensions[0] = extension(35, false, &value))
        }),
    ];
    // Right in everything, but signed by another key than it says.
    let identifier = tlv(0x80, &[&STRANGER.public().key_identifier()]);
    let of_stranger = extension(35, false, &tlv(0x30, &[&identifier]));
    cases.push(("P-PATH-KEY", good.with(|crl| crl.extensions[0] = of_stranger)));
    cases
}
