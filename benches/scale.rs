//! Large ceremonies, large lists, long ledgers: the second half of `docs/performance.md`.
//!
//! `cargo bench --bench scale` prints all of it; `-- ds`, `-- crl` or `-- ledger` a part, and
//! `--small` a few of each. It needs softhsm2, faketime and openssl, and some gigabytes in the
//! folder for temporary files.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement stops where it fails, and prints"
)]

mod scale_crl;
mod softhsm;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64ct::{Base64, Encoding as _};
use ceremony::hex::Digest;
use ceremony::time::{Day, Instant};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use softhsm::{GISHIKI, Place, parts, sized, timed, unavoidable};

/// Document Signer certificates in one ceremony.
fn signers() -> usize {
    sized(10_000, 100)
}
/// Its CRLs.
const CRLS: usize = 104;
/// Signatures that a sheet holds.
const SHEET: usize = 64;
/// Ceremonies of the long ledger; with the proofs of possession, each has about 100 signatures.
fn ceremonies() -> usize {
    sized(CEREMONIES, 10)
}
/// The most that a key of five years has room for here.
const CEREMONIES: usize = 1_000;
/// Document Signer certificates in each.
const SIGNERS_EACH: usize = 42;

fn main() {
    let arguments = parts();
    if let [child, count] = arguments.as_slice()
        && child == scale_crl::CHILD
    {
        return scale_crl::child(count.parse().unwrap());
    }
    let asked = |part: &str| arguments.is_empty() || arguments.iter().any(|a| a == part);
    if asked("ds") {
        many_signers();
    }
    if asked("crl") {
        scale_crl::measure();
    }
    if asked("ledger") {
        long_ledger();
    }
}

/// The sample CA's folder, where generated plans take the place of its own.
struct Ca {
    folder: PathBuf,
    /// A request of the sample, whose key and signature are replaced.
    request: Vec<u8>,
}

impl Ca {
    fn new(folder: PathBuf) -> Self {
        let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("ceremony-plans/mdoc-root");
        fs::create_dir_all(&folder).unwrap();
        for document in ["cps.toml", "cps.ja.txt", "policy.toml", "roster.toml"] {
            fs::copy(sample.join(document), folder.join(document)).unwrap();
        }
        let genesis = folder.join("2026-04-genesis");
        fs::create_dir(&genesis).unwrap();
        fs::copy(sample.join("2026-04-genesis/plan.toml"), genesis.join("plan.toml")).unwrap();
        let pem = fs::read_to_string(sample.join("2026-06-ds/ds-0001.csr")).unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        Self { folder, request: Base64::decode_vec(&base64).unwrap() }
    }

    /// A request for a new key, in PEM.
    fn request(&self, number: usize) -> String {
        let seed = Digest::of(format!("bench key {number}").as_bytes());
        let key = SigningKey::from_slice(&seed.0).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        let info = children(&self.request)[0];
        let at = info.windows(4).position(|octets| octets == [3, 0x42, 0, 4]).unwrap() + 3;
        let mut info = info.to_vec();
        info[at..at + 65].copy_from_slice(point.as_bytes());
        let signature: Signature =
            key.sign_prehash(&ceremony::key::Curve::P256.digest(&info)).unwrap();
        let signature = [&[0], signature.to_der().as_bytes()].concat();
        let parts = [info, children(&self.request)[1].to_vec(), tlv(3, &signature)];
        let base64 = Base64::encode_string(&tlv(0x30, &parts.concat()));
        let lines: Vec<&str> =
            base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
        format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            lines.join("\n")
        )
    }

    /// Plans a ceremony that issues these certificates.
    fn plan(&self, ceremony: &Issuing) -> PathBuf {
        let folder = self.folder.join(&ceremony.name);
        fs::create_dir(&folder).unwrap();
        let day = &ceremony.day;
        let before = |days: i64| day.plus_days(-days).unwrap();
        let mut plan = format!(
            "format = 1\nceremony = \"{}\"\nafter = \"{}\"\nsequence = {}\n\
             window = {{ from = {day}T10:00:00+09:00, until = {day}T17:00:00+09:00 }}\nserials = \"{}\"\n\
             participants = [\"p01\", \"p02\", \"p03\", \"p04\", \"p05\", \"p07\", \"p09\", \"p10\", \"p12\", \"p13\"]\n\
             crls = {{ next-ceremony = {} }}\n[application.all]\nkind = \"issue\"\npaper = \"{}\"\n\
             by = [\"p03\", \"p04\", \"p05\"]\nreceived = {}T10:00:00+09:00\n\
             examined = {{ by = \"p07\", at = {}T10:00:00+09:00 }}\n\
             approved = {{ by = \"p07\", at = {}T10:00:00+09:00 }}\n",
            ceremony.name,
            ceremony.after,
            ceremony.sequence,
            Digest::of(ceremony.name.as_bytes()),
            ceremony.next,
            Digest::of(format!("paper of {}", ceremony.name).as_bytes()),
            before(15),
            before(12),
            before(8)
        );
        for number in ceremony.signers.clone() {
            let request = self.request(number);
            let digest = Digest::of(request.as_bytes());
            let _ = write!(
                plan,
                "[certificate.ds-{number:05}]\nprofile = \"ds\"\nissuer = \"g1\"\n\
                 not-before = {day}T00:00:00+09:00\ncsr = \"ds-{number:05}.csr\"\n\
                 csr-sha256 = \"{digest}\"\napplication = \"all\"\n"
            );
            fs::write(folder.join(format!("ds-{number:05}.csr")), request).unwrap();
        }
        fs::write(folder.join("plan.toml"), plan).unwrap();
        folder
    }
}

/// A ceremony that issues.
struct Issuing {
    name: String,
    after: String,
    sequence: usize,
    day: Day,
    next: Day,
    signers: std::ops::Range<usize>,
}

/// The parts of a SEQUENCE, each whole.
fn children(der: &[u8]) -> Vec<&[u8]> {
    let mut rest = &der[header(der)..];
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (part, after) = rest.split_at(header(rest) + length(rest));
        parts.push(part);
        rest = after;
    }
    parts
}

fn header(der: &[u8]) -> usize {
    if der[1] < 0x80 { 2 } else { 2 + usize::from(der[1] & 0x7f) }
}

fn length(der: &[u8]) -> usize {
    if der[1] < 0x80 {
        return usize::from(der[1]);
    }
    der[2..header(der)].iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet))
}

fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let count = value.len();
    let header = match u8::try_from(count) {
        Ok(short) if short < 0x80 => vec![tag, short],
        Ok(long) => vec![tag, 0x81, long],
        Err(_) => {
            vec![tag, 0x82, u8::try_from(count >> 8).unwrap(), (count & 0xff).try_into().unwrap()]
        }
    };
    [header, value.to_vec()].concat()
}

fn day(text: &str) -> Day {
    format!("{text}T00:00:00+09:00").parse::<Instant>().unwrap().day()
}

/// 10,000 certificates and 104 CRLs in one ceremony on SoftHSM2.
fn many_signers() {
    let signers = signers();
    let folder = tempfile::tempdir().unwrap();
    let ca = Ca::new(folder.path().join("ca"));
    let place = Place::new(&folder.path().join("room"));
    place.drill(&ca.folder.join("2026-04-genesis"), "2026-04-01 01:30:00");
    let plan = ca.plan(&Issuing {
        name: "2026-06-ds".into(),
        after: "2026-04-genesis".into(),
        sequence: 2,
        day: day("2026-06-30"),
        next: day("2026-09-28"),
        signers: 1..signers + 1,
    });
    let run = place.drill(&plan, "2026-06-30 01:30:00");
    let sheets = signers.div_ceil(SHEET) + CRLS.div_ceil(SHEET);
    let bare = unavoidable(&place, signers + CRLS, sheets);
    println!(
        "{signers} certificates and {CRLS} CRLs on SoftHSM2: {run:.1?}; bare: signing {:.1?}, verifying {:.1?}, \
         syncing {:.1?}, opening the token and making two keys {:.1?}",
        bare.signing, bare.verifying, bare.syncing, bare.fixed
    );
    println!(
        "  {:.2} × (signing + one verification each by p384 + one synced intent and result a sheet) (asked: at most 1.10); \
         {:.2} × raw signing alone (asked: at most 1.45)",
        run.as_secs_f64() / bare.least().as_secs_f64(),
        run.as_secs_f64() / bare.signing.as_secs_f64()
    );
}

/// A ledger of 1,000 ceremonies, judged whole, and a third and a tenth of it.
fn long_ledger() {
    let ceremonies = ceremonies();
    let folder = tempfile::tempdir().unwrap();
    let ca = Ca::new(folder.path().join("ca"));
    let genesis = ca.folder.join("2026-04-genesis/plan.toml");
    let first = day("2026-04-02");
    // The key signs certificates for five years less a day.
    let on = |number: usize| {
        let days = number * 1_820 / CEREMONIES;
        first.plus_days(i64::try_from(days).unwrap()).unwrap()
    };
    let name = |number: usize| match number {
        0 => "2026-04-genesis".to_string(),
        _ => format!("issuing-{number:04}"),
    };
    let text = fs::read_to_string(&genesis).unwrap();
    let at = text.find("next-ceremony = ").unwrap() + "next-ceremony = ".len();
    fs::write(&genesis, format!("{}{}{}", &text[..at], on(1), &text[at + 10..])).unwrap();
    for number in 1..ceremonies {
        ca.plan(&Issuing {
            name: name(number),
            after: name(number - 1),
            sequence: number + 1,
            day: on(number),
            next: on(number + 1),
            signers: number * SIGNERS_EACH..(number + 1) * SIGNERS_EACH,
        });
    }
    let ledger = folder.path().join("ledger");
    let made =
        timed(Command::new(GISHIKI).arg("rehearse").arg(&ca.folder).arg("--out").arg(&ledger));
    println!("{ceremonies} ceremonies rehearsed: {made:.1?}");
    let mut kept = ceremonies;
    let mut each = Vec::new();
    for count in [ceremonies, ceremonies / 3, ceremonies / 10] {
        (count..kept).for_each(|gone| fs::remove_dir_all(ledger.join(name(gone))).unwrap());
        kept = count;
        let mut verify = Command::new(GISHIKI);
        let taken = timed(verify.arg("verify").arg(&ledger).arg("--rehearsal"));
        let said =
            String::from_utf8(verify.stdout(std::process::Stdio::piped()).output().unwrap().stdout);
        let signatures = said.unwrap().lines().rev().find_map(|line| {
            let count = line.split(": ").nth(1)?.split(' ').next()?;
            count.parse::<u64>().ok()
        });
        let one = taken / u32::try_from(count).unwrap();
        each.push(one);
        println!(
            "ledger of {count} ceremonies, {} signatures: folded and verified in {taken:.1?}, {one:.2?} a ceremony \
             (asked: 1,000 ceremonies under 25 s on 2 cores)",
            signatures.unwrap()
        );
    }
    let ratio = each[0].as_secs_f64() / each[1].as_secs_f64();
    println!(
        "  a ceremony of the whole ledger to one of a third of it: {ratio:.2} × (asked: at most 1.5)"
    );
    // In little, what a process needs to begin is most of it.
    assert!(ceremonies < CEREMONIES || ratio <= 1.5, "the ledger does not grow linearly");
}
