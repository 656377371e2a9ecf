//! What an image has for its token where `nix/hardware.toml` names it: a USB reader, a vendor's
//! driver and daemon, one cable to an HSM.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::machine::{Machine, PATIENCE, Plugged};
use crate::medium::Sticks;
use crate::recipe::copy_tracked;
use crate::support::{run, succeed, text};
use crate::{built, built_of, repository};

const DRILL: &str = "drills.mdoc-root.2026-04-genesis";
const OPENSC: &str = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so";
/// The layers that no image has unless it is named.
const LAYERS: [&str; 3] = ["-usb-layer", "-drivers-layer", "-link-layer"];

/// A copy of the repository, whose drill image has this hardware and these files of a vendor.
struct Named {
    folder: tempfile::TempDir,
    lock: serde_json::Map<String, serde_json::Value>,
}

impl Named {
    fn new(hardware: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_tracked(&folder.path().join("repository"));
        let named = Self { folder, lock: serde_json::Map::new() };
        fs::write(named.repository().join("nix/hardware.toml"), hardware).unwrap();
        named
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// Names a file of a vendor, and puts it into the store as `gishiki image seed` does.
    fn vendor(&mut self, place: &str, octets: &[u8], mut entry: serde_json::Value) {
        let name = Path::new(place).file_name().unwrap().to_str().unwrap();
        entry["name"] = name.into();
        entry["sha256"] = ::ceremony::hex::Digest::of(octets).to_string().into();
        self.lock.insert(place.to_string(), entry);
        let lock = serde_json::to_string_pretty(&self.lock).unwrap();
        fs::write(self.repository().join("nix/vendor.lock.json"), lock).unwrap();
        let file = self.folder.path().join(name);
        fs::write(&file, octets).unwrap();
        succeed(Command::new("nix-store").args(["--add-fixed", "sha256"]).arg(&file));
    }

    fn iso(&self) -> PathBuf {
        built_of(&self.repository(), DRILL).join("gishiki.iso")
    }

    /// What Nix says when it must not build the drill.
    fn refused(&self) -> String {
        let mut build = Command::new("nix-build");
        build.arg(self.repository()).args(["--no-out-link", "-A", DRILL]);
        let output = run(&mut build);
        assert!(!output.status.success(), "{}", text(&output));
        text(&output)
    }

    fn closure(&self) -> String {
        let mut instantiate = Command::new("nix-instantiate");
        let drv = succeed(instantiate.arg(self.repository()).args(["-A", DRILL]));
        succeed(Command::new("nix-store").args(["-qR", drv.trim()]))
    }
}

/// A driver of Debian's kernel that the base has not, as a vendor would give it: its place in the
/// image, and its octets.
fn driver() -> (String, Vec<u8>) {
    let modules = built("kernel.tree").join("usr/lib/modules");
    let release = fs::read_dir(&modules).unwrap().next().unwrap().unwrap().file_name();
    let release = release.to_str().unwrap();
    let file = modules.join(release).join("kernel/drivers/usb/class/cdc-acm.ko.xz");
    let packed = run(Command::new("xz").args(["--decompress", "--stdout"]).arg(file));
    assert!(packed.status.success(), "{}", text(&packed));
    (format!("usr/lib/modules/{release}/vendor/cdc-acm.ko"), packed.stdout)
}

/// A card reader with a card in it, as QEMU's arguments; the card's certificates lie in a folder.
fn reader(folder: &Path) -> Vec<String> {
    let base = format!("sql:{}", folder.display());
    fs::write(folder.join("noise"), [7; 64]).unwrap();
    let certutil = |arguments: &[&str]| {
        let mut certutil = Command::new("certutil");
        certutil.args(arguments).args(["-d", &base]).current_dir(folder);
        succeed(&mut certutil)
    };
    certutil(&["-N", "--empty-password"]);
    let names = ["identity", "signing", "encryption"];
    for (serial, name) in ["1", "2", "3"].into_iter().zip(names) {
        let subject = format!("CN=FAKE {name}");
        certutil(&[
            "-S", "-x", "-n", name, "-s", &subject, "-t", ",,", "-m", serial, "-z", "noise",
        ]);
    }
    let [one, two, three] = names;
    let card = format!(
        "ccid-card-emulated,backend=certificates,db={base},cert1={one},cert2={two},cert3={three}"
    );
    ["-device", "usb-ccid,id=reader", "-device", &card].map(String::from).to_vec()
}

#[test]
fn an_image_that_names_a_reader_a_driver_and_a_daemon_has_them() {
    let named = "[drills.mdoc-root.2026-04-genesis]\nusb = true\nvendor = true\n";
    let mut named = Named::new(named);
    let (place, octets) = driver();
    named.vendor(&place, &octets, serde_json::json!({ "is": "kernel-module" }));
    let arguments = ["--foreground", "--provider", "/usr/lib/vendor/libsofthsm2.so"];
    let arguments = [&arguments[..], &["--name", "/run/vendor", "pkcs11:"]].concat();
    let daemon = fs::read("/usr/libexec/p11-kit/p11-kit-server").unwrap();
    let entry = serde_json::json!({ "is": "daemon", "arguments": arguments });
    named.vendor("usr/lib/vendor/p11-kit-server", &daemon, entry);
    for library in ["libp11-kit.so.0", "libffi.so.8"] {
        let place = format!("usr/lib/x86_64-linux-gnu/{library}");
        let octets = fs::read(Path::new("/").join(&place)).unwrap();
        named.vendor(&place, &octets, serde_json::json!({}));
    }
    let iso = named.iso();
    println!("the ISO with usb and vendor: {} octets", fs::metadata(&iso).unwrap().len());

    let module = built_of(&named.repository(), "layers.usb").join(OPENSC.trim_start_matches('/'));
    let sticks = Sticks::with(&iso, OPENSC, &module, Some("no-such-card"));
    let certificates = tempfile::tempdir().unwrap();
    let media = vec![sticks.a.as_path(), &sticks.b, &sticks.token];
    let more = reader(certificates.path());
    let mut machine = Machine::boot(&Plugged { media, more, ..Plugged::of(&iso) });
    machine.reach_menu();
    for line in ["drivers: cdc-acm", "daemons: /usr/sbin/pcscd, /usr/lib/vendor/p11-kit-server"] {
        assert!(machine.log.contains(line), "{line}:\n{}", machine.log);
    }
    // The module asks pcscd, which asks the reader: what is not the token is told by its name.
    machine.send("1");
    let said = machine.expect("no returns: ");
    assert!(said.contains("S-TOKEN-SERIAL") && said.contains("Gemplus USB"), "{said}");
    // A reader that is pulled is gone, and one that is put back is found.
    for (command, there) in [("device_del reader", false), ("device_add usb-ccid,id=again", true)] {
        let answer = machine.monitor(command);
        assert!(!answer.contains("Error"), "{answer}");
        std::thread::sleep(Duration::from_secs(5));
        machine.send("");
        let said = machine.expect("no returns: ");
        assert_eq!(said.contains("Gemplus USB"), there, "{command}: {said}");
    }
    let log = machine.cut_power();
    println!("{}", log.lines().filter(|line| line.contains("Gemplus")).collect::<String>());
}

#[test]
fn an_image_that_is_not_named_has_none_of_it() {
    let plain = Named::new("");
    let closure = plain.closure();
    for layer in LAYERS {
        assert!(!closure.contains(layer), "{layer}");
    }
    for layer in ["layers.base", "layers.drill"] {
        for name in crate::support::files(&built(layer)).into_keys() {
            let name = name.to_lowercase();
            for part in ["pcsc", "ccid", "opensc", "libusb", "/nft", "nf_tables", "/net/"] {
                assert!(!name.contains(part), "{layer}: {name}");
            }
        }
    }
    // Of another ceremony it is named; this one has none.
    let other = "[drills.mdoc-root.2026-06-ds]\nusb = true\n";
    assert_eq!(Named::new(other).closure(), closure);
}

#[test]
fn hardware_that_is_misspelt_or_of_another_kernel_builds_no_image() {
    let image = "[drills.mdoc-root.2026-04-genesis";
    let link = "driver = \"e1000\"\nmac = \"02:00:00:00:00:01\"\nown = \"192.0.2.15\"\n\
                peer = \"192.0.2.1\"\npeer-mac = \"02:00:00:00:00:02\"\nport = 9000\n";
    for (hardware, said) in [
        ("[drills.mdoc-root.2026-04-genesys]\nusb = true\n".to_string(), "2026-04-genesys"),
        ("[drill.mdoc-root]\n".to_string(), "drill;"),
        (format!("{image}]\nusbs = true\n"), "usbs"),
        (format!("{image}]\nusb = \"yes\"\n"), "true or false"),
        (format!("{image}.link]\n{link}gateway = \"192.0.2.2\"\n"), "gateway"),
        (format!("{image}.link]\n{}", link.replace("192.0.2.1\"", "192.0.2.256\"")), "IPv4"),
        (format!("{image}.link]\n{}", link.replace("9000", "0")), "port"),
        (format!("{image}.link]\n{}", link.replace("\"e1000\"", "\"iwlwifi\"")), "no image may"),
    ] {
        let found = Named::new(&hardware).refused();
        assert!(found.contains(said), "{hardware}: {found}");
    }
    let mut named = Named::new(&format!("{image}]\nvendor = true\n"));
    let (place, mut octets) = driver();
    let release = place.split('/').nth(3).unwrap().to_string();
    let made = format!("vermagic={release}");
    let at = octets.windows(made.len()).position(|part| part == made.as_bytes()).unwrap();
    octets[at + made.len() - 1] ^= 1;
    named.vendor(&place, &octets, serde_json::json!({ "is": "kernel-module" }));
    let found = named.refused();
    assert!(found.contains(&format!("the image has {release}")), "{found}");
    let elsewhere = "usr/lib/modules/6.1.0/vendor/cdc-acm.ko";
    named.lock.clear();
    named.vendor(elsewhere, &octets, serde_json::json!({ "is": "kernel-module" }));
    assert!(named.refused().contains("a kernel module lies below"), "{elsewhere}");
    assert!(repository().join("nix/hardware.toml").exists());
}

/// Tries what a link must not let through, then says over the link what it got; for ever, as
/// daemons do.
const PROBER: &str = "#!/bin/sh
b=/usr/bin/busybox
for to in '192.0.2.1 9001' '192.0.2.2 53' '192.0.2.2 80' '198.51.100.7 443' '127.0.0.1 22'; do
  $b nc -w 2 $to < /dev/null > /dev/null 2>&1 && reached=\"$reached [$to]\"
done
for to in 192.0.2.1 192.0.2.2 192.0.2.255 198.51.100.7; do
  $b ping -c 1 -W 1 $to > /dev/null 2>&1 && reached=\"$reached [ping $to]\"
done
$b nslookup example.org 192.0.2.2 > /dev/null 2>&1 && reached=\"$reached [a name]\"
echo \"reached:$reached.\" | $b nc -w 5 192.0.2.1 9000
while :; do $b sleep 60; done
";

/// The Ethernet frames of a capture.
fn frames(capture: &Path) -> Vec<Vec<u8>> {
    let octets = fs::read(capture).unwrap();
    let (mut rest, mut frames) = (&octets[24..], Vec::new());
    while let Some((head, after)) = rest.split_at_checked(16) {
        let length = u32::from_ne_bytes(head[8..12].try_into().unwrap());
        let (frame, after) = after.split_at(usize::try_from(length).unwrap());
        frames.push(frame.to_vec());
        rest = after;
    }
    frames
}

#[test]
fn a_linked_image_reaches_its_one_peer_and_nothing_else() {
    const OWN: [u8; 6] = [0x52, 0x54, 0, 0, 0, 7];
    let hardware = "[drills.mdoc-root.2026-04-genesis]\nvendor = true\n\
                    [drills.mdoc-root.2026-04-genesis.link]\ndriver = \"e1000\"\n\
                    mac = \"52:54:00:00:00:07\"\nown = \"192.0.2.15\"\npeer = \"192.0.2.1\"\n\
                    peer-mac = \"52:55:c0:00:02:01\"\nport = 9000\n";
    let mut named = Named::new(hardware);
    let entry = serde_json::json!({ "is": "daemon" });
    named.vendor("usr/lib/vendor/prober", PROBER.as_bytes(), entry);
    let iso = named.iso();

    let [peer, other] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("frames");
    // The peer, and another service of the same machine.
    let net = format!(
        "user,id=n,restrict=on,net=192.0.2.0/24,host=192.0.2.2,dns=192.0.2.3,\
         guestfwd=tcp:192.0.2.1:9000-tcp:127.0.0.1:{},guestfwd=tcp:192.0.2.1:9001-tcp:127.0.0.1:{}",
        port(&peer),
        port(&other)
    );
    let dump = format!("filter-dump,id=dump,netdev=n,file={}", capture.display());
    let card = "e1000,netdev=n,mac=52:54:00:00:00:07";
    let more = ["-netdev", &net, "-device", card, "-object", &dump].map(String::from).to_vec();
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        let mut line = Vec::new();
        let mut octet = [0];
        let mut from = peer.accept().unwrap().0;
        while from.read(&mut octet).unwrap() == 1 && octet != *b"\n" {
            line.extend(octet);
        }
        sender.send(String::from_utf8(line).unwrap()).unwrap();
        from
    });
    let mut machine = Machine::boot(&Plugged { more, ..Plugged::of(&iso) });
    machine.expect("English ? ");
    machine.send("2");
    // This CA's policy permits no link, in a drill neither: that is said before the clock is asked.
    let said = machine.expect("Enter switches the machine off: ");
    assert!(said.contains("R-AIRGAP"), "{said}");
    let shown = "network: one link to an HSM, and nothing else: 192.0.2.15 (52:54:00:00:00:07) → \
                 192.0.2.1:9000 (52:55:c0:00:02:01)";
    assert!(said.contains(shown) && !said.contains("\nno network"), "{said}");
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "reached:.");
    machine.cut_power();

    // What left the machine, and what was answered to it.
    let frames = frames(&capture);
    let sent: Vec<&Vec<u8>> = frames.iter().filter(|frame| frame[6..12] == OWN).collect();
    println!("{} frames, {} of them sent", frames.len(), sent.len());
    assert!(sent.len() > 3, "{sent:?}");
    for frame in sent {
        match frame[12..14] {
            // Who has this address? I have.
            [8, 6] => assert_eq!((frame[21], &frame[28..32]), (2, &[192, 0, 2, 15][..])),
            [8, 0] => {
                let (protocol, from, to) = (frame[23], &frame[26..30], &frame[30..34]);
                assert_eq!((protocol, from, to), (6, &[192, 0, 2, 15][..], &[192, 0, 2, 1][..]));
                assert_eq!(frame[36..38], 9000_u16.to_be_bytes(), "{frame:?}");
            }
            _ => panic!("{frame:?}"),
        }
    }
}
