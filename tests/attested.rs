//! Attestations of an image: builders sign with their cards what they got from which recipe, and
//! `image verify` counts them. The image, its recipe and its repository are made up, and small.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::process::Command;

use ceremony::name::Name;
use ceremony::roster::Roster;
use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::Verifier as _;

use crate::cards::{make_card, make_card_on};
use crate::people::{card, with_cards};
use crate::support::{
    Drill, IN_WINDOW, LATER, PIN, SOFTHSM, copy, gishiki, gishiki_at, root, run, succeed, text,
};

/// Two derivations without inputs, by their names in the store.
const RECIPES: [(&str, &str); 2] = [
    (
        "rxs0iv9pjhi3kh3xvfy1ry79gzsrk1wz-iso.drv",
        r#"Derive([("out","/nix/store/38zpms80p5g5nmwwczidsb0k1z3hkby5-iso","","")],[],[],"x86_64-linux","/bin/first",[],[("builder","/bin/first"),("name","iso"),("out","/nix/store/38zpms80p5g5nmwwczidsb0k1z3hkby5-iso"),("system","x86_64-linux")])"#,
    ),
    (
        "kkz09bjxxlsn3sixsmhdawnsxihn7fj1-iso.drv",
        r#"Derive([("out","/nix/store/yz7yv579hsj7jga3zy1jqdmrcrfrv8z2-iso","","")],[],[],"x86_64-linux","/bin/second",[],[("builder","/bin/second"),("name","iso"),("out","/nix/store/yz7yv579hsj7jga3zy1jqdmrcrfrv8z2-iso"),("system","x86_64-linux")])"#,
    ),
];
/// The image.
const IMAGE: &str = "drills.mdoc-root.2026-04-genesis";
/// The type of an EFI system partition.
const SYSTEM: [u8; 16] =
    [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];

/// A program of UEFI with one section.
fn executable(section: &str, octets: &[u8]) -> Vec<u8> {
    let mut program = vec![0; 0x400];
    let mut put = |at: usize, part: &[u8]| program[at..at + part.len()].copy_from_slice(part);
    put(0, b"MZ");
    put(0x3c, &[0x80]);
    put(0x80, b"PE\0\0");
    put(0x86, &[1]);
    put(0x94, &[240]);
    put(0x98, &[0x0b, 0x02]);
    put(0x98 + 60, &0x400_u16.to_le_bytes());
    let entry = 0x98 + 240;
    put(entry, section.as_bytes());
    let length = u32::try_from(octets.len()).unwrap().to_le_bytes();
    put(entry + 8, &length);
    put(entry + 16, &length);
    put(entry + 20, &0x400_u32.to_le_bytes());
    [program, octets.to_vec()].concat()
}

/// An ISO of 34 kB with a unified kernel image, whose kernel has these octets.
fn iso(kernel: &[u8; 64]) -> Vec<u8> {
    let image = executable(".linux", &executable(".text", kernel));
    let mut volume = Cursor::new(vec![0; 64 * 512]);
    fatfs::format_volume(&mut volume, fatfs::FormatVolumeOptions::new()).unwrap();
    {
        let system = fatfs::FileSystem::new(&mut volume, fatfs::FsOptions::new()).unwrap();
        let folder = system.root_dir().create_dir("EFI").unwrap().create_dir("BOOT").unwrap();
        folder.create_file("BOOTX64.EFI").unwrap().write_all(&image).unwrap();
    }
    let mut iso = vec![0; 3 * 512];
    let mut put = |at: usize, part: &[u8]| iso[at..at + part.len()].copy_from_slice(part);
    put(512, b"EFI PART");
    put(584, &2_u64.to_le_bytes());
    put(592, &1_u32.to_le_bytes());
    put(596, &128_u32.to_le_bytes());
    put(1_024, &SYSTEM);
    put(1_056, &3_u64.to_le_bytes());
    put(1_064, &66_u64.to_le_bytes());
    [iso, volume.into_inner()].concat()
}

/// A repository with one image, a CA whose policy asks for two builders, and cards of two people.
struct Builds {
    drill: Drill,
}

impl Builds {
    fn new() -> Self {
        let drill = Drill::new();
        let builds = Self { drill };
        let debian =
            r#"{"arch":"amd64","groups":{},"inrelease":{},"lock":1,"packages":{},"suite":"none"}"#;
        for (name, text) in [
            ("repository/Cargo.toml", ""),
            ("repository/Cargo.lock", "package = []\n"),
            ("repository/crates/lib.rs", ""),
            ("repository/tests/copyist/main.rs", ""),
            ("repository/tests/faulty-module/lib.rs", ""),
            ("repository/nix/seed.uu", ""),
            ("repository/nix/live/init", ""),
            ("repository/nix/vendor.lock.json", "{}"),
            ("repository/nix/debian.lock.json", debian),
        ] {
            builds.write(name, text.as_bytes());
        }
        for (name, text) in RECIPES {
            builds.write(&format!("recipe/{name}"), text.as_bytes());
        }
        builds.pin(0, &[1; 64]);
        let read = |name: &str| fs::read(root().join("ceremony-plans/mdoc-root").join(name));
        let policy = String::from_utf8(read("policy.toml").unwrap()).unwrap();
        let policy = policy + "\n[image]\nsection = \"ours\"\nbuilders = 2\n";
        builds.write("ca/policy.toml", policy.as_bytes());
        let roster = read("roster.toml").unwrap();
        let keys = |id: &Name| match id.as_str() {
            "p01" => make_card(&builds.drill, id.as_str()),
            "p02" => make_card_on(&builds.drill, id.as_str(), "EC:secp384r1"),
            "p13" => {
                let known = Roster::parse(&roster).unwrap();
                known.person[id].credential.public_key.get_ref().clone()
            }
            _ => card(id),
        };
        builds.write("ca/roster.toml", with_cards(&roster, keys).as_bytes());
        builds
    }

    fn path(&self, name: &str) -> PathBuf {
        self.drill.path(name)
    }

    fn write(&self, name: &str, octets: &[u8]) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), octets).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// This recipe has the image, and this kernel is what it gives; both are pinned.
    fn pin(&self, recipe: usize, kernel: &[u8; 64]) {
        let (name, _) = RECIPES[recipe];
        let listed = format!("\"{IMAGE}\" = \"{name}\"\n");
        self.write("repository/golden/image/recipes.toml", listed.as_bytes());
        self.write("gishiki.iso", &iso(kernel));
        let mut pin = gishiki();
        pin.args(["image", "pin"]).arg(self.path("gishiki.iso")).args(["--derivation", name]);
        self.write(&format!("repository/golden/image/{IMAGE}.toml"), succeed(&mut pin).as_bytes());
    }

    /// The attestation of a person, in the repository.
    fn attestation(person: &str) -> String {
        format!("repository/golden/image/attested/mdoc-root/{IMAGE}/{person}.toml")
    }

    fn image(&self, what: &[&str], time: &str) -> (Option<i32>, String) {
        let mut command: Command = gishiki_at(time);
        self.drill.env(&mut command).current_dir(self.path("repository"));
        command.args(["--lang", "en", "image"]).args(what);
        command.arg(format!("golden/image/{IMAGE}.toml")).arg(self.path("gishiki.iso"));
        command.arg("--ca").arg(self.path("ca")).arg("--recipe").arg(self.path("recipe"));
        if what[0] == "attest" {
            command.args(["--module", SOFTHSM, "--pin-fd", "0"]);
            command.stdin(fs::File::open(self.path("pin")).unwrap());
        }
        let output = run(&mut command);
        (output.status.code(), text(&output))
    }

    fn attest(&self, person: &str) -> (Option<i32>, String) {
        self.image(&["attest", person], IN_WINDOW)
    }

    fn verify(&self) -> (Option<i32>, String) {
        self.image(&["verify"], LATER)
    }

    /// The signature is what docs/image.md says, put together here from the file's text alone.
    fn is_signed_as_documented(&self, person: &str) {
        let file: toml::Table = self.read(&Self::attestation(person)).parse().unwrap();
        let entry = |name: &str| file[name].as_str().unwrap().to_string();
        let payload = serde_json::json!({
            "at": file["at"].as_datetime().unwrap().to_string(), "ca": "mdoc-root",
            "derivation": entry("derivation"), "iso-sha256": entry("iso-sha256"), "person": person,
        });
        let (payload, kind) = (payload.to_string(), "application/vnd.gishiki.attestation.v1+json");
        let message = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
        let roster = Roster::parse(self.read("ca/roster.toml").as_bytes()).unwrap();
        let known = &roster.person[&person.parse::<Name>().unwrap()].credential;
        let key = VerifyingKey::from_sec1_bytes(known.public_key.get_ref().point()).unwrap();
        let raw: Vec<u8> = ceremony::hex::decode(&entry("signed")).unwrap();
        let signature = p256::ecdsa::Signature::from_slice(&raw).unwrap();
        key.verify(message.as_bytes(), &signature).unwrap();
    }

    /// Verification is refused by this rule, and says this.
    fn refused(&self, rule: &str, words: &str) {
        let (code, said) = self.verify();
        assert!(code == Some(5) && said.contains(rule) && said.contains(words), "{code:?} {said}");
    }
}

#[test]
fn an_image_has_the_builders_that_the_policy_asks() {
    let builds = Builds::new();
    let advice = "others build it on machines of their own, and run `gishiki image attest`";
    builds.refused("attestation: S-ATTESTED", &format!("found: 0: {advice}"));
    let (code, said) = builds.attest("p01");
    assert!(code == Some(0) && said.contains("attested: p01"), "{code:?} {said}");
    assert!(said.contains(&format!("I built the image {IMAGE}\n  the recipe  {}", RECIPES[0].0)));
    assert!(said.contains("attested by 1; the policy of mdoc-root asks for 2\n"), "{said}");
    assert!(!said.contains(PIN), "{said}");
    builds.refused("S-ATTESTED", &format!("found: 1: {advice}"));
    builds.is_signed_as_documented("p01");
    // Each attests again at any time; it counts once.
    for _ in 0..2 {
        assert_eq!(builds.attest("p02").0, Some(0));
    }
    let (code, said) = builds.verify();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("attested by 2; the policy of mdoc-root asks for 2\n"), "{said}");
    assert!(said.contains("  p01 FAKE Hajime Kanri (j-lis) 2026-04-01T10:30:0"), "{said}");
    assert!(said.contains("  p02 ") && said.contains("compared, and the same: "), "{said}");
    // A policy that says nothing of builders asks for none.
    let policy = builds.read("ca/policy.toml");
    let (without, _) = policy.split_once("\n[image]\n").unwrap();
    builds.write("ca/policy.toml", without.as_bytes());
    let (code, said) = builds.verify();
    assert!(code == Some(0) && said.contains("does not say how many must\n"), "{code:?} {said}");
}

#[test]
fn nothing_is_signed_that_was_not_built_or_by_nobody() {
    let builds = Builds::new();
    let refused = |person: &str, code: i32, rule: &str, words: &str| {
        let (found, said) = builds.attest(person);
        assert_eq!(found, Some(code), "{said}");
        assert!(said.contains(rule) && said.contains(words), "{person} {said}");
        assert!(!builds.path("repository/golden/image/attested").exists(), "{person}");
    };
    // No card in a reader; a key that everyone can compute; somebody of no roster.
    refused("p04", 3, "S-SIGNED", "no reader that has this card");
    refused("p13", 5, "S-REHEARSAL-KEY", "a card that p13 alone holds");
    refused("p99", 5, "S-ATTESTED", "asked: somebody in the roster of mdoc-root\n");
    // A wrong PIN.
    builds.write("pin", b"wrong-pin");
    refused("p01", 3, "S-SIGNED", "a wrong PIN");
    builds.write("pin", PIN.as_bytes());
    // An ISO that is not the pin's, and a recipe that is not the repository's.
    builds.write("gishiki.iso", &iso(&[2; 64]));
    refused("p01", 5, "S-BUILT", "iso-sha256");
    builds.pin(0, &[1; 64]);
    let other = format!("\"{IMAGE}\" = \"{}\"\n", RECIPES[1].0);
    builds.write("repository/golden/image/recipes.toml", other.as_bytes());
    refused("p01", 5, "S-RECIPE", "another recipe");
}

#[test]
fn an_attestation_is_of_one_person_recipe_iso_and_time() {
    let builds = Builds::new();
    for person in ["p01", "p02"] {
        assert_eq!(builds.attest(person).0, Some(0));
    }
    let [first, second] = ["p01", "p02"].map(Builds::attestation);
    let (own, other) = (builds.read(&first), builds.read(&second));
    assert_eq!(own.matches('\n').count(), 5, "{own}");
    let line = |name: &str| own.lines().find(|line| line.starts_with(name)).unwrap();
    let digit = |line: &str| match line.contains(" = \"0") {
        true => line.replacen(" = \"0", " = \"1", 1),
        false => format!("{} = \"0{}", &line[..10], &line[14 + 1..]),
    };
    let changed = |name: &str| own.replace(line(name), &digit(line(name)));
    let cut = &own[..own.len() - 40];
    let names = "a signature of this attestation by the key of p01 in the roster";
    let path = format!("{IMAGE}/p01.toml: ");
    for (text, rule, words) in [
        // That of another person, on another curve; of another time, with other octets, with
        // another signature.
        (other.as_str(), "S-SIGNED", "a raw r‖s signature for P-256: 96 octets"),
        (&own.replace("T10:30:", "T10:29:"), "S-SIGNED", names),
        (&changed("iso-sha256"), "S-SIGNED", names),
        (&changed("signed"), "S-SIGNED", &path),
        (&own.replace("T10:30:", "T10:31:"), "S-SIGNED", "delete the file, and let the person"),
        (cut, "S-FORM", "p01.toml"),
        (&format!("{own}by = \"p01\"\n"), "S-FORM", "by"),
        ("", "S-FORM", "p01.toml"),
    ] {
        assert_ne!(text, own);
        builds.write(&first, text.as_bytes());
        builds.refused(rule, words);
    }
    // Another recipe in it: it is named, and counts for nothing.
    let moved = own.replace(RECIPES[0].0, RECIPES[1].0);
    builds.write(&first, moved.as_bytes());
    builds.refused("S-ATTESTED", &format!("p01.toml: of another recipe, {}", RECIPES[1].0));
    builds.write(&first, own.as_bytes());
    // The same ISO by that recipe: whoever moves it there has no signature for it.
    builds.write(&second, other.replace(RECIPES[0].0, RECIPES[1].0).as_bytes());
    builds.write(&first, moved.as_bytes());
    builds.pin(1, &[1; 64]);
    builds.refused("S-SIGNED", names);
    builds.pin(0, &[1; 64]);
    builds.write(&second, other.as_bytes());
    builds.write(&first, own.as_bytes());
    // Under a name that the roster does not have, and beside something else.
    fs::rename(builds.path(&first), builds.path(&Builds::attestation("p99"))).unwrap();
    builds.refused("S-ATTESTED", "p99.toml: of nobody in the roster");
    fs::rename(builds.path(&Builds::attestation("p99")), builds.path(&first)).unwrap();
    let notes = first.replace("p01.toml", "notes.txt");
    builds.write(&notes, b"");
    builds.refused("S-FILE", "PERSON.toml and nothing else");
    fs::remove_file(builds.path(&notes)).unwrap();
    // Later than now.
    let (code, said) = builds.image(&["verify"], "2026-04-01 01:29:00");
    assert!(code == Some(5) && said.contains("an attestation by p01 by 2026-04-01T10:29:0"));
    // Of the people of another CA.
    let policy = builds.read("ca/policy.toml");
    let ca = policy.replace("id      = \"mdoc-root\"", "id      = \"other\"");
    assert_ne!(ca, policy);
    builds.write("ca/policy.toml", ca.as_bytes());
    let attested = builds.path("repository/golden/image/attested");
    copy(&attested.join("mdoc-root"), &attested.join("other"));
    builds.refused("S-SIGNED", names);
    fs::remove_dir_all(attested.join("other")).unwrap();
    builds.refused("S-ATTESTED", "found: 0: ");
    builds.write("ca/policy.toml", policy.as_bytes());
    assert_eq!(builds.verify().0, Some(0));
}

/// Two people of the roster have one key: one card is one builder.
#[test]
fn one_card_counts_once() {
    let builds = Builds::new();
    let roster = builds.read("ca/roster.toml");
    let known = Roster::parse(roster.as_bytes()).unwrap();
    let key = |id: &str| {
        known.person[&id.parse::<Name>().unwrap()].credential.public_key.get_ref().to_string()
    };
    builds.write("ca/roster.toml", roster.replace(&key("p04"), &key("p01")).as_bytes());
    for person in ["p01", "p04"] {
        assert_eq!(builds.attest(person).0, Some(0));
    }
    builds.refused("S-ATTESTED", "p04.toml: the same card as p01\n");
    assert_eq!(builds.attest("p02").0, Some(0));
    let (code, said) = builds.verify();
    assert!(code == Some(0) && said.contains("attested by 2;"), "{code:?} {said}");
}

#[test]
fn a_new_pin_is_attested_anew_and_one_recipe_gives_one_iso() {
    let builds = Builds::new();
    for person in ["p01", "p02"] {
        assert_eq!(builds.attest(person).0, Some(0));
    }
    // A changed recipe: what was attested is named, and is of the recipe before.
    builds.pin(1, &[2; 64]);
    let (code, said) = builds.verify();
    assert_eq!(code, Some(5), "{said}");
    let of = format!("of another recipe, {}\n", RECIPES[0].0);
    assert!(said.contains(&format!("p01.toml: {of}")), "{said}");
    assert!(said.contains(&format!("p02.toml: {of}")) && said.contains("found: 0: "), "{said}");
    let (code, said) = builds.attest("p01");
    assert!(code == Some(0) && said.contains("attested by 1;"), "{code:?} {said}");
    // A changed pin of a recipe that somebody built to another ISO.
    builds.pin(1, &[3; 64]);
    builds.refused("S-ATTESTED", "p01 built from the same recipe: the build is not reproducible");
    // In Japanese too.
    let mut verify = gishiki_at(LATER);
    verify.current_dir(builds.path("repository")).args(["--lang", "ja", "image", "verify"]);
    verify.arg(format!("golden/image/{IMAGE}.toml")).arg(builds.path("gishiki.iso"));
    verify.arg("--ca").arg(builds.path("ca")).arg("--recipe").arg(builds.path("recipe"));
    let said = text(&run(&mut verify));
    assert!(said.contains("ビルド結果の署名: S-ATTESTED"), "{said}");
    assert!(said.contains("同じレシピから p01 がビルドした ISO"), "{said}");
}
