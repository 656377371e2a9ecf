//! Bounds on untrusted input (`docs/bounds.md`): input at a bound is read, input over it is refused
//! with its place, the bound, what was found, and what to do.

use std::fs;
use std::path::Path;
use std::process::Command;

use ceremony::bounds::{self, Bound};

use crate::probe::probed;
use crate::support::{
    Drill, SOFTHSM, copy, faulty_module, genesis, genesis_golden, gishiki, run, text,
};

/// Refused with this code and rule, by this bound, with so many found.
fn over(command: &mut Command, code: i32, rule: &str, bound: Bound, found: u64) {
    let output = run(command);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(rule) && !said.contains("panicked"), "{rule}: {said}");
    assert!(said.contains(&bound.to_string()), "{bound}: {said}");
    let found = format!("{found} {}; ask who made it, see docs/bounds.md", bound.unit);
    assert!(said.contains(&found), "{found}: {said}");
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

/// A minimal length, as DER has it.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => [&[tag, short][..], content].concat(),
        _ => {
            let octets = content.len().to_be_bytes();
            let first = octets.iter().position(|octet| *octet != 0).unwrap();
            let octets = &octets[first..];
            let length = 0x80 | u8::try_from(octets.len()).unwrap();
            [&[tag, length][..], octets, content].concat()
        }
    }
}

/// The parts of a constructed value.
fn parts(mut content: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    while !content.is_empty() {
        let (head, length) = head(content);
        parts.push(content[..head + length].to_vec());
        content = &content[head + length..];
    }
    parts
}

fn head(octets: &[u8]) -> (usize, usize) {
    match octets[1] {
        short if short < 0x80 => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            let length = octets[2..2 + count].iter().fold(0, |n, o| n << 8 | usize::from(*o));
            (2 + count, length)
        }
    }
}

fn content(octets: &[u8]) -> &[u8] {
    &octets[head(octets).0..]
}

/// This root with so many extensions more.
fn with_extensions(root: &[u8], more: u32) -> Vec<u8> {
    let mut whole = parts(content(root));
    let mut tbs = parts(content(&whole[0]));
    let last = tbs.pop().unwrap();
    let mut extensions = parts(content(content(&last)));
    extensions.extend((0..more).map(|n| {
        let oid = [0x2a, 0x86, 0x48, 0x86, 0x01, u8::try_from(n).unwrap()];
        der(0x30, &[der(6, &oid), der(4, &[5, 0])].concat())
    }));
    tbs.push(der(0xa3, &der(0x30, &extensions.concat())));
    whole[0] = der(0x30, &tbs.concat());
    der(0x30, &whole.concat())
}

/// This CRL with so many entries.
fn with_entries(crl: &[u8], count: u32) -> Vec<u8> {
    let mut whole = parts(content(crl));
    let mut tbs = parts(content(&whole[0]));
    let entries = (0..count).flat_map(|n| {
        let serial = [&[0x40][..], &n.to_be_bytes()].concat();
        der(0x30, &[der(2, &serial), der(0x17, b"260401010000Z")].concat())
    });
    let at = tbs.len() - 1;
    tbs.insert(at, der(0x30, &entries.collect::<Vec<u8>>()));
    whole[0] = der(0x30, &tbs.concat());
    der(0x30, &whole.concat())
}

fn validate(root: &Path, crl: &Path, target: &Path) -> Command {
    let mut command = gishiki();
    command.args(["validate", "--rehearsal", "--at", "2026-04-02T00:00:00+09:00"]);
    command.arg("--root").arg(root).arg("--crl").arg(crl).arg(target);
    command
}

#[test]
fn certificates_and_crls_have_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let golden = genesis_golden();
    let (root, crl) = (golden.join("root-g1.der"), golden.join("crl-g1-2026-04-01.crl"));
    let path = folder.path().join("made.der");
    let made = |octets: &[u8]| {
        fs::write(&path, octets).unwrap();
        path.as_path()
    };
    let der_of_root = fs::read(&root).unwrap();
    let most = u32::try_from(bounds::EXTENSIONS.most).unwrap();
    let has = u32::try_from(
        parts(content(content(parts(content(&parts(content(&der_of_root))[0])).last().unwrap())))
            .len(),
    )
    .unwrap();
    // At the bound other rules speak: its signature does not hold.
    let at_most = with_extensions(&der_of_root, most - has);
    let said = text(&run(&mut validate(&root, &crl, made(&at_most))));
    assert!(said.contains("P-PATH-SIGNATURE") && !said.contains("P-DER"), "{said}");
    let more = with_extensions(&der_of_root, most - has + 1);
    let found = bounds::EXTENSIONS.most + 1;
    over(&mut validate(&root, &crl, made(&more)), 4, "P-DER", bounds::EXTENSIONS, found);
    let long = [der_of_root, vec![0; 1 << 16]].concat();
    let found = u64::try_from(long.len()).unwrap();
    over(&mut validate(&root, &crl, made(&long)), 4, "P-DER", bounds::CERTIFICATE, found);
    let der_of_crl = fs::read(&crl).unwrap();
    let many = with_entries(&der_of_crl, (1 << 20) + 1);
    let found = bounds::ENTRIES.most + 1;
    over(&mut validate(&root, made(&many), &root), 4, "P-DER", bounds::ENTRIES, found);
    let said = text(&run(&mut validate(&root, made(&with_entries(&der_of_crl, 20_000)), &root)));
    assert!(said.contains("20000 revoked") && !said.contains("P-DER"), "{said}");
    // A length that says more than there is.
    let said = text(&run(&mut validate(&root, made(&tlv(0x30, b"")[..2]), &root)));
    assert!(said.contains("P-DER"), "{said}");
    // All of them together.
    fs::File::create(&path).unwrap().set_len(bounds::SEALED_FILE.most).unwrap();
    let mut command = validate(&root, &crl, &root);
    for _ in 0..4 {
        command.arg("--crl").arg(&path);
    }
    let output = run(&mut command);
    assert!(output.status.code() == Some(5), "{}", text(&output));
    assert!(text(&output).contains(&bounds::OFFERED.to_string()), "{}", text(&output));
}

#[test]
fn folders_files_and_records_have_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str| {
        let out = folder.path().join(name);
        copy(&genesis_golden(), &out);
        out
    };
    let verify = |out: &Path| {
        let mut verify = gishiki();
        verify.arg("verify").arg(out).arg("--rehearsal");
        verify
    };
    let out = made("records");
    let lines = "1\n".repeat(bounds::RECORDS.length() + 1);
    fs::write(out.join("transcript.jsonl"), lines).unwrap();
    let found = bounds::RECORDS.most + 1;
    over(&mut verify(&out), 4, "S-RECORD", bounds::RECORDS, found);
    let out = made("record");
    fs::write(out.join("transcript.jsonl"), " ".repeat(bounds::RECORD.length() + 1) + "\n")
        .unwrap();
    over(&mut verify(&out), 4, "S-RECORD", bounds::RECORD, bounds::RECORD.most + 1);
    let out = made("file");
    let sparse = |name: &str, size: u64| {
        fs::File::create(out.join(name)).unwrap().set_len(size).unwrap();
    };
    sparse("a.crl", bounds::SEALED_FILE.most + 1);
    let found = bounds::SEALED_FILE.most + 1;
    over(&mut verify(&out), 5, "S-FILE", bounds::SEALED_FILE, found);
    (0..5).for_each(|n| sparse(&format!("{}.crl", ["a", "b", "c", "d", "e"][n]), 1 << 26));
    let output = run(&mut verify(&out));
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    assert!(text(&output).contains(&bounds::SEALED_FOLDER.to_string()), "{}", text(&output));
    let out = made("files");
    (0..bounds::FILES.most).for_each(|n| fs::write(out.join(format!("x{n:05}")), "").unwrap());
    over(&mut verify(&out), 5, "S-FILE", bounds::FILES, bounds::FILES.most + 1);
    let ledger = folder.path().join("ledger");
    for n in 0..=bounds::LEDGER.most {
        fs::create_dir_all(ledger.join(format!("c{n:05}"))).unwrap();
    }
    let found = bounds::LEDGER.most + 1;
    over(gishiki().arg("state").arg(&ledger), 5, "S-LEDGER", bounds::LEDGER, found);
}

/// A module that says that it has more slots, or its token more mechanisms, than memory would hold.
#[test]
fn what_a_module_lists_has_bounds() {
    let drill = Drill::new();
    drill.write_room(&faulty_module());
    let before = drill.inventory();
    for (call, bound) in
        [("C_GetSlotList", bounds::SLOTS), ("C_GetMechanismList", bounds::MECHANISMS)]
    {
        let mut probe = drill.probe_command(Some(&genesis()));
        probe.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", format!("{call}#*:boasts"));
        let (said, code) = probed(probe);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(call) && said.contains(&bound.to_string()), "{said}");
        assert!(said.contains(&format!("found {} {}", 1_u64 << 40, bound.unit)), "{said}");
        assert_eq!(drill.inventory(), before, "{call}");
    }
}
