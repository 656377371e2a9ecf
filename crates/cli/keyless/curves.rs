//! What `sigstore-verify` computes with, instead of the C that it brings by default: the curves and
//! digests that this program has in any case.
//!
//! RSA and ML-DSA are refused: neither Sigstore's public instance nor those of its clients sign
//! approvals with them today, and each would be one more crate.

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use sigstore_verify::crypto::{
    CryptoProvider, Error, HashContext, KeyAlgorithm, Result, SigningScheme,
    install_default_provider,
};
use sigstore_verify::types::HashAlgorithm;

/// The curves and digests.
#[derive(Debug)]
struct Curves;

/// Has Sigstore's crates compute with them, from the first call on.
pub(super) fn install() {
    // Another call was first.
    let _ = install_default_provider(&Curves);
}

/// A digest that is being computed.
struct Hashing<H>(H);

impl<H: sha2::Digest + Send> HashContext for Hashing<H> {
    fn update(&mut self, data: &[u8]) {
        sha2::Digest::update(&mut self.0, data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

impl CryptoProvider for Curves {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        match algorithm {
            HashAlgorithm::Sha2256 => Ok(Box::new(Hashing(Sha256::new()))),
            HashAlgorithm::Sha2384 => Ok(Box::new(Hashing(Sha384::new()))),
            HashAlgorithm::Sha2512 => Ok(Box::new(Hashing(Sha512::new()))),
            _ => Err(Error::UnsupportedAlgorithm(algorithm.to_string())),
        }
    }

    fn verify_raw(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        data: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        if scheme == SigningScheme::Ed25519 {
            return ed25519(key, data, signature);
        }
        let algorithm = scheme.hash_algorithm().ok_or_else(|| unsupported(scheme))?;
        let mut hashing = self.hash(algorithm)?;
        hashing.update(data);
        self.verify_prehashed(scheme, key, &hashing.finalize(), signature)
    }

    fn verify_prehashed(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        digest: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        match scheme.key_algorithm() {
            KeyAlgorithm::EcdsaP256 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(wrong)?;
                let signature = p256::ecdsa::Signature::from_der(signature).map_err(wrong)?;
                key.verify_prehash(digest, &signature).map_err(wrong)
            }
            KeyAlgorithm::EcdsaP384 => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(wrong)?;
                let signature = p384::ecdsa::Signature::from_der(signature).map_err(wrong)?;
                key.verify_prehash(digest, &signature).map_err(wrong)
            }
            KeyAlgorithm::Ed25519
            | KeyAlgorithm::Rsa
            | KeyAlgorithm::MlDsa44
            | KeyAlgorithm::MlDsa65
            | KeyAlgorithm::MlDsa87
            | _ => Err(unsupported(scheme)),
        }
    }
}

fn ed25519(key: &[u8], data: &[u8], signature: &[u8]) -> Result<()> {
    let key: &[u8; 32] = key.try_into().map_err(wrong)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(wrong)?;
    let signature = ed25519_dalek::Signature::from_slice(signature).map_err(wrong)?;
    key.verify_strict(data, &signature).map_err(wrong)
}

fn wrong(error: impl std::fmt::Display) -> Error {
    Error::Verification(error.to_string())
}

fn unsupported(scheme: SigningScheme) -> Error {
    Error::UnsupportedAlgorithm(scheme.name().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        let octets = ceremony::hex::decode(&hex.to_ascii_lowercase());
        assert!(octets.is_some(), "{hex}");
        octets.into_iter().flatten().collect()
    }

    /// RFC 6979 A.2.6, of "sample"; RFC 8032 7.1, test 1. The mock of the tests has P-256 only.
    #[test]
    fn what_no_mock_signs_with_is_verified_too() {
        let x = "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13";
        let y = "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720";
        let key = octets(&format!("04{x}{y}"));
        let by_384 = "306602310094EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46\
                      02310099EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8";
        let by_256 = "3065023021B13D1E013C7FA1392D03C5F99AF8B30C570C6F98D4EA8E354B63A21D3DAA33BDE1E888E63355D92FA2B3C36D8FB2CD\
                      023100F3AA443FB107745BF4BD77CB3891674632068A10CA67E3D45DB2266FA7D1FEEBEFDC63ECCD1AC42EC0CB8668A4FA0AB0";
        for (scheme, signature) in [
            (SigningScheme::EcdsaP384Sha384, octets(by_384)),
            (SigningScheme::EcdsaP384Sha256, octets(by_256)),
        ] {
            assert!(Curves.verify_raw(scheme, &key, b"sample", &signature).is_ok(), "{scheme:?}");
            assert!(Curves.verify_raw(scheme, &key, b"Sample", &signature).is_err());
        }
        let key = octets("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let signature = octets(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        );
        assert!(Curves.verify_raw(SigningScheme::Ed25519, &key, b"", &signature).is_ok());
        assert!(Curves.verify_raw(SigningScheme::Ed25519, &key, b"1", &signature).is_err());
        // What is not computed here verifies nothing.
        for scheme in [SigningScheme::RsaPkcs1Sha256, SigningScheme::MlDsa44] {
            assert!(Curves.verify_raw(scheme, &key, b"", &signature).is_err());
        }
    }
}
