//! A GET of one file over plain HTTP, as relying parties fetch CRLs (RFC 5280 8: they are signed,
//! and need no TLS).

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};

use ceremony::bounds::Bound;
use ceremony::language::Bilingual;
use ceremony::says;

use crate::patient::{Patient, SILENCE};
use crate::stop::heard;

/// How long a head may be.
const HEAD: usize = 16 << 10;

/// An answer with status 200.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The headers, their names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The content.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The values of a header, in their order.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let of_it = self.headers.iter().filter(move |(of, _)| of == name);
        of_it.map(|(_, value)| value.as_str())
    }
}

/// Fetches a URL. Follows no redirection: what is published lies where the certificates say.
pub(crate) fn get(url: &str, most: Bound) -> Result<Answer, Bilingual> {
    let rest = url.strip_prefix("http://").ok_or_else(|| {
        says!("http:// の URL が必要: {url}", "a URL with http:// is asked for, not {url}")
    })?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = if host.contains(':') { host.to_string() } else { format!("{host}:80") };
    let failed = |error: std::io::Error| {
        let why = os::said(&error);
        says!(why; "{url}: {why}", "{url}: {why}")
    };
    let octets = fetch(&address, host, path, most).map_err(failed)?;
    let broken = || says!("{url}: HTTP の応答でない", "{url}: no answer of HTTP");
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(broken)?;
    let (head, body) = octets.split_at(end + 4);
    let head = std::str::from_utf8(head).ok().filter(|_| end <= HEAD).ok_or_else(broken)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or_else(broken)?;
    if status != "200" {
        let status = heard(status);
        return Err(says!("{url}: 状態コード {status}", "{url}: status {status}"));
    }
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_string()))
    };
    let answer = Answer { headers: lines.filter_map(header).collect(), body: body.to_vec() };
    let length = answer.headers("content-length").next();
    let length = length.and_then(|length| length.parse::<usize>().ok());
    if length != Some(body.len()) {
        return Err(says!("{url}: 途中で切れた応答", "{url}: an answer that is cut off"));
    }
    Ok(answer)
}

/// One request of HTTP/1.0, which is answered in one piece.
fn fetch(address: &str, host: &str, path: &str, most: Bound) -> std::io::Result<Vec<u8>> {
    let refused = || std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    let to = address.to_socket_addrs()?.next().ok_or_else(refused)?;
    let mut stream = Patient::new(TcpStream::connect_timeout(&to, SILENCE)?);
    let request = format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut octets = Vec::new();
    let limit = most.most.saturating_add(u64::try_from(HEAD).unwrap_or_default());
    stream.take(limit).read_to_end(&mut octets)?;
    Ok(octets)
}
