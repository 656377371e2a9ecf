//! A PC in QEMU: UEFI firmware, USB media, a serial line that the test reads and types on, a
//! monitor. The kernel's KVM runs it where it can, and QEMU's own translator otherwise.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The longest wait for anything that the machine says.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// The longest wait for a machine on KVM to come to the first question: it is there in seconds.
const KVM_PATIENCE: Duration = Duration::from_secs(60);

/// The image's first question.
const FIRST: &str = "English ? ";

/// How the menu ends.
pub(crate) const MENU: &str = "0: switch off\r\n? ";

/// What only a shell understands: nobody is given one, so nothing of it is ever said.
const FOR_A_SHELL: [&str; 12] = [
    "gishiki run",
    "gishiki resume",
    "gishiki abandon",
    "gishiki verify",
    "gishiki probe",
    "gishiki bind",
    "gishiki live",
    "same command",
    " --",
    "`--",
    " mount /",
    "$(",
];

/// Refuses words that nobody can do anything with at the menu.
pub(crate) fn assert_for_people(said: &str) {
    for words in FOR_A_SHELL {
        assert!(!said.contains(words), "{words:?} is for a shell:\n{said}");
    }
}

/// What is plugged in when the machine is switched on.
pub(crate) struct Plugged<'p> {
    pub(crate) iso: &'p Path,
    pub(crate) media: Vec<&'p Path>,
    /// The dialogue is on a serial line; otherwise the machine has none.
    pub(crate) serial: bool,
    /// The image is on a CD, in a USB drive.
    pub(crate) cd: bool,
    /// Firmware starts what Debian's example key signed, and nothing else.
    pub(crate) secure_boot: bool,
    /// Further arguments of QEMU.
    pub(crate) more: Vec<String>,
}

impl<'p> Plugged<'p> {
    /// The image alone.
    pub(crate) const fn of(iso: &'p Path) -> Self {
        let (cd, secure_boot) = (false, false);
        Self { iso, media: Vec::new(), serial: true, cd, secure_boot, more: Vec::new() }
    }
}

pub(crate) struct Machine {
    qemu: Child,
    keys: ChildStdin,
    said: Receiver<Vec<u8>>,
    monitor: PathBuf,
    folder: tempfile::TempDir,
    pub(crate) begun: Instant,
    /// Everything the machine has said.
    pub(crate) log: String,
    /// How much of it was looked at.
    seen: usize,
    /// The beginning of a character whose rest has not come yet.
    part: Vec<u8>,
}

/// Whether machines run on KVM: whether one comes to the image's first question on it. That the
/// device opens and gives a machine says too little: where the host is a machine itself, firmware
/// may end at its first floating-point instruction.
fn kvm() -> bool {
    static USABLE: OnceLock<bool> = OnceLock::new();
    *USABLE.get_or_init(|| {
        let iso = crate::drill_iso();
        let mut machine = Machine::on("kvm", &Plugged::of(&iso), Stdio::null());
        let usable = machine.comes_to_question();
        println!("KVM: {}", if usable { "used" } else { "not usable here; QEMU translates" });
        usable
    })
}

impl Machine {
    /// Switches it on.
    pub(crate) fn boot(plugged: &Plugged<'_>) -> Self {
        // Secure Boot wants System Management Mode, which not every KVM that runs the rest can.
        let accelerator = if !plugged.secure_boot && kvm() { "kvm" } else { "tcg" };
        Self::on(accelerator, plugged, Stdio::inherit())
    }

    /// The same by this accelerator; QEMU's complaints go there.
    fn on(accelerator: &str, plugged: &Plugged<'_>, complaints: Stdio) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let variables = folder.path().join("variables");
        let (code, kept, machine) = match plugged.secure_boot {
            true => ("secboot.fd", "snakeoil.fd", "q35,smm=on"),
            false => ("fd", "fd", "q35"),
        };
        std::fs::copy(format!("/usr/share/OVMF/OVMF_VARS_4M.{kept}"), &variables).unwrap();
        let monitor = folder.path().join("monitor");
        let mut qemu = Command::new("qemu-system-x86_64");
        // One processor: of two, QEMU without KVM lets one run code that the other is patching.
        qemu.args(["-machine", machine, "-m", "1536", "-smp", "1", "-accel", accelerator]);
        qemu.args(["-no-reboot", "-display", "none", "-rtc", "base=2026-04-01T01:30:00"]);
        let firmware = "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M";
        qemu.arg("-drive").arg(format!("{firmware}.{code}"));
        qemu.arg("-drive").arg(format!("if=pflash,format=raw,file={}", variables.display()));
        qemu.args(["-device", "qemu-xhci,id=usb,p2=8,p3=8", "-device", "usb-kbd"]);
        qemu.arg("-drive")
            .arg(format!("if=none,id=boot,format=raw,readonly=on,file={}", plugged.iso.display()));
        if plugged.cd {
            let drive = "scsi-cd,drive=boot,bus=bot.0,bootindex=1";
            qemu.args(["-device", "usb-bot,id=bot", "-device", drive]);
        } else {
            qemu.args(["-device", "usb-storage,drive=boot,bootindex=1"]);
        }
        for (number, medium) in plugged.media.iter().enumerate() {
            // A node of its own outlives the stick that is pulled.
            let node = format!("driver=raw,node-name=m{number},file.driver=file");
            qemu.arg("-blockdev").arg(format!("{node},file.filename={}", medium.display()));
            qemu.arg("-device").arg(format!("usb-storage,drive=m{number},id=u{number}"));
        }
        qemu.arg("-monitor").arg(format!("unix:{},server=on,wait=off", monitor.display()));
        qemu.args(["-serial", if plugged.serial { "stdio" } else { "none" }]);
        if !plugged.more.iter().any(|argument| argument.contains("e1000")) {
            qemu.args(["-nic", "none"]);
        }
        qemu.args(&plugged.more).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(complaints);
        let mut qemu = qemu.spawn().unwrap();
        let keys = qemu.stdin.take().unwrap();
        let mut line = qemu.stdout.take().unwrap();
        let (sender, said) = channel();
        std::thread::spawn(move || {
            let mut octets = vec![0; 1 << 16];
            while let Ok(count @ 1..) = line.read(&mut octets) {
                if sender.send(octets[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            qemu,
            keys,
            said,
            monitor,
            folder,
            begun: Instant::now(),
            log: String::new(),
            seen: 0,
            part: Vec::new(),
        }
    }

    /// Whether it comes to the image's first question; one that has stopped does not.
    fn comes_to_question(&mut self) -> bool {
        while self.begun.elapsed() < KVM_PATIENCE {
            match self.listen(Instant::now() + Duration::from_millis(500)) {
                Ok(()) if self.log.ends_with(FIRST) => return true,
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => {
                    let status = self.ask_monitor("info status").unwrap_or_default();
                    if !status.contains("running") {
                        return false;
                    }
                }
            }
        }
        false
    }

    /// Takes what the machine says next, until then.
    fn listen(&mut self, until: Instant) -> Result<(), RecvTimeoutError> {
        self.part.extend(self.said.recv_timeout(until.saturating_duration_since(Instant::now()))?);
        // A character may come in two parts.
        let whole = match std::str::from_utf8(&self.part) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => self.part.len(),
        };
        let rest = self.part.split_off(whole);
        self.log.push_str(&String::from_utf8_lossy(&self.part));
        self.part = rest;
        Ok(())
    }

    /// Waits until one of these ends what was said since the last look; which one, and that text.
    pub(crate) fn expect_any(&mut self, ends: &[&str]) -> (usize, String) {
        let until = Instant::now() + PATIENCE;
        loop {
            let text = self.log[self.seen..].to_string();
            let quiet = text.trim_end_matches(['\r', '\n']);
            if let Some(which) = ends.iter().position(|end| quiet.ends_with(end)) {
                self.seen = self.log.len();
                assert_for_people(&text);
                return (which, text);
            }
            if self.listen(until).is_err() {
                panic!("none of {ends:?} was said:\n{}", self.log);
            }
        }
    }

    /// Waits until this ends what was said since the last look, and gives that text.
    pub(crate) fn expect(&mut self, end: &str) -> String {
        self.expect_any(&[end]).1
    }

    pub(crate) fn send(&mut self, line: &str) {
        self.press(&format!("{line}\n"));
    }

    /// Keys, without Enter after them.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Answers everything from the first question to the menu, in English.
    pub(crate) fn reach_menu(&mut self) {
        self.expect(FIRST);
        self.send("2");
        self.expect("10:30:00: ");
        self.send("yes");
        self.expect(MENU);
    }

    /// Chooses the menu's last line.
    pub(crate) fn switch_off(mut self) -> String {
        self.send("0");
        self.wait_off()
    }

    /// A file for a picture of the screen, gone with the machine.
    pub(crate) fn picture(&self) -> PathBuf {
        self.folder.path().join("screen.ppm")
    }

    /// A command of QEMU's monitor; what it says.
    pub(crate) fn monitor(&self, command: &str) -> String {
        self.ask_monitor(command).unwrap()
    }

    fn ask_monitor(&self, command: &str) -> std::io::Result<String> {
        let mut monitor = UnixStream::connect(&self.monitor)?;
        monitor.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut octets = [0; 4096];
        let mut prompt = |monitor: &mut UnixStream| {
            let mut said = Vec::new();
            while !said.ends_with(b"(qemu) ") {
                let count = monitor.read(&mut octets)?;
                if count == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                said.extend(&octets[..count]);
            }
            Ok(String::from_utf8_lossy(&said).into_owned())
        };
        prompt(&mut monitor)?;
        writeln!(monitor, "{command}")?;
        prompt(&mut monitor)
    }

    /// Pulls the plug.
    pub(crate) fn cut_power(mut self) -> String {
        self.qemu.kill().unwrap();
        self.qemu.wait().unwrap();
        std::mem::take(&mut self.log)
    }

    /// Waits until the machine has switched itself off.
    pub(crate) fn wait_off(mut self) -> String {
        let until = Instant::now() + PATIENCE;
        while self.qemu.try_wait().unwrap().is_none() {
            while let Ok(octets) = self.said.try_recv() {
                self.log.push_str(&String::from_utf8_lossy(&octets));
            }
            assert!(Instant::now() < until, "it stays on:\n{}", self.log);
            std::thread::sleep(Duration::from_millis(50));
        }
        std::mem::take(&mut self.log)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}
