//! Checks what the image has for its token besides the PKCS #11 module: drivers, daemons, and at
//! most one network link to an HSM.
//!
//! Everything that the image names was reviewed with it, and the system must have exactly that.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ceremony::language::Bilingual;
use ceremony::policy::Policy;
use ceremony::rule::RuleId;
use ceremony::says;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::media;
use crate::files::said;
use crate::halt::Halt;
use crate::lang::{Lang, pick};

/// The hardware that the image names, after it was checked.
#[derive(Debug)]
pub(super) struct Hardware {
    drivers: Vec<String>,
    daemons: Vec<String>,
    pub(super) link: Option<Link>,
}

/// The only network link: `etc/gishiki/link`, which init reads too.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    mac: String,
    own: String,
    peer: String,
    peer_mac: String,
    port: String,
}

/// The name that init gives to the link's network card.
const CARD: &str = "hsm";
/// The number of times, [`WAIT`] apart, that a daemon is waited for.
const TRIES: u32 = 30;
const WAIT: Duration = Duration::from_millis(200);

impl Hardware {
    /// Checks the system below `root`.
    pub(super) fn judge(root: &Path) -> Result<Self, Halt> {
        let drivers = lines(root, "etc/gishiki/drivers")?;
        let loaded = lines(root, "proc/modules")?;
        for driver in &drivers {
            let name = driver.replace('-', "_");
            if !loaded.iter().any(|line| line.split(' ').next() == Some(&name)) {
                let asked = says!("読み込まれたドライバー {driver}", "the driver {driver}, loaded");
                let found = says!("カーネルが読み込んでいない", "the kernel has not taken it");
                return Err(Halt::media(RuleId::S_DRIVER, asked, found));
            }
        }
        let daemons: Vec<String> = lines(root, "etc/gishiki/daemons")?
            .iter()
            .filter_map(|line| line.split(' ').next().map(str::to_string))
            .collect();
        let link = match optional(root, "etc/gishiki/link")? {
            None => None,
            Some(text) => Some(Link::judge(root, &text)?),
        };
        let hardware = Self { drivers, daemons, link };
        hardware.wait_for_daemons(root)?;
        Ok(hardware)
    }

    /// Returns the network interface that may exist besides `lo`; empty if there is no link.
    pub(super) fn interfaces(root: &Path) -> Result<&'static str, Halt> {
        Ok(optional(root, "etc/gishiki/link")?.map_or("", |_| CARD))
    }

    /// Ends every daemon, which init then starts again.
    ///
    /// A daemon for a reader or token finds new devices only when it starts.
    pub(super) fn renew(&self) -> Result<(), Halt> {
        let root = Path::new("/");
        let before: Vec<Pid> =
            self.daemons.iter().flat_map(|daemon| processes(root, daemon)).collect();
        for pid in &before {
            let _ = kill_process(*pid, Signal::TERM);
        }
        for _ in 0..TRIES {
            let left = self.daemons.iter().flat_map(|daemon| processes(root, daemon));
            if !left.into_iter().any(|pid| before.contains(&pid)) {
                break;
            }
            std::thread::sleep(WAIT);
        }
        self.wait_for_daemons(root)
    }

    fn wait_for_daemons(&self, root: &Path) -> Result<(), Halt> {
        for daemon in &self.daemons {
            let mut tries = 0;
            while processes(root, daemon).is_empty() {
                tries += 1;
                if tries > TRIES {
                    let asked =
                        says!("動いている常駐プログラム {daemon}", "the daemon {daemon}, running");
                    let found =
                        says!("動いていないか、すぐに終わる", "it does not run, or ends at once");
                    return Err(Halt::media(RuleId::S_DAEMON, asked, found));
                }
                std::thread::sleep(WAIT);
            }
        }
        Ok(())
    }

    /// Refuses a link if the policy of this ceremony has no `[network]`.
    pub(super) fn permitted(&self, policy: &Policy) -> Result<(), Halt> {
        match (&self.link, &policy.network) {
            (None, _) | (Some(_), Some(_)) => Ok(()),
            (Some(link), None) => {
                let Link { peer, port, .. } = link;
                let found = says!(
                    "{peer}:{port} への接続があるイメージ",
                    "an image with a link to {peer}:{port}"
                );
                let asked = says!(
                    "ネットワークなし(ポリシーに [network] がない)",
                    "no network at all: the policy has no [network]"
                );
                Err(Halt::media(RuleId::R_AIRGAP, asked, found))
            }
        }
    }

    /// Returns the lines that show the hardware to people.
    pub(super) fn shown(&self, lang: Lang) -> Vec<String> {
        let mut shown = Vec::new();
        for (what, names) in [
            (pick(lang, "ドライバー", "drivers"), &self.drivers),
            (pick(lang, "常駐プログラム", "daemons"), &self.daemons),
        ] {
            if !names.is_empty() {
                shown.push(format!("{what}: {}", names.join(", ")));
            }
        }
        if let Some(Link { mac, own, peer, peer_mac, port }) = &self.link {
            shown.push(format!(
                "{} {own} ({mac}) → {peer}:{port} ({peer_mac})",
                match lang {
                    Lang::Ja => "ネットワーク: HSM への接続 1 本のみ",
                    Lang::En => "network: one link to an HSM, and nothing else:",
                }
            ));
        }
        shown
    }
}

impl Link {
    /// Checks that the link is exactly this one: its card, address, route, neighbour and packet
    /// filter.
    fn judge(root: &Path, text: &str) -> Result<Self, Halt> {
        let wrong = |asked: Bilingual, found: String| {
            Err(Halt::media(RuleId::S_LINK, asked, Bilingual::plain(found)))
        };
        let link: Self = match toml::from_str(text) {
            Ok(link) => link,
            Err(error) => {
                return wrong(Bilingual::plain("etc/gishiki/link"), error.to_string());
            }
        };
        let card = format!("sys/class/net/{CARD}/address");
        let of = |path: &str| Ok::<_, Halt>(optional(root, path)?.unwrap_or_default());
        let table = |text: String| {
            let rows = text.lines().skip(1);
            rows.map(|row| row.split_whitespace().map(str::to_string).collect()).collect()
        };
        let routes: Vec<Vec<String>> = table(of("proc/net/route")?);
        let neighbours: Vec<Vec<String>> = table(of("proc/net/arp")?);
        let column = |row: &[String], at: &[usize]| -> String {
            let fields: Vec<&str> =
                at.iter().map(|at| row.get(*at).map_or("", String::as_str)).collect();
            fields.join(" ")
        };
        let of_rows = |rows: &[Vec<String>], at: &[usize]| {
            rows.iter().map(|row| column(row, at)).collect::<Vec<_>>().join("; ")
        };
        let peer = in_route(&link.peer);
        for (what, asked, found) in [
            (says!("カード", "the card"), link.mac.clone(), of(&card)?.trim().to_string()),
            (
                says!("アドレス", "its addresses"),
                link.own.clone(),
                addresses(&of("proc/net/fib_trie")?).join(" "),
            ),
            // The columns are interface, destination, gateway and mask.
            (
                says!("経路", "the routes"),
                format!("{CARD} {peer} 00000000 FFFFFFFF"),
                of_rows(&routes, &[0, 1, 2, 7]),
            ),
            // The columns are address, flags (complete and permanent), hardware address and
            // interface.
            (
                says!("隣接の表", "the neighbours"),
                format!("{} 0x6 {} {CARD}", link.peer, link.peer_mac),
                of_rows(&neighbours, &[0, 2, 3, 5]),
            ),
            (
                says!("転送", "forwarding"),
                "0".to_string(),
                of("proc/sys/net/ipv4/ip_forward")?.trim().to_string(),
            ),
            (says!("フィルター", "the filter"), of("etc/gishiki/link.nft")?, filter(root)?),
        ] {
            if asked != found {
                let asked = says!(what; "接続の{what}: {asked}", "{what} of the link: {asked}");
                return wrong(asked, found);
            }
        }
        Ok(link)
    }
}

/// Returns an address in the form of `/proc/net/route`: its octets reversed, in hexadecimal.
fn in_route(address: &str) -> String {
    let octets = address.rsplit('.').filter_map(|octet| octet.parse::<u8>().ok());
    octets.map(|octet| format!("{octet:02X}")).collect()
}

/// Returns the machine's own addresses, from `/proc/net/fib_trie`.
fn addresses(trie: &str) -> Vec<String> {
    let (mut found, mut last) = (BTreeSet::new(), "");
    for line in trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address;
        } else if line.ends_with("host LOCAL") {
            found.insert(last.to_string());
        }
    }
    found.into_iter().collect()
}

/// Returns the kernel's packet filter as `nft list ruleset` shows it.
fn filter(root: &Path) -> Result<String, Halt> {
    let nft = root.join("usr/sbin/nft");
    let listed = Command::new(&nft).args(["list", "ruleset"]).output();
    match listed {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => Ok(String::from_utf8_lossy(&output.stderr).trim().to_string()),
        Err(error) => {
            Err(Halt::media(RuleId::S_LINK, Bilingual::plain(nft.display()), said(&error)))
        }
    }
}

/// Returns the processes of a program, which is either started itself or as an interpreter's
/// script.
fn processes(root: &Path, program: &str) -> Vec<Pid> {
    let Ok(entries) = media::entries(&root.join("proc")) else { return Vec::new() };
    let runs = |entry: &Path| {
        let words = fs::read(entry.join("cmdline")).unwrap_or_default();
        words.split(|octet| *octet == 0).take(2).any(|word| word == program.as_bytes())
    };
    let pid = |entry: &Path| entry.file_name()?.to_str()?.parse().ok().and_then(Pid::from_raw);
    entries.iter().filter(|entry| runs(entry)).filter_map(|entry| pid(entry)).collect()
}

fn lines(root: &Path, path: &str) -> Result<Vec<String>, Halt> {
    Ok(optional(root, path)?.unwrap_or_default().lines().map(str::to_string).collect())
}

/// Reads a file that an image need not have.
fn optional(root: &Path, path: &str) -> Result<Option<String>, Halt> {
    let path = root.join(path);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Halt::media(RuleId::S_LIVE, Bilingual::plain(path.display()), said(&error)))
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const TRIE: &str = "Main:\n  +-- 0.0.0.0/0 2 0 2\n     |-- 192.0.2.1\n\
                        \u{20}       /32 link UNICAST\nLocal:\n  +-- 192.0.2.15\n\
                        \u{20}    |-- 192.0.2.15\n        /32 host LOCAL\n";
    const ROUTE: &str = "hsm\t010200C0\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n";
    const PEER: &str = "192.0.2.1  0x1  0x6  02:00:00:00:00:02  *  hsm\n";

    /// Returns a root folder like that of an image with a driver, a daemon and a link.
    fn good() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, octets) in [
            ("etc/gishiki/drivers", "cdc-acm\n"),
            ("proc/modules", "cdc_acm 45056 0 - Live 0x0\nxhci_pci 1 0 - Live 0x0\n"),
            ("etc/gishiki/daemons", "/usr/sbin/pcscd --foreground\n"),
            ("proc/77/cmdline", "/usr/sbin/pcscd\0--foreground\0"),
            (
                "etc/gishiki/link",
                "mac=\"02:00:00:00:00:01\"\nown=\"192.0.2.15\"\npeer=\"192.0.2.1\"\n\
                 peer_mac=\"02:00:00:00:00:02\"\nport=\"9000\"\n",
            ),
            ("etc/gishiki/link.nft", "table ip link {\n}\n"),
            ("usr/sbin/nft", "#!/bin/sh\ncat \"${0%/usr/*}/etc/kernel\"\n"),
            ("etc/kernel", "table ip link {\n}\n"),
            ("sys/class/net/hsm/address", "02:00:00:00:00:01\n"),
            ("proc/net/fib_trie", TRIE),
            ("proc/net/route", &format!("Iface\tDestination\n{ROUTE}")),
            ("proc/net/arp", &format!("IP address  HW type\n{PEER}")),
            ("proc/sys/net/ipv4/ip_forward", "0\n"),
        ] {
            write(root.path(), path, octets);
        }
        let nft = root.path().join("usr/sbin/nft");
        fs::set_permissions(nft, fs::Permissions::from_mode(0o755)).unwrap();
        root
    }

    fn write(root: &Path, path: &str, octets: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, octets).unwrap();
    }

    #[test]
    fn hardware_is_exactly_what_the_image_names() {
        let hardware = Hardware::judge(good().path()).unwrap();
        let shown = hardware.shown(Lang::En).join("\n");
        for part in ["drivers: cdc-acm", "daemons: /usr/sbin/pcscd", "192.0.2.1:9000"] {
            assert!(shown.contains(part), "{shown}");
        }
        let nothing = tempfile::tempdir().unwrap();
        let none = Hardware::judge(nothing.path()).unwrap();
        assert!(none.shown(Lang::Ja).is_empty() && none.link.is_none());
        let two = |table: &str, other: &str| format!("head\n{table}{other}");
        for (path, octets, rule) in [
            ("proc/modules", "xhci_pci 1 0 - Live 0x0\n", RuleId::S_DRIVER),
            ("proc/77/cmdline", "/usr/sbin/other\0", RuleId::S_DAEMON),
            ("etc/gishiki/link", "mac=\"02:00:00:00:00:01\"\n", RuleId::S_LINK),
            ("sys/class/net/hsm/address", "02:00:00:00:00:09\n", RuleId::S_LINK),
            ("proc/net/fib_trie", &TRIE.replace(".15", ".16"), RuleId::S_LINK),
            ("proc/net/fib_trie", &format!("{TRIE}|-- 10.0.0.1\n/32 host LOCAL\n"), RuleId::S_LINK),
            ("proc/net/route", "head\n", RuleId::S_LINK),
            (
                "proc/net/route",
                &two(ROUTE, "hsm 00000000 010200C0 0003 0 0 0 00000000"),
                RuleId::S_LINK,
            ),
            ("proc/net/arp", &two("", &PEER.replace("0x6", "0x2")), RuleId::S_LINK),
            ("proc/net/arp", &two(PEER, PEER), RuleId::S_LINK),
            ("proc/sys/net/ipv4/ip_forward", "1\n", RuleId::S_LINK),
            ("etc/kernel", "", RuleId::S_LINK),
        ] {
            let root = good();
            write(root.path(), path, octets);
            let Err(Halt::Media(fault)) = Hardware::judge(root.path()) else {
                panic!("{path}: accepted");
            };
            assert_eq!(fault.rule, rule, "{path}: {fault:?}");
        }
    }
}
