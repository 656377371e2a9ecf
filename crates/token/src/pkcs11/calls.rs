//! The calls of PKCS #11, on the one function list that the module gave when it was loaded.
//!
//! A module may give another list at each `C_GetFunctionList` (p11-kit does), whose sessions know
//! nothing of each other: the list is asked for once, kept, and everything goes through it.
//!
//! **Deliberately absent:** retries, and what a call is for. Each says which return value it had.
#![expect(unsafe_code, reason = "PKCS #11 is a C interface")]

use std::ffi::CString;
use std::path::Path;
use std::ptr::null_mut;
use std::rc::Rc;

use ceremony::bounds::{Bound, MECHANISMS, OBJECTS, SLOTS};
use ceremony::token::TokenError;
use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::codes;

/// More octets than this has no attribute of a ceremony.
const LONGEST: usize = 65_536;

/// A loaded module.
pub(super) struct Calls {
    /// Keeps the module loaded.
    _library: Pkcs11,
    list: CK_FUNCTION_LIST,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Calls")
    }
}

/// One attribute of a template.
#[derive(Debug, Clone)]
pub(super) struct Value {
    kind: CK_ATTRIBUTE_TYPE,
    octets: Vec<u8>,
}

impl Value {
    pub(super) fn flag(kind: CK_ATTRIBUTE_TYPE, value: bool) -> Self {
        Self { kind, octets: vec![u8::from(value)] }
    }

    pub(super) fn number(kind: CK_ATTRIBUTE_TYPE, value: CK_ULONG) -> Self {
        Self { kind, octets: value.to_ne_bytes().to_vec() }
    }

    pub(super) fn octets(kind: CK_ATTRIBUTE_TYPE, value: &[u8]) -> Self {
        Self { kind, octets: value.to_vec() }
    }
}

/// A template as C reads it; it points into the values, which must outlive it.
fn template(values: &[Value]) -> Result<(Vec<CK_ATTRIBUTE>, CK_ULONG), TokenError> {
    let attribute = |value: &Value| {
        Ok(CK_ATTRIBUTE {
            type_: value.kind,
            // PKCS #11 has no const; modules read a template and never write to it.
            pValue: value.octets.as_ptr().cast_mut().cast(),
            ulValueLen: length(value.octets.len())?,
        })
    };
    Ok((values.iter().map(attribute).collect::<Result<_, _>>()?, length(values.len())?))
}

fn length(octets: usize) -> Result<CK_ULONG, TokenError> {
    CK_ULONG::try_from(octets).map_err(|_| said("CK_ULONG", "a length that is none"))
}

/// A token error in words of our own.
pub(super) fn said(call: &str, code: &str) -> TokenError {
    TokenError { call: call.into(), code: code.into() }
}

fn checked(call: &str, value: CK_RV) -> Result<(), TokenError> {
    if value == CKR_OK { Ok(()) } else { Err(said(call, &codes::name(value))) }
}

/// Calls a function of the module; its return value.
macro_rules! call {
    ($calls:expr, $name:ident($($argument:expr),* $(,)?)) => {{
        let absent = || said(stringify!($name), "CKR_FUNCTION_NOT_SUPPORTED");
        let function = $calls.list.$name.ok_or_else(absent)?;
        // SAFETY: the function is of a module that stays loaded as long as `Calls`; every pointer
        // here is to a value of the calling function, which lives over the call and has the room
        // that the argument beside it says, or is null where PKCS #11 allows it.
        unsafe { function($($argument),*) }
    }};
}

impl Calls {
    /// Loads and initialises a module. `initialize` goes into the reserved field of
    /// `C_Initialize`, as NSS wants.
    pub(super) fn open(module: &Path, initialize: Option<&str>) -> Result<Self, TokenError> {
        // SAFETY: the room names this module by its digest; loading it runs its code, which is what
        // it is for.
        let library = unsafe { Pkcs11::new(module) }.map_err(|e| said("dlopen", &e.to_string()))?;
        let absent = || said("C_GetFunctionList", "no function list");
        if library.C_GetFunctionList.is_err() {
            return Err(absent());
        }
        let mut list: *mut CK_FUNCTION_LIST = null_mut();
        // SAFETY: the symbol is there, and the module fills in a pointer to a list of its own.
        checked("C_GetFunctionList", unsafe { library.C_GetFunctionList(&raw mut list) })?;
        // SAFETY: the module gave this pointer just now; the list is copied, whatever becomes of
        // it.
        let list = unsafe { list.as_ref() }.copied().ok_or_else(absent)?;
        let calls = Self { _library: library, list };
        let text = initialize.map(CString::new).transpose();
        let text = text.map_err(|_| said("C_Initialize", "a NUL in its parameters"))?;
        let mut arguments = CK_C_INITIALIZE_ARGS {
            CreateMutex: None,
            DestroyMutex: None,
            LockMutex: None,
            UnlockMutex: None,
            flags: CKF_OS_LOCKING_OK,
            pReserved: text.as_ref().map_or(null_mut(), |text| text.as_ptr().cast_mut().cast()),
        };
        let value = call!(calls, C_Initialize((&raw mut arguments).cast()));
        checked("C_Initialize", value)?;
        Ok(calls)
    }

    /// Every slot that has a token.
    pub(super) fn slots(&self) -> Result<Vec<CK_SLOT_ID>, TokenError> {
        self.slot_list(CK_TRUE)
    }

    /// What every slot without a token says of itself: readers that are empty, or hold a card that
    /// the module does not know.
    pub(super) fn empty_slots(&self) -> Result<Vec<String>, TokenError> {
        let (all, used) = (self.slot_list(CK_FALSE)?, self.slots()?);
        let said = |slot| {
            let mut info = CK_SLOT_INFO::default();
            let value = call!(self, C_GetSlotInfo(slot, &raw mut info));
            checked("C_GetSlotInfo", value)?;
            Ok(super::objects::field(&info.slotDescription))
        };
        all.into_iter().filter(|slot| !used.contains(slot)).map(said).collect()
    }

    fn slot_list(&self, with_token: CK_BBOOL) -> Result<Vec<CK_SLOT_ID>, TokenError> {
        let mut count: CK_ULONG = 0;
        let value = call!(self, C_GetSlotList(with_token, null_mut(), &raw mut count));
        checked("C_GetSlotList", value)?;
        let mut slots = room_for("C_GetSlotList", count, SLOTS)?;
        let value = call!(self, C_GetSlotList(with_token, slots.as_mut_ptr(), &raw mut count));
        checked("C_GetSlotList", value)?;
        slots.truncate(usize::try_from(count).unwrap_or(0));
        Ok(slots)
    }

    /// What the token in a slot says of itself, as it stands there: a time that is none, or a text
    /// that is none, loses nothing.
    pub(super) fn token_info(&self, slot: CK_SLOT_ID) -> Result<CK_TOKEN_INFO, TokenError> {
        let mut info = CK_TOKEN_INFO::default();
        let value = call!(self, C_GetTokenInfo(slot, &raw mut info));
        checked("C_GetTokenInfo", value)?;
        Ok(info)
    }

    /// The mechanisms that the token in a slot offers.
    pub(super) fn mechanisms(
        &self,
        slot: CK_SLOT_ID,
    ) -> Result<Vec<CK_MECHANISM_TYPE>, TokenError> {
        let mut count: CK_ULONG = 0;
        let value = call!(self, C_GetMechanismList(slot, null_mut(), &raw mut count));
        checked("C_GetMechanismList", value)?;
        let mut list = room_for("C_GetMechanismList", count, MECHANISMS)?;
        let value = call!(self, C_GetMechanismList(slot, list.as_mut_ptr(), &raw mut count));
        checked("C_GetMechanismList", value)?;
        list.truncate(usize::try_from(count).unwrap_or(0));
        Ok(list)
    }

    /// Whether the token says that it wraps by a mechanism that it offers (CKF_WRAP).
    pub(super) fn wraps_by(
        &self,
        slot: CK_SLOT_ID,
        mechanism: CK_MECHANISM_TYPE,
    ) -> Result<bool, TokenError> {
        let mut info = CK_MECHANISM_INFO::default();
        let value = call!(self, C_GetMechanismInfo(slot, mechanism, &raw mut info));
        checked("C_GetMechanismInfo", value)?;
        Ok(info.flags & CKF_WRAP != 0)
    }
}

/// Room for as many numbers as a module says that it has.
fn room_for(call: &str, count: CK_ULONG, bound: Bound) -> Result<Vec<CK_ULONG>, TokenError> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    bound.judge(count).map_err(|exceeded| said(call, &exceeded.to_string()))?;
    Ok(vec![0; count])
}

/// A session of a token; dropping it closes it.
#[derive(Debug)]
pub(super) struct Session {
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
    /// A fresh session that may write.
    pub(super) fn open(calls: &Rc<Calls>, slot: CK_SLOT_ID) -> Result<Self, TokenError> {
        let mut handle: CK_SESSION_HANDLE = 0;
        let flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
        let value = call!(calls, C_OpenSession(slot, flags, null_mut(), None, &raw mut handle));
        checked("C_OpenSession", value)?;
        Ok(Self { calls: Rc::clone(calls), handle })
    }

    /// One login; without a PIN, the device asks for it. Whoever is logged in already, is. The
    /// return value is the token's, and nothing is tried again.
    pub(super) fn log_in(&self, user: CK_USER_TYPE, pin: Option<&[u8]>) -> Result<(), TokenError> {
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

    pub(super) fn log_out(&self) -> Result<(), TokenError> {
        let value = call!(self.calls, C_Logout(self.handle));
        checked("C_Logout", value)
    }

    /// The session's state (CKS).
    pub(super) fn state(&self) -> Result<CK_STATE, TokenError> {
        let mut info = CK_SESSION_INFO::default();
        let value = call!(self.calls, C_GetSessionInfo(self.handle, &raw mut info));
        checked("C_GetSessionInfo", value)?;
        Ok(info.state)
    }

    /// Every object with these attributes.
    pub(super) fn find(&self, values: &[Value]) -> Result<Vec<CK_OBJECT_HANDLE>, TokenError> {
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
            let more = part
                .get(..count)
                .ok_or_else(|| said("C_FindObjects", "more objects than there was room for"))?;
            if more.is_empty() {
                return Ok(found);
            }
            found.extend(more);
            OBJECTS.judge(found.len()).map_err(|e| said("C_FindObjects", &e.to_string()))?;
        }
    }

    /// An attribute of an object; nothing where the object, or the module, has none of this kind.
    pub(super) fn read(
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

    pub(super) fn destroy(&self, object: CK_OBJECT_HANDLE) -> Result<(), TokenError> {
        let value = call!(self.calls, C_DestroyObject(self.handle, object));
        checked("C_DestroyObject", value)
    }

    pub(super) fn create(&self, values: &[Value]) -> Result<(), TokenError> {
        let (mut asked, count) = template(values)?;
        let mut made: CK_OBJECT_HANDLE = 0;
        let value = call!(
            self.calls,
            C_CreateObject(self.handle, asked.as_mut_ptr(), count, &raw mut made)
        );
        checked("C_CreateObject", value)
    }

    /// A key pair on a curve: the public key, then the private one.
    pub(super) fn generate_pair(
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
    pub(super) fn generate_aes(&self, values: &[Value]) -> Result<CK_OBJECT_HANDLE, TokenError> {
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

    /// The key that a private key and the other side's point agree on (ECDH, without a KDF).
    pub(super) fn derive(
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
    pub(super) fn unwrap_padded(
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

    /// Wraps. What comes out is overwritten when it is dropped.
    pub(super) fn wrap(
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

    /// Signs a digest by CKM_ECDSA; `before` is done when the token has been told which key, as a
    /// key wants that authenticates always.
    pub(super) fn sign(
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
