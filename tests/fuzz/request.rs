//! Fuzzes the reader of a certificate signing request: what is taken is the one encoding of what
//! it says, and its proof of possession is judged without a panic.
#![no_main]

use der::{DecodePem as _, EncodePem as _};
use x509_cert::request::CertReq;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let Ok(request) = ceremony::x509::request::read("fuzzed", text) else { return };
    // Where the lines of the PEM are broken may differ.
    let bare = |text: &str| text.split_ascii_whitespace().collect::<String>();
    if let Ok(other) = CertReq::from_pem(text.trim_ascii()) {
        let again = other.to_pem(der::pem::LineEnding::LF).unwrap();
        assert_eq!(bare(&again), bare(text));
        let info = other.info.public_key.subject_public_key.as_bytes().unwrap();
        assert_eq!(info, request.public.octets());
    }
    let _held = request.possession.prove();
});
