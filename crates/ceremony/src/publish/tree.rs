//! The web as a value: which file lies where.
//!
//! `www` is the CA's own site, `dts` the place that the certificates name for CRLs. They are two
//! trees so that they can be two hosts: the fingerprint is published apart from the certificate
//! (R-FINGERPRINT).

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::content::{Item, Root};
use super::due::Due;
use super::page;
use crate::fault::Fault;
use crate::hex;
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;

/// The octets of a file of the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// Those of a file of a release.
    Item(&'a Item),
    /// This text.
    Text(String),
}

/// Every file of the web by its path.
pub type Tree<'a> = BTreeMap<String, Body<'a>>;

/// Returns the web as it is at the time of what is due.
///
/// # Errors
/// S-PUBLISH if a certificate names a place for its CRL that cannot be a path, or is that of
/// another key.
pub fn tree<'a>(due: &Due<'a>) -> Result<Tree<'a>, Fault> {
    let mut tree = Tree::new();
    for (item, _, withdrawn) in &due.roots {
        let name = item.stem();
        put(&mut tree, format!("dts/roots/{name}.cer"), item)?;
        if !withdrawn {
            put(&mut tree, format!("www/roots/{name}.cer"), item)?;
        }
    }
    for (item, _) in &due.links {
        put(&mut tree, format!("dts/links/{}.cer", item.stem()), item)?;
    }
    for (_, root, _) in &due.roots {
        let Some((item, crl)) = due.crls.get(&root.key) else { continue };
        for place in crl_places(root)? {
            put(&mut tree, place, item)?;
        }
        let key = hex::encode(&root.key.0);
        put(&mut tree, format!("dts/kept/{key}-{}.crl", crl.number), item)?;
    }
    for (release, item, language) in &due.notices {
        let (name, language) = (&release.statement.ceremony, language.code());
        put(&mut tree, format!("www/notices/{name}.{language}.md"), item)?;
    }
    if let Some((item, _)) = due.cps {
        put(&mut tree, format!("www/cps/{}", item.name), item)?;
    }
    tree.insert("www/index.html".to_owned(), Body::Text(page::page(due)));
    Ok(tree)
}

/// The places of the CRL of a root's key, from the addresses in the root; by the key's identifier
/// if it has none for HTTP.
///
/// # Errors
/// S-PUBLISH if an address cannot be a path.
pub fn crl_places(root: &Root) -> Result<Vec<String>, Fault> {
    let over_http = |url: &&String| url.starts_with("http://") || url.starts_with("https://");
    let mut places = Vec::new();
    for url in root.crls.iter().filter(over_http) {
        let path = url.splitn(4, '/').nth(3).filter(|path| path.split('/').all(is_plain));
        let path = path.ok_or_else(|| {
            let asked = says!(
                "英数字と `-`、`_`、`.` だけのパスのある CRL の URL",
                "the URL of a CRL with a path of letters, digits, `-`, `_`, `.` only"
            );
            Fault::new(RuleId::S_PUBLISH, asked, Bilingual::plain(url))
        })?;
        places.push(format!("dts/{path}"));
    }
    if places.is_empty() {
        places.push(format!("dts/crl/{}.crl", hex::encode(&root.key.0)));
    }
    Ok(places)
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

fn put<'a>(tree: &mut Tree<'a>, path: String, item: &'a Item) -> Result<(), Fault> {
    if !path.split('/').all(is_plain) {
        let asked =
            says!("英数字、`-`、`_`、`.` だけの名前", "a name of letters, digits, `-`, `_`, `.`");
        return Err(Fault::new(RuleId::S_PUBLISH, asked, Bilingual::plain(path.escape_debug())));
    }
    match tree.insert(path.clone(), Body::Item(item)) {
        Some(Body::Item(other)) if other.digest != item.digest => {
            let asked = says!("{path} に 1 つのファイル", "one file at {path}");
            let (one, other) = (&other.name, &item.name);
            let found = says!("{one} と {other}", "both {one} and {other}");
            Err(Fault::new(RuleId::S_PUBLISH, asked, found))
        }
        Some(Body::Item(_) | Body::Text(_)) | None => Ok(()),
    }
}
