//! A connection that ends: its other side may be silent for some time, and take some time in all.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long a server may be silent.
pub(crate) const SILENCE: Duration = Duration::from_secs(20);
/// How long a connection may take.
const ALL: Duration = Duration::from_secs(120);

/// A connection with its end.
#[derive(Debug)]
pub(crate) struct Patient<S> {
    stream: S,
    until: Instant,
}

/// What is told how long to wait.
pub(crate) trait Waits: Read + Write {
    /// Waits at most so long for each octet, in either direction.
    fn wait(&self, at_most: Duration) -> Result<()>;
}

impl Waits for TcpStream {
    fn wait(&self, at_most: Duration) -> Result<()> {
        self.set_read_timeout(Some(at_most))?;
        self.set_write_timeout(Some(at_most))
    }
}

impl Waits for UnixStream {
    fn wait(&self, at_most: Duration) -> Result<()> {
        self.set_read_timeout(Some(at_most))?;
        self.set_write_timeout(Some(at_most))
    }
}

impl<S: Waits> Patient<S> {
    /// A connection that has just begun.
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, until: Instant::now() + ALL }
    }

    /// Sets how long the next call may wait.
    fn ready(&self) -> Result<()> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::from(ErrorKind::TimedOut));
        }
        self.stream.wait(left.min(SILENCE))
    }
}

/// The system says of a wait that ended only that it would have waited.
fn ended(error: Error) -> Error {
    if error.kind() == ErrorKind::WouldBlock { Error::from(ErrorKind::TimedOut) } else { error }
}

impl<S: Waits> Read for Patient<S> {
    fn read(&mut self, octets: &mut [u8]) -> Result<usize> {
        self.ready()?;
        self.stream.read(octets).map_err(ended)
    }
}

impl<S: Waits> Write for Patient<S> {
    fn write(&mut self, octets: &[u8]) -> Result<usize> {
        self.ready()?;
        self.stream.write(octets).map_err(ended)
    }

    fn flush(&mut self) -> Result<()> {
        self.stream.flush()
    }
}
