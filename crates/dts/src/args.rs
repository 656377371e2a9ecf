//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use ceremony::language::{Bilingual, Language};
use ceremony::says;
use ceremony::time::{Instant, Offset};

/// What is asked.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Sync(Sync),
    Probe(Probe),
}

/// What both commands need.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) at: Instant,
    pub(crate) releases: PathBuf,
    pub(crate) trust: Trust,
    /// Where the tree `dts` is served.
    pub(crate) http: Option<String>,
    /// The directories.
    pub(crate) ldap: Vec<String>,
}

/// Why the releases are believed.
#[derive(Debug)]
pub(crate) enum Trust {
    Anchor(PathBuf),
    Rehearsal,
    Drill,
}

/// `sync`.
#[derive(Debug)]
pub(crate) struct Sync {
    pub(crate) common: Common,
    pub(crate) web: PathBuf,
    pub(crate) log: PathBuf,
}

/// `probe`.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) common: Common,
    pub(crate) metrics: Option<PathBuf>,
}

/// The help.
pub(crate) fn help(language: Language) -> String {
    language
        .pick(&says!(
            "公開: セレモニーが公開するものを、その時刻に、Web と LDAP に置く

使い方:
  gishiki-dts sync  --at now|時刻 --releases フォルダー 信頼 --web フォルダー --log ファイル
                    [--ldap ldapi://ソケット]… [--http URL]
  gishiki-dts probe --at now|時刻 --releases フォルダー 信頼 --http URL [--ldap URI]… [--metrics ファイル]

信頼(1 つ): --anchor ファイル | --rehearsal | --drill
  --at        公開の時刻(now、又は 2026-04-01T10:00:00+09:00 の形)
  --releases  `gishiki release` が書いたもののあるフォルダー
  --web       Web サーバーが公開するフォルダー。その中に www と dts ができる
  --log       公開の記録。1 つの sync だけが開く
  --ldap      sync では SASL EXTERNAL で書き込む ldapi://、probe では ldap:// も可
  --http      dts を公開している URL。sync では、そこから読み戻す
  --metrics   OpenMetrics のファイル
  --lang      ja 又は en(指定しなければ LANG)

終了コード:
  sync   0 求めるとおり、1 一部が公開されていない又は余分がある、4 拒否、5 ファイル・時刻・二重起動、64 指定の誤り
  probe  0 正常、1 注意(CRL が 24 時間 15 分より古い、16 日以内に尽きる等)、2 48 時間より古い又は誤り
",
            "Publication: puts what ceremonies let out on the web and into LDAP, each at its time

Usage:
  gishiki-dts sync  --at now|TIME --releases DIR TRUST --web DIR --log FILE
                    [--ldap ldapi://SOCKET]... [--http URL]
  gishiki-dts probe --at now|TIME --releases DIR TRUST --http URL [--ldap URI]... [--metrics FILE]

TRUST, one of: --anchor FILE | --rehearsal | --drill
  --at        the time: now, or such as 2026-04-01T10:00:00+09:00
  --releases  the folder of what `gishiki release` wrote
  --web       the folder that a web server serves; www and dts are made in it
  --log       the log of publications; one sync at a time opens it
  --ldap      for sync an ldapi:// socket, written with SASL EXTERNAL; for probe also ldap://
  --http      the URL under which dts is served; sync reads it back from there
  --metrics   a file in OpenMetrics
  --lang      ja or en (from LANG otherwise)

Exit codes:
  sync   0 as it is due, 1 a part is not out or there is more, 4 refused, 5 file, clock or lock,
         64 usage
  probe  0 well, 1 warned (a CRL older than 24 h 15 min, CRLs that end within 16 days, ...),
         2 older than 48 h, or wrong
"
        ))
        .to_string()
}

/// Reads the command line, and the language that it asks for.
pub(crate) fn read(words: &[OsString]) -> (Result<Command, Bilingual>, Language) {
    let text: Option<Vec<&str>> = words.iter().map(|word| word.to_str()).collect();
    let environment = crate::of_environment();
    let Some(mut text) = text else {
        return (Err(says!("UTF-8 の指定が必要", "the command line must be UTF-8")), environment);
    };
    let mut language = environment;
    if let Some(place) = text.iter().position(|word| *word == "--lang") {
        match text.get(place + 1).copied() {
            Some("ja") => language = Language::Ja,
            Some("en") => language = Language::En,
            _ => return (Err(says!("--lang は ja 又は en", "--lang is ja or en")), language),
        }
        text.drain(place..place + 2);
    }
    (command(&text), language)
}

fn command(words: &[&str]) -> Result<Command, Bilingual> {
    if words.iter().any(|word| ["--help", "-h", "help"].contains(word)) {
        return Ok(Command::Help);
    }
    match words.split_first() {
        Some((&"sync", rest)) => {
            let mut given = Given::read(rest)?;
            let common = given.common()?;
            if let Some(other) = common.ldap.iter().find(|uri| !uri.starts_with("ldapi://")) {
                return Err(says!(
                    "sync の --ldap は ldapi:// だけ: {other}",
                    "sync writes to ldapi:// only, not to {other}"
                ));
            }
            let (web, log) = (given.path("--web")?, given.path("--log")?);
            given.nothing_else(Command::Sync(Sync { common, web, log }))
        }
        Some((&"probe", rest)) => {
            let mut given = Given::read(rest)?;
            let common = given.common()?;
            if common.http.is_none() {
                return Err(missing("--http"));
            }
            let metrics = given.take("--metrics").map(PathBuf::from);
            given.nothing_else(Command::Probe(Probe { common, metrics }))
        }
        Some((other, _)) => Err(says!(
            "sync 又は probe が必要: {other}。gishiki-dts --help",
            "sync or probe is asked for, not {other}; see gishiki-dts --help"
        )),
        None => Err(says!(
            "sync 又は probe が必要。gishiki-dts --help",
            "sync or probe is asked for; see gishiki-dts --help"
        )),
    }
}

fn missing(name: &str) -> Bilingual {
    says!("{name} が必要。gishiki-dts --help", "{name} is missing; see gishiki-dts --help")
}

/// The options of a command, as they stand.
struct Given<'w>(Vec<(&'w str, &'w str)>);

impl<'w> Given<'w> {
    fn read(words: &[&'w str]) -> Result<Self, Bilingual> {
        let mut given = Vec::new();
        let mut rest = words.iter().copied();
        while let Some(name) = rest.next() {
            let value = match name {
                "--rehearsal" | "--drill" => "",
                _ => rest
                    .next()
                    .ok_or_else(|| says!("{name} の値が必要", "{name} asks for a value"))?,
            };
            given.push((name, value));
        }
        Ok(Self(given))
    }

    fn take(&mut self, name: &str) -> Option<&'w str> {
        let place = self.0.iter().position(|(of, _)| *of == name)?;
        Some(self.0.remove(place).1)
    }

    fn path(&mut self, name: &str) -> Result<PathBuf, Bilingual> {
        self.take(name).map(PathBuf::from).ok_or_else(|| missing(name))
    }

    fn common(&mut self) -> Result<Common, Bilingual> {
        let at = match self.take("--at").ok_or_else(|| missing("--at"))? {
            "now" => now()?,
            time => time.parse().map_err(|error: ceremony::time::TimeError| error.said())?,
        };
        let anchor = self.take("--anchor").map(PathBuf::from);
        let (rehearsal, drill) = (self.take("--rehearsal"), self.take("--drill"));
        let trust = match (anchor, rehearsal, drill) {
            (Some(anchor), None, None) => Trust::Anchor(anchor),
            (None, Some(_), None) => Trust::Rehearsal,
            (None, None, Some(_)) => Trust::Drill,
            _ => {
                return Err(says!(
                    "--anchor、--rehearsal、--drill のうち 1 つが必要",
                    "one of --anchor, --rehearsal, --drill is asked for"
                ));
            }
        };
        let releases = self.path("--releases")?;
        let http = self.take("--http").map(|url| url.trim_end_matches('/').to_string());
        let mut ldap = Vec::new();
        while let Some(uri) = self.take("--ldap") {
            ldap.push(uri.to_string());
        }
        Ok(Common { at, releases, trust, http, ldap })
    }

    fn nothing_else(self, command: Command) -> Result<Command, Bilingual> {
        match self.0.first() {
            None => Ok(command),
            Some((name, _)) => Err(says!(
                "{name} は余分。gishiki-dts --help",
                "{name} is unknown or given twice; see gishiki-dts --help"
            )),
        }
    }
}

fn now() -> Result<Instant, Bilingual> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.ok().and_then(|since| i64::try_from(since.as_secs()).ok());
    let clock = says!("この時代の時刻を示す時計が必要", "a clock of the present era is asked for");
    seconds.and_then(|now| Instant::from_unix(now, Offset::UTC).ok()).ok_or(clock)
}
