//! Whether secrets are still in the memory of the program, at its first signature or new PIN.
//!
//! - `FAULTY_SECRETS`: a file of what is looked for, a line each, in hexadecimal digits of octets
//!   that are inverted: so what is looked for is nowhere in memory for being looked for. The PIN of
//!   the last login is looked for besides.
//! - `FAULTY_FOUND`: a file to which what was found is appended: the number of the line, or `PIN`.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::{Mutex, Once};

use super::append;

/// The PIN of the last login, inverted.
static PIN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Keeps the PIN of a login.
pub(crate) fn keep(pin: &[u8]) {
    if let Ok(mut kept) = PIN.lock() {
        *kept = pin.iter().map(|octet| !octet).collect();
    }
}

/// Looks once.
pub(crate) fn look() {
    static LOOKED: Once = Once::new();
    let Ok(path) = std::env::var("FAULTY_SECRETS") else { return };
    LOOKED.call_once(|| {
        let Ok(text) = std::fs::read_to_string(path) else { return };
        let octet = |at: usize, line: &str| u8::from_str_radix(line.get(at..at + 2)?, 16).ok();
        let secret =
            |line: &str| (0..line.len()).step_by(2).map_while(|at| octet(at, line)).collect();
        let numbered = text.lines().enumerate();
        let mut secrets: Vec<(String, Vec<u8>)> =
            numbered.map(|(number, line)| (number.to_string(), secret(line))).collect();
        secrets.extend(PIN.lock().map(|pin| ("PIN".to_string(), pin.clone())));
        for (name, secret) in secrets {
            if is_there(&secret) {
                append("FAULTY_FOUND", &name);
            }
        }
    });
}

/// Whether octets, which are given inverted, are anywhere in memory that is written to.
fn is_there(inverted: &[u8]) -> bool {
    let (Some(first), Ok(maps), Ok(mut memory)) = (
        inverted.first(),
        std::fs::read_to_string("/proc/self/maps"),
        std::fs::File::open("/proc/self/mem"),
    ) else {
        return true;
    };
    maps.lines().filter(|line| line.contains(" rw")).any(|line| {
        let ends = line.split(' ').next().and_then(|range| range.split_once('-'));
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let Some((Some(from), Some(to))) = ends.map(|(from, to)| (number(from), number(to))) else {
            return true;
        };
        let mut octets = vec![0; (to - from) as usize];
        if memory.seek(SeekFrom::Start(from)).and_then(|_| memory.read_exact(&mut octets)).is_err()
        {
            return false;
        }
        octets.windows(inverted.len()).any(|part| {
            part.first().is_some_and(|octet| *octet == !*first)
                && part.iter().zip(inverted).all(|(octet, inverted)| *octet == !*inverted)
        })
    })
}
