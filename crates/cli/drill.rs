//! `drill`: prepares a drill of a CA's first ceremony on SoftHSM2, today.
//!
//! The plan is judged before anything is written, and the folder is written whole or not at all.
//! Its PINs are public, as everything of a drill is: its token's label says `DRILL`, and a real
//! ceremony refuses it. Each person has a token of their own in the place of a card.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ceremony::compile::Compiled;
use ceremony::draft::drill::{cps_on, plan_on, roster_on, roster_with};
use ceremony::hex::Digest;
use ceremony::inputs::Inputs;
use ceremony::key::PublicKey;
use ceremony::language::{Bilingual, Language};
use ceremony::name::Name;
use ceremony::plan::After;
use ceremony::record::Mode;
use ceremony::rule::RuleId;
use ceremony::token::TokenError;
use ceremony::violation::Input;
use ceremony::{says, script};
use token::{Module, Pin, TooLong};

use crate::args::Drill;
use crate::clock::Clock;
use crate::ends::quoted;
use crate::files::{self, PLAN_FILE, names, read};
use crate::halt::Halt;
use crate::lang::{Lang, language, pick};
use crate::output;
use crate::report::print;
use crate::review::compiled;
use crate::sources::{Sources, shown};

/// The module that the token is made for.
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// The program that makes it, of Debian's package softhsm2.
const MAKER: &str = "softhsm2-util";
/// The folder of SoftHSM2's tokens, and the file of its configuration.
const TOKENS: &str = "tokens";
const CONFIGURATION: &str = "softhsm2.conf";
/// The PINs of its user and of its security officer.
const PIN: &str = "drill-pin";
const SO_PIN: &str = "drill-so-pin";

/// Prepares a drill, and prints how it begins.
pub(crate) fn prepare(asked: &Drill, lang: Lang) -> Result<(), Halt> {
    output::refuse_existing(&asked.folder)?;
    let mut moved = Moved::read(&asked.plan)?;
    let people: Vec<Name> = moved.people().into_iter().collect();
    let tokens = Tokens::make(&format!("DRILL {}", moved.ca()), &people).map_err(|found| {
        let asked = says!(
            "{MAKER}(Debian のパッケージ softhsm2)によるトークンの作成",
            "tokens made by {MAKER}, of Debian's package softhsm2"
        );
        Halt::media(RuleId::S_TOKEN, asked, found)
    })?;
    moved = moved.with_cards(&tokens.cards)?;
    output::write(&asked.folder, &moved.files(&asked.folder, tokens, lang)?)?;
    let folder = quoted(asked.folder.as_os_str());
    let head = pick(lang, "訓練の準備ができた。始め方:", "the drill is prepared; it begins with:");
    let page = pick(lang, "次に入力すること", "what to type then");
    let command = moved.command(lang);
    print(&format!("{head}\n  cd {folder}\n{command}{page}: {folder}/README.md\n"))
}

/// A CA's documents with its first ceremony today, and what they compile to.
struct Moved {
    sources: Sources,
    inputs: Inputs,
    compiled: Compiled,
}

impl Moved {
    fn read(plan: &Path) -> Result<Self, Halt> {
        let mut sources = Sources::read(plan)?;
        let planned = sources.clone().inputs()?;
        refuse_later(&planned, plan)?;
        let offset = *planned.policy.ca.offset.get_ref();
        let today = Clock::System(offset).now()?.day();
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let Sources { plan, cps, .. } = &mut sources;
        plan.1 = plan_on(&text(&plan.1), &planned.plan, today, offset).into_bytes();
        cps.1 = cps_on(&text(&cps.1), &planned.cps, today, offset).into_bytes();
        let procedure = sources.clone().inputs()?.procedure();
        let roster = &mut sources.roster.1;
        *roster = roster_on(&text(roster), &planned.roster, today, procedure).into_bytes();
        Self::of(sources)
    }

    fn of(sources: Sources) -> Result<Self, Halt> {
        let (compiled, _) = compiled(sources.clone(), |_| Ok((Arc::default(), Mode::Drill)))?;
        Ok(Self { inputs: sources.clone().inputs()?, sources, compiled })
    }

    /// The same with a roster that names these cards.
    fn with_cards(self, cards: &BTreeMap<Name, PublicKey>) -> Result<Self, Halt> {
        let Self { mut sources, inputs, .. } = self;
        let roster = &mut sources.roster.1;
        let text = String::from_utf8_lossy(roster).into_owned();
        *roster = roster_with(&text, &inputs.roster, cards).into_bytes();
        Self::of(sources)
    }

    fn ca(&self) -> &Name {
        self.compiled.graph.ca()
    }

    fn ceremony(&self) -> &Name {
        self.compiled.graph.ceremony()
    }

    /// Everybody who needs a card: who may come, and who approves the plan before the day.
    fn people(&self) -> BTreeSet<Name> {
        let come = self.inputs.plan.may_come().map(|id| id.get_ref());
        let approve = self.compiled.approvals.needed.iter().flat_map(|one| &one.by);
        come.chain(approve).cloned().collect()
    }

    fn scripts(&self) -> impl Iterator<Item = (String, Language)> {
        let languages = self.inputs.policy.ca.languages.iter().map(|language| *language.get_ref());
        languages.map(|language| (format!("script.{}", language.code()), language))
    }

    /// Every file of the drill in this folder, by its path there.
    fn files(
        &self,
        folder: &Path,
        tokens: Tokens,
        lang: Lang,
    ) -> Result<BTreeMap<String, Vec<u8>>, Halt> {
        let Tokens { serial, mut files, .. } = tokens;
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
        files.insert(CONFIGURATION.into(), configuration(&folder.join(TOKENS)).into_bytes());
        files.insert("room.toml".into(), room(&serial)?.into_bytes());
        files.insert("README.md".into(), self.page(lang).into_bytes());
        for (name, language) in self.scripts() {
            let page = script::page(&self.compiled, language).into_bytes();
            files.insert(format!("{name}.html"), page);
            let text = script::render(&self.compiled, language).into_bytes();
            files.insert(format!("{name}.md"), text);
        }
        files.extend(self.documents());
        Ok(files)
    }

    /// The CA's folder with the ceremony's in it.
    fn documents(&self) -> impl Iterator<Item = (String, Vec<u8>)> {
        let (ca, ceremony) = (self.ca(), self.ceremony());
        let Sources { plan, cps, roster, policy, release, document, files } = &self.sources;
        let document = document.as_ref().and_then(Option::as_ref);
        let beside = [(Input::Cps, cps), (Input::Policy, policy), (Input::Roster, roster)];
        let beside = beside.map(|(input, (_, octets))| (format!("{ca}/{input}"), octets));
        let release = release.as_ref().map(|(_, it)| (format!("{ca}/{}", Input::Release), it));
        let named = self.inputs.cps.document.file.get_ref();
        let document = document.map(|octets| (format!("{ca}/{named}"), octets));
        let plan = (format!("{ca}/{ceremony}/{PLAN_FILE}"), &plan.1);
        let files =
            files.iter().map(move |(name, octets)| (format!("{ca}/{ceremony}/{name}"), octets));
        let all = beside.into_iter().chain(release).chain(document).chain([plan]).chain(files);
        all.map(|(name, octets)| (name, octets.clone()))
    }

    /// The command that begins the drill, in its folder.
    fn command(&self, lang: Lang) -> String {
        let (ca, ceremony, lang) = (self.ca(), self.ceremony(), language(lang).code());
        format!(
            "  export SOFTHSM2_CONF=\"$PWD/{CONFIGURATION}\"\n  gishiki run {ca}/{ceremony} \\\n    \
             --room room.toml --journal A --journal B --out OUT --lang {lang}\n"
        )
    }

    /// The page that says what to type.
    fn page(&self, lang: Lang) -> String {
        let (ca, ceremony) = (self.ca(), self.ceremony());
        let (from, until) = self.compiled.graph.window();
        let scripts: Vec<String> =
            self.scripts().map(|(name, _)| format!("`{name}.html`")).collect();
        let (scripts, command) = (scripts.join(", "), self.command(lang));
        let approvers = self.compiled.approvals.needed.iter().flat_map(|one| &one.by);
        let approver = approvers.min().map_or("p01", Name::as_str);
        let approve = format!(
            "  export SOFTHSM2_CONF=\"$PWD/{CONFIGURATION}\"\n  gishiki approve {approver} {ca}/{ceremony} --drill --module {MODULE}\n"
        );
        let said = says!(
            "# 訓練: {ca} / {ceremony}\n\nすべてをこのフォルダーで行う。{from} から {until} まで実施できる。\
             終わったら、フォルダーごと消せばよい。認証局の文書の写しでは、実施日に伴う日付と、それより後の任命、教育、CP/CPS の施行の日付を今日に改めてある。\n\n```sh\n{command}```\n\n\
             構築手順書は {scripts}(ブラウザーで開いて印刷する。同じ内容の `.md` もある)。照合の手順では、その 1 ページ目の `graph` と `bindings` の語を入力する。HSM の銘板の製造番号は、`room.toml` の `serial`。PIN は、HSM のものもカードのものも `{PIN}`。各人のカードの代わりに、ID と同じ名のトークンがある。\n\n\
             問いには次の ID で答える。`no` でセレモニーを止め、`deviation` で手順書との相違を記録する。署名の前の問いには、Enter(署名に進む)、`no`(署名しない)、`failed`(カードが使えない)のどれかで答える。PIN はその次に尋ねる。\n\n\
             訓練に事前の承認は要らない。試すときは、始める前に、次のように 1 名ずつ承認する。\n\n```sh\n{approve}```\n\n\
             | ID | 氏名 | 役割 |\n|---|---|---|\n",
            "# Drill: {ca} / {ceremony}\n\nEverything is done in this folder, from {from} to {until}. \
             Remove the folder when it is done. In this copy of the CA's documents the dates that follow from the day of the ceremony \
             are today's, and so are later dates of appointments, trainings and of the CP/CPS.\n\n```sh\n{command}```\n\n\
             The script is {scripts}: open and print it with a browser (the same text is there as `.md`). At the step “papers”, enter the words of `graph` and `bindings` on its first page. \
             The serial number on the HSM's plate is `serial` in `room.toml`. The PIN of the HSM and of every card is `{PIN}`; in the place of a card each person has a token with their identifier as its name.\n\n\
             Answer the questions with these identifiers. `no` stops the ceremony; `deviation` records what is not as the script \
             has it. Before a signature, answer Enter (to sign), `no` (not to be signed) or `failed` (the card does not work); the PIN \
             is asked for after that.\n\n\
             A drill needs no approvals. To try them, each approves before it begins, like this:\n\n```sh\n{approve}```\n\n\
             | identifier | name | roles |\n|---|---|---|\n"
        );
        let mut page = lang.said(&said).to_string();
        for id in self.people() {
            if let Some(person) = self.inputs.roster.person.get(&id) {
                let roles = person.roles.iter().map(|role| self.role(role.get_ref(), lang));
                let (comes, name) =
                    (self.inputs.plan.may_come().any(|one| *one.get_ref() == id), person.said());
                let note = pick(lang, "事前の承認のみ", "approves before the day only");
                let note = (!comes).then(|| format!("({note})"));
                let roles: Vec<String> = roles.chain(note).collect();
                page.push_str(&format!(
                    "| `{id}` | {} | {} |\n",
                    lang.said(&name),
                    roles.join(", ")
                ));
            }
        }
        page + pick(
            lang,
            "\n終わったら `gishiki verify OUT --drill` で検証する。中断と再開は docs/on-a-token.ja.md にある。\n",
            "\nAt the end, judge it by `gishiki verify OUT --drill`. docs/on-a-token.md tells how to interrupt and resume it.\n",
        )
    }

    fn role(&self, role: &Name, lang: Lang) -> String {
        let named = self.inputs.policy.role.get(role);
        named.map_or_else(|| role.to_string(), |named| lang.said(&named.name.said()).to_string())
    }
}

fn refuse_later(inputs: &Inputs, plan: &Path) -> Result<(), Halt> {
    let After::Ceremony(after) = inputs.plan.after.get_ref() else { return Ok(()) };
    let asked = says!("認証局の最初のセレモニー", "a CA's first ceremony");
    let plan = shown(plan);
    let found = says!("{plan}({after} に続く)", "{plan}, which follows {after}");
    let advice = says!(
        "最初のセレモニーの訓練を先に行い、次の計画は `gishiki new` で訓練の台帳から作成する(docs/on-a-token.ja.md)",
        "hold the first one as a drill, and draft the next plan from the drill's ledger by `gishiki new` (docs/on-a-token.md)"
    );
    Err(Halt::asked(RuleId::S_AFTER, asked, found, advice))
}

/// The configuration of SoftHSM2 with its tokens in this folder.
fn configuration(tokens: &Path) -> String {
    format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    )
}

/// The tokens of a drill: the root token, and one for each person.
struct Tokens {
    /// The root token's serial number.
    serial: String,
    /// The keys of people.
    cards: BTreeMap<Name, PublicKey>,
    /// The files of all of them, by their paths in the drill's folder.
    files: BTreeMap<String, Vec<u8>>,
}

impl Tokens {
    fn make(root: &str, people: &[Name]) -> Result<Self, Bilingual> {
        let told = |error: std::io::Error| files::said(&error);
        let folder = tempfile::tempdir().map_err(told)?;
        let tokens = folder.path().join(TOKENS);
        let conf = folder.path().join(CONFIGURATION);
        fs::create_dir(&tokens).map_err(told)?;
        fs::write(&conf, configuration(&tokens)).map_err(told)?;
        make_token(&conf, root)?;
        for person in people {
            make_token(&conf, person.as_str())?;
        }
        let serials = serials(&conf)?;
        let serial_of = |label: &str| {
            serials
                .get(label)
                .cloned()
                .ok_or_else(|| says!("{label} のない一覧", "a list of tokens without {label}"))
        };
        let cards = make_cards(&conf, people, serial_of)?;
        let mut files = BTreeMap::new();
        for (token, _) in names(&tokens).map_err(told)? {
            for (file, _) in names(&tokens.join(&token)).map_err(told)? {
                let octets = fs::read(tokens.join(&token).join(&file)).map_err(told)?;
                let name = format!("{TOKENS}/{}/{}", token.display(), file.display());
                files.insert(name, octets);
            }
        }
        Ok(Self { serial: serial_of(root)?, cards, files })
    }
}

/// Runs the program that makes tokens; returns what it prints.
fn maker(conf: &Path, arguments: &[&str]) -> Result<String, Bilingual> {
    let mut command = Command::new(MAKER);
    let output = command.env("SOFTHSM2_CONF", conf).args(arguments).output();
    let output = output.map_err(|error| files::said(&error))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(Bilingual::plain(said.escape_debug())),
    }
}

fn make_token(conf: &Path, label: &str) -> Result<(), Bilingual> {
    let made = ["--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", PIN];
    maker(conf, &made).map(drop)
}

/// The serial numbers of the tokens, by label.
fn serials(conf: &Path) -> Result<BTreeMap<String, String>, Bilingual> {
    let slots = maker(conf, &["--show-slots"])?;
    let mut serials = BTreeMap::new();
    let mut serial = String::new();
    for line in slots.lines().map(str::trim) {
        if let Some(found) = line.strip_prefix("Serial number:") {
            serial = found.trim().to_string();
        }
        if let Some(label) = line.strip_prefix("Label:") {
            serials.insert(label.trim().to_string(), serial.clone());
        }
    }
    Ok(serials)
}

/// Makes the key pair of each person on their token.
#[expect(unsafe_code, reason = "the module reads its configuration from the environment")]
fn make_cards(
    conf: &Path,
    people: &[Name],
    serial_of: impl Fn(&str) -> Result<String, Bilingual>,
) -> Result<BTreeMap<Name, PublicKey>, Bilingual> {
    // SAFETY: this command has no other thread, and nothing was loaded that reads the environment.
    unsafe { std::env::set_var("SOFTHSM2_CONF", conf) };
    let told = |error: TokenError| error.said();
    let module = Module::open(Path::new(MODULE), None).map_err(told)?;
    let mut pin = Pin::empty();
    for octet in PIN.bytes() {
        pin.push(octet).map_err(|TooLong| Bilingual::none())?;
    }
    let make = |person: &Name| {
        let key = module.make_card(&serial_of(person.as_str())?, &pin, person.as_str());
        Ok((person.clone(), key.map_err(told)?))
    };
    people.iter().map(make).collect()
}

fn room(serial: &str) -> Result<String, Halt> {
    let module = fs::canonicalize(MODULE).unwrap_or_else(|_| PathBuf::from(MODULE));
    let digest = Digest::of(&read(&module)?);
    Ok(format!(
        "format   = 1\ndrill    = true\nterminal = \"drill-1\"\n\n[token]\nmodule = \"{0}\"\n\
         sha256 = \"{digest}\"\nserial = \"{serial}\"\n\n[[cards]]\nmodule = \"{0}\"\nsha256 = \"{digest}\"\n",
        module.display()
    ))
}
