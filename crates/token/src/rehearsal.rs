//! The rehearsal token: deterministic, inside this process, with derived keys (see
//! [`ceremony::rehearsal`]).
//!
//! It answers as a good token would: attributes are read back as they were set, private operations
//! ask for a login, negative steps are denied. Its signatures are those of RFC 6979, so two
//! rehearsals give the same octets.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

use ceremony::hex::Octets;
use ceremony::key::Curve;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::says;
use ceremony::token::{
    Attribute, CopyFacts, CopyRemains, CopyRequest, KeyFacts, KeyTemplate, TokenAnswer, TokenError,
    TokenIdentity, TokenObject, TokenRequest,
};

/// The rehearsal token.
#[derive(Debug, Default)]
pub struct RehearsalToken {
    /// Its name among the tokens of a rehearsal; the main one has none.
    name: Option<Name>,
    logged_in: bool,
    keys: BTreeMap<Octets, KeyTemplate>,
    heads: BTreeMap<String, Vec<Octets>>,
    watcher: Option<Sender<Octets>>,
}

impl RehearsalToken {
    /// An empty token.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty token besides the main one; its serial number is `REHEARSAL-` and this name.
    #[must_use]
    pub fn named(name: Name) -> Self {
        Self { name: Some(name), ..Self::default() }
    }

    /// Makes a token with what earlier ceremonies have left on it: keys as they were generated, or
    /// as [`KeyTemplate::copied`] has them, and data objects by label.
    #[must_use]
    pub fn holding(mut self, keys: Vec<KeyTemplate>, heads: BTreeMap<String, Octets>) -> Self {
        self.keys = keys.into_iter().map(|key| (key.id.clone(), key)).collect();
        self.heads = heads.into_iter().map(|(label, value)| (label, vec![value])).collect();
        self
    }

    /// Copies a key to another rehearsal token, whose copy is the same derived key.
    pub fn copy(&mut self, to: &mut Self, request: CopyRequest) -> Result<TokenAnswer, TokenError> {
        if to.keys.contains_key(&request.key.id) {
            return Err(error(
                "C_FindObjects",
                says!("複製先に既にある CKA_ID", "CKA_ID on the target already"),
            ));
        }
        self.logged_in = true;
        to.logged_in = true;
        let key = self.key("C_WrapKey", &request.key.id)?;
        let travels = [Attribute::Extractable, Attribute::WrapWithTrusted];
        if travels.iter().any(|name| key.private.get(name) != Some(&true)) {
            return Err(returned("C_WrapKey", "CKR_KEY_UNEXTRACTABLE"));
        }
        let (id, curve) = (request.key.id.clone(), request.key.curve);
        if self.inspect(&id, curve).point != request.point {
            let found = says!("求めたものと異なる公開鍵", "not the public key that was asked for");
            return Err(error("C_FindObjects", found));
        }
        to.keys.insert(id.clone(), request.key);
        Ok(TokenAnswer::Copied(CopyFacts {
            key: to.inspect(&id, curve),
            mechanisms: ["CKM_ECDH1_DERIVE", "CKM_AES_KEY_WRAP_PAD"].map(String::from).to_vec(),
            wrapping: request.kek.wrapping,
            unwrapping: request.kek.unwrapping,
            source_left: 0,
            target_left: 0,
        }))
    }

    /// Does what people do when they clone a key with their modules' own means.
    pub fn take_clone(&mut self, from: &Self, id: &Octets) {
        if let Some(key) = from.keys.get(id) {
            self.keys.insert(id.clone(), key.clone());
        }
    }

    /// Removes what a copy has left on this token.
    pub(crate) fn clear(&mut self, remains: CopyRemains) -> Result<TokenAnswer, TokenError> {
        self.private("C_DestroyObject")?;
        self.keys.remove(&remains.id);
        Ok(TokenAnswer::Left { objects: 0 })
    }

    /// Sends a copy of each signature of the next signing request as it is made.
    pub fn watch(&mut self, watcher: Sender<Octets>) {
        self.watcher = Some(watcher);
    }

    /// Performs a request.
    pub fn perform(&mut self, request: TokenRequest) -> Result<TokenAnswer, TokenError> {
        match request {
            TokenRequest::Identify { serial, .. } => self.identify(&serial),
            TokenRequest::Login { .. } => {
                self.logged_in = true;
                Ok(TokenAnswer::Done {})
            }
            TokenRequest::Logout { .. } => {
                self.logged_in = false;
                Ok(TokenAnswer::Done {})
            }
            TokenRequest::List { .. } => Ok(self.list()),
            TokenRequest::Generate { key, .. } => self.generate(key),
            TokenRequest::Inspect { id, curve, .. } => {
                Ok(TokenAnswer::Key(self.inspect(&id, curve)))
            }
            TokenRequest::ReadValue { id, .. } => {
                self.key("C_GetAttributeValue", &id)?;
                Ok(TokenAnswer::Denied { code: "CKR_ATTRIBUTE_SENSITIVE".into() })
            }
            TokenRequest::Wrap { id, .. } => self.wrap(&id),
            TokenRequest::Sign { id, curve, digests, .. } => self.sign(&id, curve, &digests),
            TokenRequest::WriteHead { label, value, .. } => {
                self.private("C_CreateObject")?;
                self.heads.insert(label, vec![value.clone()]);
                Ok(TokenAnswer::Heads { values: vec![value] })
            }
            TokenRequest::ReadHead { label, .. } => {
                let values = self.heads.get(&label).cloned().unwrap_or_default();
                Ok(TokenAnswer::Heads { values })
            }
            TokenRequest::Destroy { id, .. } => {
                self.private("C_DestroyObject")?;
                self.keys.remove(&id);
                Ok(TokenAnswer::Left { objects: 0 })
            }
        }
    }

    fn identify(&self, serial: &str) -> Result<TokenAnswer, TokenError> {
        let ours = ceremony::record::rehearsal_serial(self.name.as_ref());
        if serial != ours {
            let found = says!(
                "製造番号 {serial} のトークンなし。見つかったもの: {ours}",
                "no token with serial number {serial}; found {ours}"
            );
            return Err(error("C_GetTokenInfo", found));
        }
        Ok(TokenAnswer::Identity(TokenIdentity {
            label: ours.clone(),
            manufacturer: "gishiki".into(),
            model: "rehearsal token".into(),
            serial: ours,
            hardware: "1.0".into(),
            firmware: "1.0".into(),
            mechanisms: ["CKM_EC_KEY_PAIR_GEN", "CKM_ECDSA"].map(String::from).to_vec(),
        }))
    }

    fn private(&self, call: &str) -> Result<(), TokenError> {
        if self.logged_in { Ok(()) } else { Err(returned(call, "CKR_USER_NOT_LOGGED_IN")) }
    }

    fn key(&self, call: &str, id: &Octets) -> Result<&KeyTemplate, TokenError> {
        self.private(call)?;
        self.keys.get(id).ok_or_else(|| {
            let found = says!("この CKA_ID の秘密鍵なし", "no private key with this CKA_ID");
            error("C_FindObjects", found)
        })
    }

    fn list(&self) -> TokenAnswer {
        let mut objects = Vec::new();
        for key in self.keys.values() {
            for class in ["private-key", "public-key"] {
                if class == "public-key" || self.logged_in {
                    objects.push(object(class, key.id.clone(), &key.label));
                }
            }
        }
        for (label, values) in self.heads.iter().filter(|_| self.logged_in) {
            objects.extend(values.iter().map(|_| object("data", Octets(Vec::new()), label)));
        }
        objects.sort();
        TokenAnswer::Objects { objects }
    }

    fn generate(&mut self, key: KeyTemplate) -> Result<TokenAnswer, TokenError> {
        self.private("C_GenerateKeyPair")?;
        if self.keys.contains_key(&key.id) {
            let found = says!("トークンに既にある CKA_ID", "CKA_ID already on the token");
            return Err(error("C_FindObjects", found));
        }
        let (id, curve) = (key.id.clone(), key.curve);
        self.keys.insert(id.clone(), key);
        Ok(TokenAnswer::Key(self.inspect(&id, curve)))
    }

    fn inspect(&self, id: &Octets, curve: Curve) -> KeyFacts {
        let Some(key) = self.keys.get(id) else {
            return KeyFacts {
                privates: 0,
                publics: 0,
                parameters: Octets(Vec::new()),
                point: Octets(Vec::new()),
                labels: Vec::new(),
                private: BTreeMap::new(),
                public: BTreeMap::new(),
                strays: 0,
            };
        };
        let point =
            key.rehearsal.public().map(|public| public.point().to_vec()).unwrap_or_default();
        KeyFacts {
            privates: 1,
            publics: 1,
            parameters: Octets(ceremony::x509::curve_parameters(curve)),
            point: Octets(point),
            labels: vec![key.label.clone(), key.label.clone()],
            private: key.expected_private.clone(),
            public: key.expected_public.clone(),
            strays: 0,
        }
    }

    fn wrap(&self, id: &Octets) -> Result<TokenAnswer, TokenError> {
        let key = self.key("C_WrapKey", id)?;
        let extractable = key.private.get(&Attribute::Extractable) == Some(&true);
        let code = if extractable { "CKR_KEY_NOT_WRAPPABLE" } else { "CKR_KEY_UNEXTRACTABLE" };
        Ok(TokenAnswer::Denied { code: code.into() })
    }

    fn sign(
        &mut self,
        id: &Octets,
        curve: Curve,
        digests: &[Vec<u8>],
    ) -> Result<TokenAnswer, TokenError> {
        let watcher = self.watcher.take();
        let key = self.key("C_SignInit", id)?;
        let octets = key.rehearsal.private_octets();
        let signer = octets.and_then(|octets| Signer::new(key.curve, &octets));
        let signer = signer.ok_or_else(|| {
            let found = says!(
                "リハーサルの鍵でない(世代は 1 から 16、試行は 0 から 15)",
                "no rehearsal key: generation 1 to 16, attempt 0 to 15"
            );
            error("C_SignInit", found)
        })?;
        let sign = |digest: &Vec<u8>| {
            if digest.len() != curve.field_octets() || curve != key.curve {
                return Err(returned("C_Sign", "CKR_DATA_LEN_RANGE"));
            }
            let raw =
                signer.sign(digest).ok_or_else(|| returned("C_Sign", "CKR_FUNCTION_FAILED"))?;
            // Whoever watches may have gone; the signature is answered all the same.
            let _ = watcher.as_ref().map(|watcher| watcher.send(raw.clone()));
            Ok(raw)
        };
        let signatures = digests.iter().map(sign).collect::<Result<_, _>>()?;
        Ok(TokenAnswer::Signatures { signatures })
    }
}

/// A private key that is ready to sign: its public key is computed once for each request.
enum Signer {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
}

impl Signer {
    fn new(curve: Curve, private: &[u8]) -> Option<Self> {
        Some(match curve {
            Curve::P256 => Self::P256(p256::ecdsa::SigningKey::from_slice(private).ok()?),
            Curve::P384 => Self::P384(p384::ecdsa::SigningKey::from_slice(private).ok()?),
        })
    }

    fn sign(&self, digest: &[u8]) -> Option<Octets> {
        use p384::ecdsa::signature::hazmat::PrehashSigner as _;
        Some(match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(digest).ok()?;
                Octets(signature.to_bytes().to_vec())
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(digest).ok()?;
                Octets(signature.to_bytes().to_vec())
            }
        })
    }
}

/// Signs a message as a person does in a rehearsal, with a key that everyone can derive.
#[must_use]
pub fn sign_as(ca: &[u8], person: &Name, message: &[u8]) -> Option<Octets> {
    let curve = Curve::P256;
    let private = ceremony::rehearsal::private_octets_of(ca, person);
    Signer::new(curve, &private)?.sign(&curve.digest(message))
}

fn object(class: &str, id: Octets, label: &str) -> TokenObject {
    TokenObject { class: class.into(), id, label: label.into() }
}

fn error(call: &str, found: Bilingual) -> TokenError {
    TokenError::new(call, found)
}

fn returned(call: &str, code: &str) -> TokenError {
    TokenError::new(call, Bilingual::plain(code))
}
