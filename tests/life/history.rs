//! The sample CA's history on two SoftHSM tokens: each ceremony a drill on the ledger of those
//! before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ceremony::plan::{After, Plan};

use crate::cards::{give_cards, readers_of};
use crate::support::terminal::SO_PIN;
use crate::support::{
    Drill, PIN, SOFTHSM, copy, files, gishiki, gishiki_at, root, run, succeed, text,
};

/// The ceremonies of the sample CA, in the order of their ledger.
pub(crate) const CEREMONIES: [&str; 12] = [
    "2026-04-genesis",
    "2026-06-ds",
    "2026-09-renewal",
    "2026-10-ds-compromise",
    "2026-12-backup-drill",
    "2031-03-rollover",
    "2031-06-two-generations",
    "2031-09-destruction",
    "2031-11-root-compromise",
    "2031-11-recovery",
    "2032-02-backup",
    "2032-03-token-lost",
];

/// The folder of a ceremony's plan.
pub(crate) fn plan(ceremony: &str) -> PathBuf {
    root().join("ceremony-plans/mdoc-root").join(ceremony)
}

/// Two tokens and a ledger, and what is held on them next.
pub(crate) struct History {
    drill: Drill,
    vault: String,
    /// The CA whose people have cards, in the drill's folder; otherwise the sample CA as it is.
    with_cards: Option<&'static str>,
}

impl History {
    /// Two fresh tokens and an empty ledger.
    pub(crate) fn new() -> Self {
        let drill = Drill::new();
        let vault = drill.new_token("DRILL vault");
        fs::create_dir(drill.path("ledger")).unwrap();
        // Logins first; then, where a key is copied, SO PIN and PIN of each token.
        let lines = [PIN, PIN, SO_PIN, PIN, SO_PIN, PIN].join("\n");
        fs::write(drill.path("pin"), lines).unwrap();
        Self { drill, vault, with_cards: None }
    }

    /// Two fresh tokens, an empty ledger, and a card for everybody of this CA's roster.
    pub(crate) fn with_cards(ca: &'static str) -> Self {
        let mut history = Self::new();
        let drill = &history.drill;
        // Cards and tokens are asked for in turn: one PIN for all of them.
        for label in ["DRILL mdoc-root", "DRILL vault"] {
            let mut tool = Command::new("pkcs11-tool");
            tool.args([
                "--module",
                SOFTHSM,
                "--token-label",
                label,
                "--login",
                "--login-type",
                "so",
            ]);
            tool.args(["--so-pin", SO_PIN, "--change-pin", "--new-pin", PIN]);
            succeed(drill.env(&mut tool));
        }
        fs::write(drill.path("pin"), format!("{PIN}\n").repeat(999)).unwrap();
        copy(&root().join("ceremony-plans").join(ca), &drill.path(ca));
        give_cards(drill, &drill.path(ca));
        history.with_cards = Some(ca);
        history
    }

    /// The folder of both tokens, and the serial number of the vault.
    pub(crate) fn tokens(&self) -> (&Drill, &str) {
        (&self.drill, &self.vault)
    }

    /// The folder of a ceremony's plan.
    fn plan(&self, ceremony: &str) -> PathBuf {
        self.with_cards.map_or_else(|| plan(ceremony), |ca| self.drill.path(ca).join(ceremony))
    }

    /// The same at this point, in a folder of its own.
    pub(crate) fn copy(&self) -> Self {
        let drill = self.drill.copy();
        fs::create_dir(drill.path("ledger")).unwrap();
        copy(&self.ledger(), &drill.path("ledger"));
        if let Some(ca) = self.with_cards {
            copy(&self.drill.path(ca), &drill.path(ca));
        }
        Self { drill, vault: self.vault.clone(), with_cards: self.with_cards }
    }

    /// The same in the middle of this ceremony.
    pub(crate) fn copy_with_journals(&self, ceremony: &str) -> Self {
        let other = self.copy();
        for (from, to) in self.journals(ceremony).iter().zip(other.journals(ceremony)) {
            copy(from, &to);
        }
        other
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.drill.path("ledger")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.drill.folder.path()
    }

    /// The sealed folder of a ceremony.
    pub(crate) fn out(&self, ceremony: &str) -> PathBuf {
        self.ledger().join(ceremony)
    }

    /// Runs a ceremony of the history in its window, through this module.
    pub(crate) fn run(&self, ceremony: &str, module: &Path, at: Option<&str>) -> Output {
        self.run_plan(&self.plan(ceremony), module, at)
    }

    /// Runs a ceremony that is planned in this folder, in its window.
    pub(crate) fn run_plan(&self, plan: &Path, module: &Path, at: Option<&str>) -> Output {
        let mut command = self.command("run", plan, module, 30 * 60);
        self.hold(&mut command, at)
    }

    /// What people answer from now on.
    pub(crate) fn answers(&self, answers: &str) {
        fs::write(self.drill.path("answers.toml"), answers).unwrap();
    }

    /// Goes on with it, so many hours later.
    pub(crate) fn resume(
        &self,
        ceremony: &str,
        module: &Path,
        hours: i64,
        at: Option<&str>,
    ) -> Output {
        self.resume_plan(&self.plan(ceremony), module, hours, at)
    }

    /// Goes on with it so many hours later, or begins it where nothing was begun.
    pub(crate) fn go_on(&self, ceremony: &str, module: &Path, hours: i64) -> Output {
        match self.journals(ceremony).iter().any(|journal| journal.exists()) {
            true => self.resume(ceremony, module, hours, None),
            false => self.run(ceremony, module, None),
        }
    }

    /// Goes on with a ceremony that is planned in this folder, so many hours later.
    pub(crate) fn resume_plan(
        &self,
        plan: &Path,
        module: &Path,
        hours: i64,
        at: Option<&str>,
    ) -> Output {
        let mut command = self.command("resume", plan, module, 30 * 60 + hours * 3600);
        self.hold(&mut command, at)
    }

    /// The journals of a ceremony.
    pub(crate) fn journals(&self, ceremony: &str) -> [PathBuf; 2] {
        ["A", "B"].map(|medium| self.drill.path(&format!("{medium}-{ceremony}")))
    }

    /// The root token is no more: its files are gone.
    pub(crate) fn lose_root_token(&self) {
        let of = |folder: &Path| folder.display().to_string().replace('-', "");
        let tokens = fs::read_dir(self.drill.path("tokens")).unwrap();
        let lost = tokens.map(|entry| entry.unwrap().path());
        let lost: Vec<PathBuf> = lost.filter(|f| of(f).ends_with(&self.drill.serial)).collect();
        assert_eq!(lost.len(), 1, "{lost:?}");
        fs::remove_dir_all(&lost[0]).unwrap();
    }

    fn hold(&self, command: &mut Command, at: Option<&str>) -> Output {
        command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", at.unwrap_or("0:none"));
        run(command.stdin(fs::File::open(self.drill.path("pin")).unwrap()))
    }

    /// The calls of the module in a whole run; of an object that is destroyed also its class.
    pub(crate) fn calls(&self, ceremony: &str, module: &Path) -> Vec<String> {
        let history = self.copy();
        let log = history.drill.path("calls");
        let mut command = history.command("run", &self.plan(ceremony), module, 30 * 60);
        command.env("FAULTY_LOG", &log);
        let output = history.hold(&mut command, None);
        assert!(output.status.success(), "{ceremony}: {}", text(&output));
        let log = fs::read_to_string(log).unwrap();
        log.lines().map(|line| line.split_once(' ').unwrap().1.replace(' ', "/")).collect()
    }

    /// `gishiki run` or `resume` for a plan's ceremony, so many seconds after its window opens.
    pub(crate) fn command(&self, what: &str, plan: &Path, module: &Path, seconds: i64) -> Command {
        let planned = Plan::parse(&fs::read(plan.join("plan.toml")).unwrap()).unwrap();
        let ceremony = planned.ceremony.get_ref().as_str();
        let from = *planned.window.get_ref().from.get_ref();
        let (year, month, day, hour, minute, _) = from.plus_seconds(seconds).utc();
        let time = format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:00");
        self.write_room(plan, &planned, module);
        let mut command = gishiki_at(&time);
        command.arg(what);
        if what == "run" {
            command.arg(plan);
        }
        if let After::Ceremony(_) = planned.after.get_ref() {
            command.arg("--ledger").arg(self.ledger());
        }
        let noted = self.drill.path(&format!("signed-{ceremony}"));
        self.drill.env(&mut command).env("FAULTY_SIGNED", noted);
        command.arg("--room").arg(self.drill.path("room.toml"));
        for medium in ["A", "B"] {
            command.arg("--journal").arg(self.drill.path(&format!("{medium}-{ceremony}")));
        }
        command.arg("--out").arg(self.out(ceremony));
        command.arg("--answers").arg(self.drill.path("answers.toml")).args(["--pin-fd", "0"]);
        command
    }

    /// What `probe` says of a ceremony of the history on the ledger at hand, and its exit code.
    pub(crate) fn probed(&self, ceremony: &str) -> (String, Option<i32>) {
        let mut command = gishiki();
        command.arg("probe").arg(plan(ceremony)).arg("--room").arg(self.drill.path("room.toml"));
        if ceremony != CEREMONIES[0] {
            command.arg("--ledger").arg(self.ledger());
        }
        self.drill.env(&mut command).args(["--pin-fd", "0"]);
        command.stdin(fs::File::open(self.drill.path("pin")).unwrap());
        crate::probe::probed(command)
    }

    /// The room, with the vault where the plan's graph names it: after a loss, in the place of the
    /// root token.
    fn write_room(&self, plan: &Path, planned: &Plan, module: &Path) {
        self.drill.write_room(module);
        if self.with_cards.is_some() {
            let room = fs::read_to_string(self.drill.path("room.toml")).unwrap();
            let cards = readers_of(module);
            // Before the token, so that what is made of its lines has none of these.
            let room = room.replacen("\n[token]", &format!("{cards}\n[token]"), 1);
            fs::write(self.drill.path("room.toml"), room).unwrap();
        }
        let ceremony = planned.ceremony.get_ref().as_str();
        if planned.recovery.is_some() {
            let room = fs::read_to_string(self.drill.path("room.toml")).unwrap();
            let room = room.replace(&self.drill.serial, &self.vault);
            return fs::write(self.drill.path("room.toml"), room).unwrap();
        }
        let golden = root().join("golden/mdoc-root").join(ceremony).join("graph.txt");
        let graph = fs::read_to_string(golden).unwrap_or_else(|_| {
            text(&run(gishiki().arg("graph").arg(plan).arg("--ledger").arg(self.ledger())))
        });
        if !graph.contains("\ntoken vault: ") {
            return;
        }
        let room = fs::read_to_string(self.drill.path("room.toml")).unwrap();
        let token = &room[room.find("[token]").unwrap()..];
        let spare = token.replace("[token]", "[spare.vault]");
        let spare = spare.replace(&self.drill.serial, &self.vault);
        fs::write(self.drill.path("room.toml"), format!("{room}\n{spare}")).unwrap();
    }

    /// Everything that gishiki says of the ledger.
    pub(crate) fn verify(&self) -> String {
        succeed(gishiki().arg("verify").arg(self.ledger()).arg("--drill"))
    }

    /// `pkcs11-tool` lists the objects of a token.
    fn list(&self, label: &str) -> Output {
        let mut list = Command::new("pkcs11-tool");
        list.args(["--module", SOFTHSM, "--token-label", label]);
        list.args(["--login", "--pin", PIN, "--list-objects"]);
        run(self.drill.env(&mut list))
    }

    /// Whether SoftHSM truncated the file of this token and was killed before it wrote it again:
    /// a token's end, which no program that uses it can prevent.
    pub(crate) fn is_emptied(&self, label: &str) -> bool {
        let stored = files(&self.drill.path("tokens"));
        let is_empty = |(name, octets): (&String, &Vec<u8>)| {
            name.ends_with("token.object") && octets.is_empty()
        };
        stored.iter().any(is_empty) && !self.list(label).status.success()
    }

    /// The objects of a token, as `pkcs11-tool` lists them.
    pub(crate) fn listed_on(&self, label: &str) -> String {
        // On a busy machine SoftHSM was seen to show no token to a new process, once in some
        // thousand times, and then for a while. A token that is gone stays gone.
        let mut listed = self.list(label);
        for _ in 0..120 {
            if listed.status.success() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(250));
            listed = self.list(label);
        }
        let stored = || {
            let stored = files(&self.drill.path("tokens")).into_iter();
            stored.map(|(name, octets)| format!("{name} {}", octets.len())).collect::<Vec<_>>()
        };
        let said = text(&listed);
        assert!(listed.status.success(), "{label}: {}: {said}{:?}", listed.status, stored());
        said
    }

    /// How many private and public keys a token holds.
    pub(crate) fn keys_on(&self, label: &str) -> (usize, usize) {
        let listed = self.listed_on(label);
        let count = |what: &str| listed.lines().filter(|line| line.starts_with(what)).count();
        (count("Private Key Object"), count("Public Key Object"))
    }
}
