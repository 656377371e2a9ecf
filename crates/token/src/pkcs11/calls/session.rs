//! The calls of a session.

use std::ptr::null_mut;
use std::rc::Rc;

use ceremony::bounds::OBJECTS;
use ceremony::says;
use ceremony::token::TokenError;
use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::{Calls, LONGEST, Value, checked, length, returned, said, template};

/// A session of a token; dropping it closes it.
#[derive(Debug)]
pub(in crate::pkcs11) struct Session {
    calls: Rc<Calls>,
    handle: CK_SESSION_HANDLE,
}

impl Drop for Session {
    fn drop(&mut self) {
        // A session that cannot be closed is the module's to clear away.
        let close = || -> Result<(), TokenError> {
            let value = call!(self.calls, C_CloseSession(self.handle));
            checked("C_CloseSession", value)
        };
        let _ = close();
    }
}

impl Session {
    /// Opens a read-write session.
    pub(in crate::pkcs11) fn open(calls: &Rc<Calls>, slot: CK_SLOT_ID) -> Result<Self, TokenError> {
        let mut handle: CK_SESSION_HANDLE = 0;
        let flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
        let value = call!(calls, C_OpenSession(slot, flags, null_mut(), None, &raw mut handle));
        checked("C_OpenSession", value)?;
        Ok(Self { calls: Rc::clone(calls), handle })
    }

    /// Logs in once; without a PIN, the device asks for it. A user who is logged in already stays
    /// so. Returns the token's return value, and never retries.
    pub(in crate::pkcs11) fn log_in(
        &self,
        user: CK_USER_TYPE,
        pin: Option<&[u8]>,
    ) -> Result<(), TokenError> {
        // The module reads the PIN and never writes it; PKCS #11 has no const.
        let (pin, octets) = match pin {
            Some(pin) => (pin.as_ptr().cast_mut(), length(pin.len())?),
            None => (null_mut(), 0),
        };
        match call!(self.calls, C_Login(self.handle, user, pin, octets)) {
            CKR_USER_ALREADY_LOGGED_IN => Ok(()),
            value => checked("C_Login", value),
        }
    }

    pub(in crate::pkcs11) fn log_out(&self) -> Result<(), TokenError> {
        let value = call!(self.calls, C_Logout(self.handle));
        checked("C_Logout", value)
    }

    /// Changes the PIN of whoever is logged in.
    pub(in crate::pkcs11) fn set_pin(&self, old: &[u8], new: &[u8]) -> Result<(), TokenError> {
        // The module reads both PINs and never writes them; PKCS #11 has no const.
        let [(old, of_old), (new, of_new)] =
            [old, new].map(|pin| (pin.as_ptr().cast_mut(), length(pin.len())));
        let value = call!(self.calls, C_SetPIN(self.handle, old, of_old?, new, of_new?));
        checked("C_SetPIN", value)
    }

    /// The session's state (CKS).
    pub(in crate::pkcs11) fn state(&self) -> Result<CK_STATE, TokenError> {
        let mut info = CK_SESSION_INFO::default();
        let value = call!(self.calls, C_GetSessionInfo(self.handle, &raw mut info));
        checked("C_GetSessionInfo", value)?;
        Ok(info.state)
    }

    /// Finds every object with these attributes.
    pub(in crate::pkcs11) fn find(
        &self,
        values: &[Value],
    ) -> Result<Vec<CK_OBJECT_HANDLE>, TokenError> {
        let (mut asked, count) = template(values)?;
        let value = call!(self.calls, C_FindObjectsInit(self.handle, asked.as_mut_ptr(), count));
        checked("C_FindObjectsInit", value)?;
        let found = self.found();
        let value = call!(self.calls, C_FindObjectsFinal(self.handle));
        let found = found?;
        checked("C_FindObjectsFinal", value)?;
        Ok(found)
    }

    fn found(&self) -> Result<Vec<CK_OBJECT_HANDLE>, TokenError> {
        let mut found: Vec<CK_OBJECT_HANDLE> = Vec::new();
        let mut part: [CK_OBJECT_HANDLE; 64] = [0; 64];
        loop {
            let mut count: CK_ULONG = 0;
            let most = length(part.len())?;
            let value = call!(
                self.calls,
                C_FindObjects(self.handle, part.as_mut_ptr(), most, &raw mut count)
            );
            checked("C_FindObjects", value)?;
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            let more = part.get(..count).ok_or_else(|| {
                let found =
                    says!("用意した数を超えるオブジェクト", "more objects than there was room for");
                said("C_FindObjects", found)
            })?;
            if more.is_empty() {
                return Ok(found);
            }
            found.extend(more);
            OBJECTS.judge(found.len()).map_err(|e| said("C_FindObjects", e.said()))?;
        }
    }

    /// Reads an attribute of an object; `None` if the object or the module does not have it.
    pub(in crate::pkcs11) fn read(
        &self,
        object: CK_OBJECT_HANDLE,
        kind: CK_ATTRIBUTE_TYPE,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, TokenError> {
        let mut room = 1_024;
        loop {
            let mut octets = Zeroizing::new(vec![0_u8; room]);
            let mut asked = CK_ATTRIBUTE {
                type_: kind,
                pValue: octets.as_mut_ptr().cast(),
                ulValueLen: length(room)?,
            };
            let value =
                call!(self.calls, C_GetAttributeValue(self.handle, object, &raw mut asked, 1));
            match value {
                CKR_ATTRIBUTE_TYPE_INVALID => return Ok(None),
                // softokn says so of an attribute that it has not: without a length there is none.
                CKR_BUFFER_TOO_SMALL if asked.ulValueLen == CK_UNAVAILABLE_INFORMATION => {
                    return Ok(None);
                }
                CKR_BUFFER_TOO_SMALL if room < LONGEST => room = LONGEST,
                value => {
                    checked("C_GetAttributeValue", value)?;
                    let told = usize::try_from(asked.ulValueLen).unwrap_or(usize::MAX);
                    // CK_UNAVAILABLE_INFORMATION is no length.
                    if told > room {
                        return Ok(None);
                    }
                    octets.truncate(told);
                    return Ok(Some(octets));
                }
            }
        }
    }

    pub(in crate::pkcs11) fn destroy(&self, object: CK_OBJECT_HANDLE) -> Result<(), TokenError> {
        let value = call!(self.calls, C_DestroyObject(self.handle, object));
        checked("C_DestroyObject", value)
    }

    pub(in crate::pkcs11) fn create(&self, values: &[Value]) -> Result<(), TokenError> {
        let (mut asked, count) = template(values)?;
        let mut made: CK_OBJECT_HANDLE = 0;
        let value = call!(
            self.calls,
            C_CreateObject(self.handle, asked.as_mut_ptr(), count, &raw mut made)
        );
        checked("C_CreateObject", value)
    }

    /// Generates a key pair on a curve. Returns the public key, then the private one.
    pub(in crate::pkcs11) fn generate_pair(
        &self,
        public: &[Value],
        private: &[Value],
    ) -> Result<[CK_OBJECT_HANDLE; 2], TokenError> {
        let mut mechanism = plain(CKM_EC_KEY_PAIR_GEN);
        let ((mut of_public, publics), (mut of_private, privates)) =
            (template(public)?, template(private)?);
        let mut made: [CK_OBJECT_HANDLE; 2] = [0; 2];
        let [first, second] = &mut made;
        let value = call!(
            self.calls,
            C_GenerateKeyPair(
                self.handle,
                &raw mut mechanism,
                of_public.as_mut_ptr(),
                publics,
                of_private.as_mut_ptr(),
                privates,
                first,
                second,
            )
        );
        checked("C_GenerateKeyPair", value)?;
        Ok(made)
    }

    /// An AES key.
    pub(in crate::pkcs11) fn generate_aes(
        &self,
        values: &[Value],
    ) -> Result<CK_OBJECT_HANDLE, TokenError> {
        let mut mechanism = plain(CKM_AES_KEY_GEN);
        let (mut asked, count) = template(values)?;
        let mut made: CK_OBJECT_HANDLE = 0;
        let value = call!(
            self.calls,
            C_GenerateKey(
                self.handle,
                &raw mut mechanism,
                asked.as_mut_ptr(),
                count,
                &raw mut made
            )
        );
        checked("C_GenerateKey", value)?;
        Ok(made)
    }

    /// Derives the key that a private key and the other side's point agree on (ECDH, without a
    /// KDF).
    pub(in crate::pkcs11) fn derive(
        &self,
        private: CK_OBJECT_HANDLE,
        point: &[u8],
        values: &[Value],
    ) -> Result<CK_OBJECT_HANDLE, TokenError> {
        let mut parameters = CK_ECDH1_DERIVE_PARAMS {
            kdf: CKD_NULL,
            ulSharedDataLen: 0,
            pSharedData: null_mut(),
            ulPublicDataLen: length(point.len())?,
            // The module reads the point; PKCS #11 has no const.
            pPublicData: point.as_ptr().cast_mut(),
        };
        let mut mechanism = CK_MECHANISM {
            mechanism: CKM_ECDH1_DERIVE,
            pParameter: (&raw mut parameters).cast(),
            ulParameterLen: length(size_of::<CK_ECDH1_DERIVE_PARAMS>())?,
        };
        let (mut asked, count) = template(values)?;
        let mut made: CK_OBJECT_HANDLE = 0;
        let value = call!(
            self.calls,
            C_DeriveKey(
                self.handle,
                &raw mut mechanism,
                private,
                asked.as_mut_ptr(),
                count,
                &raw mut made,
            )
        );
        checked("C_DeriveKey", value)?;
        Ok(made)
    }

    /// Unwraps by RFC 5649.
    pub(in crate::pkcs11) fn unwrap_padded(
        &self,
        unwrapping: CK_OBJECT_HANDLE,
        wrapped: &[u8],
        values: &[Value],
    ) -> Result<(), TokenError> {
        let mut mechanism = plain(CKM_AES_KEY_WRAP_PAD);
        let (mut asked, count) = template(values)?;
        let mut made: CK_OBJECT_HANDLE = 0;
        let value = call!(
            self.calls,
            C_UnwrapKey(
                self.handle,
                &raw mut mechanism,
                unwrapping,
                wrapped.as_ptr().cast_mut(),
                length(wrapped.len())?,
                asked.as_mut_ptr(),
                count,
                &raw mut made,
            )
        );
        checked("C_UnwrapKey", value)
    }

    /// Wraps a key. The result is overwritten when it is dropped.
    pub(in crate::pkcs11) fn wrap(
        &self,
        mechanism: CK_MECHANISM_TYPE,
        wrapping: CK_OBJECT_HANDLE,
        key: CK_OBJECT_HANDLE,
    ) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let mut initial = [0_u8; 16];
        let mut asked = plain(mechanism);
        if mechanism == CKM_AES_CBC_PAD {
            asked.pParameter = initial.as_mut_ptr().cast();
            asked.ulParameterLen = length(initial.len())?;
        }
        let mut out = Zeroizing::new(vec![0_u8; 4_096]);
        let mut told = length(out.len())?;
        let value = call!(
            self.calls,
            C_WrapKey(self.handle, &raw mut asked, wrapping, key, out.as_mut_ptr(), &raw mut told)
        );
        checked("C_WrapKey", value)?;
        out.truncate(usize::try_from(told).unwrap_or(usize::MAX));
        Ok(out)
    }

    /// Signs a digest by CKM_ECDSA. `before` is called after C_SignInit, because a key that
    /// authenticates always takes its PIN then.
    pub(in crate::pkcs11) fn sign(
        &self,
        key: CK_OBJECT_HANDLE,
        digest: &[u8],
        before: impl FnOnce(&Self) -> Result<(), TokenError>,
    ) -> Result<Vec<u8>, TokenError> {
        let mut mechanism = plain(CKM_ECDSA);
        let value = call!(self.calls, C_SignInit(self.handle, &raw mut mechanism, key));
        checked("C_SignInit", value)?;
        before(self)?;
        let mut out = vec![0_u8; 512];
        let mut told = length(out.len())?;
        let value = call!(
            self.calls,
            C_Sign(
                self.handle,
                digest.as_ptr().cast_mut(),
                length(digest.len())?,
                out.as_mut_ptr(),
                &raw mut told,
            )
        );
        checked("C_Sign", value)?;
        out.truncate(usize::try_from(told).unwrap_or(usize::MAX));
        Ok(out)
    }
}

const fn plain(mechanism: CK_MECHANISM_TYPE) -> CK_MECHANISM {
    CK_MECHANISM { mechanism, pParameter: null_mut(), ulParameterLen: 0 }
}
