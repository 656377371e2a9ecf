//! A folder on disk, or in a revision of git, which is written as git does: `REV:PATH`.
//!
//! A revision's files are read by the program `git` as they are stored, into a folder of their own,
//! which is removed when the side is no longer needed. There they lie as in the revision, with
//! what is read beside and above them: the CA's documents, and its ledger or goldens.
//!
//! **Invariant:** git names objects and prints them, and nothing else: it writes nothing, fetches
//! nothing, and takes no word of the command line for an option. **Deliberately absent:** links
//! and submodules, which no command would read.

use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read as _, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ceremony::bounds::FILE;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::seal::TRANSCRIPT_FILE;
use tempfile::TempDir;

use crate::files::{self, PLAN_FILE};
use crate::halt::Halt;
use crate::ledgers;
use crate::report::plain;
use crate::sources::{Sources, shown};

/// A folder that is compared: of a plan, of a sealed ceremony, or of a CA.
#[derive(Debug)]
pub(crate) struct Side {
    /// Where it can be read.
    pub(crate) folder: PathBuf,
    revision: Option<Revision>,
}

/// Where the files of a revision are.
#[derive(Debug)]
struct Revision {
    name: String,
    /// The id of its tree.
    tree: String,
    /// The folder of the CA in it.
    ca: PathBuf,
    kept: TempDir,
    /// The same folder in the working tree, if there is one.
    at_work: Option<PathBuf>,
}

impl Side {
    /// Finds what was asked for. A folder that is there is meant as such, whatever its name.
    pub(crate) fn of(asked: &Path) -> Result<Self, Halt> {
        let said = asked.to_str().filter(|_| asked.symlink_metadata().is_err());
        match said.and_then(|said| said.split_once(':')) {
            Some((revision, path)) => Self::of_revision(revision, path),
            None => Ok(Self::on_disk(asked)),
        }
    }

    /// A folder on disk.
    pub(crate) fn on_disk(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), revision: None }
    }

    fn of_revision(revision: &str, path: &str) -> Result<Self, Halt> {
        git(&["rev-parse", "--git-dir"])?.map_err(|said| {
            refused(says!("git のリポジトリ", "a repository of git"), said_by_git(&said))
        })?;
        let unknown = || {
            let asked = says!("git のリビジョン", "a revision of git");
            refused(asked, Bilingual::plain(plain(revision)))
        };
        // No name of a revision begins like an option.
        if revision.is_empty() || revision.starts_with('-') {
            return Err(unknown());
        }
        let tree = object(&format!("{revision}^{{tree}}"))?.ok_or_else(unknown)?;
        let absent = || {
            let revision = plain(revision);
            let asked = says!("{revision} にあるフォルダー", "a folder in {revision}");
            refused(asked, Bilingual::plain(plain(path)))
        };
        let path = within(path)?.ok_or_else(absent)?;
        let named = |name: &str| object(&format!("{tree}:{}", below(&path, name)));
        let is_ceremony = named(PLAN_FILE)?.is_some() || named(TRANSCRIPT_FILE)?.is_some();
        let ca = match path.parent() {
            Some(parent) if is_ceremony => parent.to_path_buf(),
            Some(_) | None => path.clone(),
        };
        let kept = tempfile::tempdir().map_err(|error| not_kept(&error))?;
        if !copy(&tree, &ca, kept.path())? {
            return Err(absent());
        }
        let top = git(&["rev-parse", "--show-toplevel"])?.ok();
        let at_work = top.as_deref().map(|top| Path::new(line(top)).join(&path));
        let folder = kept.path().join(&path);
        let revision = Revision { name: revision.to_string(), tree, ca, kept, at_work };
        Ok(Self { folder, revision: Some(revision) })
    }

    /// Whether it is the folder of a CA, which has the folders of its plans.
    pub(crate) fn is_ca(&self) -> bool {
        let has = |name: &str| self.folder.join(name).exists();
        self.folder.is_dir() && has("policy.toml") && !has(PLAN_FILE) && !has(TRANSCRIPT_FILE)
    }

    /// Returns the ledger that holds this ceremony: of a revision the revision's, or else that of
    /// the working tree.
    pub(crate) fn ledger(&self, plan: &Path, last: &Name) -> Result<PathBuf, Halt> {
        let Some(revision) = &self.revision else { return ledgers::beside(plan, last) };
        for folder in ["ledger", "golden"].iter().filter_map(|kind| ledger(&revision.ca, kind)) {
            if !revision.kept.path().join(&folder).exists() {
                copy(&revision.tree, &folder, revision.kept.path())?;
            }
        }
        let found = ledgers::beside(plan, last);
        match (found, &revision.at_work) {
            (Err(_), Some(at_work)) => {
                let inner = plan.strip_prefix(&self.folder).unwrap_or(Path::new(""));
                ledgers::beside(&at_work.join(inner), last)
            }
            (found, _) => found,
        }
    }

    /// Names the texts of a revision as git does, not by the folder in which they were read.
    pub(crate) fn named(&self, mut sources: Sources) -> Sources {
        let Some(Revision { name, kept, .. }) = &self.revision else { return sources };
        let Sources { plan, cps, policy, roster, release, .. } = &mut sources;
        for (path, _) in [plan, cps, policy, roster].into_iter().chain(release) {
            if let Ok(inner) = path.strip_prefix(kept.path()) {
                *path = PathBuf::from(format!("{name}:{}", inner.display()));
            }
        }
        sources
    }
}

/// The folder of a CA's ledger or goldens, as [`ledgers::beside`] finds it.
fn ledger(ca: &Path, kind: &str) -> Option<PathBuf> {
    let (name, root) = (ca.file_name()?, ca.parent()?.parent()?);
    Some(root.join(kind).join(name))
}

/// Returns a path from the top of a tree. A path that begins with a dot is meant from where git is
/// called, as git means it; `None` if it leads out of the tree.
fn within(path: &str) -> Result<Option<PathBuf>, Halt> {
    let mut from_top = PathBuf::new();
    if [".", ".."].iter().any(|dots| Path::new(path).starts_with(dots)) {
        from_top.push(line(&git(&["rev-parse", "--show-prefix"])?.unwrap_or_default()));
    }
    from_top.push(path);
    let mut found = PathBuf::new();
    for component in from_top.components() {
        match component {
            Component::Normal(name) => found.push(name),
            Component::CurDir => {}
            Component::ParentDir if found.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Ok(None),
        }
    }
    Ok(Some(found))
}

/// A path in a tree, as git writes it.
fn below(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// Returns the id of an object, if there is one of this name.
fn object(name: &str) -> Result<Option<String>, Halt> {
    let found = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", name])?;
    Ok(found.ok().map(|id| line(&id).to_string()))
}

/// Copies a folder of a tree, with all that is in it; returns whether there is one.
fn copy(top: &str, folder: &Path, to: &Path) -> Result<bool, Halt> {
    let Some(tree) = object(&format!("{top}:{}", folder.display()))? else { return Ok(false) };
    let Ok(listed) = git(&["ls-tree", "-r", "-z", "--full-tree", &tree])? else {
        return Ok(false);
    };
    let to = to.join(folder);
    fs::create_dir_all(&to).map_err(|error| not_kept(&error))?;
    let mut reader = command(&["cat-file", "--batch"]);
    reader.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut reader = reader.spawn().map_err(|error| not_run(&error))?;
    let (Some(mut ask), Some(found)) = (reader.stdin.take(), reader.stdout.take()) else {
        return Err(not_read(&folder.display().to_string()));
    };
    let mut found = BufReader::new(found);
    for entry in listed.split('\0').filter(|entry| !entry.is_empty()) {
        // MODE TYPE ID<TAB>PATH; regular files have a mode that begins with 100.
        let (head, path) = entry.split_once('\t').ok_or_else(|| not_read(entry))?;
        let id = head.rsplit(' ').next().filter(|_| head.starts_with("100"));
        let Some(id) = id else { continue };
        let plain = |name: Component<'_>| matches!(name, Component::Normal(_));
        if !Path::new(path).components().all(plain) {
            return Err(not_read(path));
        }
        let octets = blob(&mut ask, &mut found, id).map_err(|_| not_read(path))?;
        let path = to.join(path);
        let parent = path.parent().unwrap_or(&to);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, octets))
            .map_err(|error| not_kept(&error))?;
    }
    drop(ask);
    reader.wait().map_err(|error| not_run(&error))?;
    Ok(true)
}

/// Reads the octets of a file: `ID TYPE SIZE`, the octets, and a line feed. A file that is too
/// large is left as large as it needs to be refused.
fn blob(ask: &mut impl Write, found: &mut impl BufRead, id: &str) -> io::Result<Vec<u8>> {
    let unread = || io::Error::from(ErrorKind::InvalidData);
    writeln!(ask, "{id}")?;
    ask.flush()?;
    let mut head = String::new();
    found.by_ref().take(FILE.most).read_line(&mut head)?;
    let size = head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok());
    let size = size.filter(|_| head.contains(" blob ")).ok_or_else(unread)?;
    let kept = size.min(FILE.most.saturating_add(1));
    let mut octets = Vec::new();
    found.by_ref().take(kept).read_to_end(&mut octets)?;
    io::copy(&mut found.by_ref().take(size - kept + 1), &mut io::sink())?;
    match u64::try_from(octets.len()) {
        Ok(length) if length == kept => Ok(octets),
        Ok(_) | Err(_) => Err(unread()),
    }
}

/// Runs git. Returns what it printed, or what it said instead.
fn git(words: &[&str]) -> Result<Result<String, String>, Halt> {
    let Output { status, stdout, stderr } =
        command(words).output().map_err(|error| not_run(&error))?;
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    Ok(if status.success() { Ok(text(&stdout)) } else { Err(text(&stderr)) })
}

/// A call of git that only reads: no lock, no question, and no object from elsewhere.
fn command(words: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.arg("--no-pager").args(words).stdin(Stdio::null()).stderr(Stdio::piped());
    git.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0");
    git.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "");
    git
}

fn line(text: &str) -> &str {
    text.trim_end_matches('\n')
}

fn refused(asked: Bilingual, found: Bilingual) -> Halt {
    Halt::media(RuleId::S_FILE, asked, found)
}

fn said_by_git(said: &str) -> Bilingual {
    Bilingual::plain(plain(said.lines().next().unwrap_or_default()))
}

fn not_run(error: &io::Error) -> Halt {
    let asked = says!("REV:PATH を読むプログラム git", "the program git, which reads REV:PATH");
    let found = match error.kind() == ErrorKind::NotFound {
        true => says!("PATH になし", "none on the PATH"),
        false => files::said(error),
    };
    refused(asked, found)
}

fn not_kept(error: &io::Error) -> Halt {
    let folder = shown(&std::env::temp_dir());
    let asked = says!("{folder} への書き込み", "to write to {folder}");
    refused(asked, files::said(error))
}

fn not_read(path: &str) -> Halt {
    let asked = says!("git から読めるファイル", "a file that git can read");
    refused(asked, Bilingual::plain(plain(path)))
}
