//! An LDAPv3 client (RFC 4511) with what publication needs: bind, search of one entry, add, modify.
//!
//! It writes through a local socket on which the server takes the identity of the process (SASL
//! EXTERNAL), so there is no password. Consumers get the entry by the server's own replication.

mod ber;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;

use ceremony::bounds::SEALED_FOLDER;
use ceremony::language::Bilingual;
use ceremony::publish::Entry;
use ceremony::says;

use ber::{element, of, small, string};

use crate::patient::{Patient, SILENCE};
use crate::stop::heard;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const NO_SUCH_OBJECT: u8 = 32;
const ALREADY_EXISTS: u8 = 68;

trait Both: Read + Write {}
impl<T: Read + Write> Both for T {}

/// The values of an entry's attributes, by description.
pub(crate) type Values = BTreeMap<String, Vec<Vec<u8>>>;

/// A connection.
pub(crate) struct Directory {
    stream: Box<dyn Both>,
    uri: String,
    number: u8,
}

/// Why an operation did not succeed.
enum Failure {
    /// The connection failed.
    Said(Bilingual),
    /// The server's result.
    Result(u8, String),
}

impl Failure {
    fn said(self, uri: &str) -> Bilingual {
        match self {
            Self::Said(said) => says!(said; "{uri}: {said}", "{uri}: {said}"),
            Self::Result(code, text) => says!(
                "{uri}: LDAP の結果コード {code}: {text}",
                "{uri}: LDAP result {code}: {text}"
            ),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Said(os::said(&error))
    }
}

impl Directory {
    /// Connects: by `ldapi://` as the identity of this process, by `ldap://` as nobody.
    pub(crate) fn connect(uri: &str) -> Result<Self, Bilingual> {
        let mut directory = connected(uri).map_err(|failure| failure.said(uri))?;
        if uri.starts_with("ldapi://") {
            let sasl = of(0xa3, &[string("EXTERNAL"), string("")]);
            let bind = of(0x60, &[small(0x02, 3), string(""), sasl]);
            let bound = directory.ask(&bind, 0x61).and_then(|(result, _)| good(&result));
            bound.map_err(|failure| failure.said(uri))?;
        }
        Ok(directory)
    }

    /// Returns the values of these attributes of one entry; `None` if there is no such entry.
    pub(crate) fn read(&mut self, name: &str, of: &[&str]) -> Result<Option<Values>, Bilingual> {
        let uri = self.uri.clone();
        self.search(name, of).map_err(|failure| failure.said(&uri))
    }

    fn search(&mut self, name: &str, wanted: &[&str]) -> Result<Option<Values>, Failure> {
        let wanted: Vec<Vec<u8>> = wanted.iter().map(string).collect();
        let request = of(
            0x63,
            &[
                string(name),
                small(0x0a, 0),
                small(0x0a, 0),
                small(0x02, 2),
                small(0x02, 20),
                element(0x01, &[0]),
                element(0x87, b"objectClass"),
                of(SEQUENCE, &wanted),
            ],
        );
        let (result, entries) = self.ask(&request, 0x65)?;
        match good(&result) {
            Err(Failure::Result(NO_SUCH_OBJECT, _)) => return Ok(None),
            other => other?,
        }
        let Some(entry) = entries.first() else { return Ok(None) };
        values(entry).map(Some).ok_or_else(broken)
    }

    /// Makes the entry's attributes equal to these, in one request. If there is no such entry, it
    /// is added, with those above it that are missing.
    pub(crate) fn write(&mut self, entry: &Entry<'_>, values: &Values) -> Result<(), Bilingual> {
        let uri = self.uri.clone();
        self.put(entry, values).map_err(|failure| failure.said(&uri))
    }

    fn put(&mut self, entry: &Entry<'_>, values: &Values) -> Result<(), Failure> {
        let Some(((name, first), above)) = entry.names.split_last() else { return Ok(()) };
        let replace = |(attribute, values): (&String, &Vec<Vec<u8>>)| {
            of(SEQUENCE, &[small(0x0a, 2), attribute_of(attribute, values)])
        };
        let changes: Vec<Vec<u8>> = values.iter().map(replace).collect();
        let request = of(0x66, &[string(name), of(SEQUENCE, &changes)]);
        let (result, _) = self.ask(&request, 0x67)?;
        match good(&result) {
            Err(Failure::Result(NO_SUCH_OBJECT, _)) => {}
            other => return other,
        }
        for (name, first) in above {
            // What stands above the server's own suffix is not its to add, nor what is there.
            let (_, _) = self.ask(&added(name, first, &[], &Values::new()), 0x69)?;
        }
        let (result, _) = self.ask(&added(name, first, &["pkiCA"], values), 0x69)?;
        match good(&result) {
            Err(Failure::Result(ALREADY_EXISTS, _)) => Ok(()),
            other => other,
        }
    }

    /// Sends a request; returns the content of its result, and of every entry before it.
    fn ask(&mut self, request: &[u8], result: u8) -> Result<(Vec<u8>, Vec<Vec<u8>>), Failure> {
        self.number = self.number % 100 + 1;
        let number = small(0x02, self.number);
        self.stream.write_all(&of(SEQUENCE, &[number, request.to_vec()]))?;
        self.stream.flush()?;
        let mut entries = Vec::new();
        loop {
            let message = self.message()?;
            let mut rest = message.as_slice();
            let of_this = ber::take(&mut rest) == Some((0x02, &[self.number]));
            match ber::take(&mut rest) {
                Some((0x64, content)) if of_this => entries.push(content.to_vec()),
                Some((0x73, _)) if of_this => {}
                Some((tag, content)) if of_this && tag == result => {
                    return Ok((content.to_vec(), entries));
                }
                Some(_) | None => return Err(broken()),
            }
        }
    }

    /// Reads the content of one LDAPMessage.
    fn message(&mut self) -> Result<Vec<u8>, Failure> {
        let mut octets = Vec::new();
        let length = loop {
            let mut one = [0];
            self.stream.read_exact(&mut one)?;
            octets.extend(one);
            if let Some((tag, _, length)) = ber::head(&octets) {
                if tag != SEQUENCE || SEALED_FOLDER.judge(length).is_err() {
                    return Err(broken());
                }
                break length;
            }
            if octets.len() > 12 {
                return Err(broken());
            }
        };
        let mut content = Vec::new();
        let wanted = u64::try_from(length).unwrap_or(u64::MAX);
        Read::by_ref(&mut self.stream).take(wanted).read_to_end(&mut content)?;
        if content.len() == length { Ok(content) } else { Err(broken()) }
    }
}

fn connected(uri: &str) -> Result<Directory, Failure> {
    let stream: Box<dyn Both> = if let Some(path) = uri.strip_prefix("ldapi://") {
        let path = unescaped(path.trim_end_matches('/'));
        Box::new(Patient::new(UnixStream::connect(path)?))
    } else if let Some(host) = uri.strip_prefix("ldap://") {
        let host = host.trim_end_matches('/');
        let address = if host.contains(':') { host.to_string() } else { format!("{host}:389") };
        let refused = || std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
        let to = address.to_socket_addrs()?.next().ok_or_else(refused)?;
        Box::new(Patient::new(TcpStream::connect_timeout(&to, SILENCE)?))
    } else {
        let said = says!("ldapi:// 又は ldap:// が必要", "ldapi:// or ldap:// is asked for");
        return Err(Failure::Said(said));
    };
    Ok(Directory { stream, uri: uri.to_string(), number: 0 })
}

/// The path of a socket, in which `%2F` stands for a slash.
fn unescaped(path: &str) -> String {
    path.replace("%2F", "/").replace("%2f", "/")
}

fn broken() -> Failure {
    Failure::Said(says!("LDAP の応答でない", "no answer of LDAP"))
}

/// Reads an LDAPResult.
fn good(mut result: &[u8]) -> Result<(), Failure> {
    let code = match ber::take(&mut result) {
        Some((0x0a, [code])) => *code,
        Some(_) | None => return Err(broken()),
    };
    let _matched = ber::take(&mut result);
    let text = ber::take(&mut result).map(|(_, text)| heard(&String::from_utf8_lossy(text)));
    if code == 0 { Ok(()) } else { Err(Failure::Result(code, text.unwrap_or_default())) }
}

/// Reads the attributes of a SearchResultEntry.
fn values(mut entry: &[u8]) -> Option<Values> {
    let _name = ber::take(&mut entry)?;
    let (_, mut attributes) = ber::take(&mut entry)?;
    let mut found = Values::new();
    while !attributes.is_empty() {
        let (_, mut attribute) = ber::take(&mut attributes)?;
        let (_, name) = ber::take(&mut attribute)?;
        let (_, mut set) = ber::take(&mut attribute)?;
        let values = found.entry(String::from_utf8_lossy(name).into_owned()).or_default();
        while !set.is_empty() {
            values.push(ber::take(&mut set)?.1.to_vec());
        }
    }
    Some(found)
}

fn attribute_of(name: &str, values: &[Vec<u8>]) -> Vec<u8> {
    let values: Vec<Vec<u8>> = values.iter().map(string).collect();
    of(SEQUENCE, &[string(name), of(SET, &values)])
}

/// An AddRequest: the entry's classes follow from the first part of its name (RFC 4519, 4523).
fn added(
    name: &str,
    (kind, value): &(&'static str, String),
    classes: &[&str],
    values: &Values,
) -> Vec<u8> {
    let structural = match *kind {
        "C" => "country",
        "O" => "organization",
        "OU" => "organizationalUnit",
        "L" | "ST" => "locality",
        _ => "applicationProcess",
    };
    let classes = [structural]
        .into_iter()
        .chain(classes.iter().copied())
        .map(|class| class.as_bytes().to_vec());
    let mut attributes = vec![
        attribute_of("objectClass", &classes.collect::<Vec<_>>()),
        attribute_of(kind, &[value.as_bytes().to_vec()]),
    ];
    let some = values.iter().filter(|(_, values)| !values.is_empty());
    attributes.extend(some.map(|(name, values)| attribute_of(name, values)));
    of(0x68, &[string(name), of(SEQUENCE, &attributes)])
}
