//! The gaps of `cryptoki`, filled with `cryptoki-sys`: mechanisms that it does not know, wrapping
//! that does not truncate, and the parameter string that NSS wants at `C_Initialize`.
#![expect(unsafe_code, reason = "PKCS #11 is a C interface")]

use std::ffi::{CString, c_char, c_void};
use std::path::Path;
use std::ptr::{NonNull, null_mut};

use ceremony::token::TokenError;
use cryptoki::context::{CInitializeArgs, CInitializeFlags};
use cryptoki::error::Rv;
use cryptoki_sys::{
    CK_FUNCTION_LIST, CK_MECHANISM, CK_MECHANISM_TYPE, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE,
    CK_SLOT_ID, CK_ULONG, CKM_AES_CBC_PAD, CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP,
    CKM_AES_KEY_WRAP_PAD, CKM_EC_KEY_PAIR_GEN, CKM_ECDH1_DERIVE, CKM_ECDSA, CKR_OK,
};
use zeroize::Zeroizing;

/// The module's own function list.
pub(super) struct Raw {
    /// Keeps the module loaded.
    _library: cryptoki_sys::Pkcs11,
    functions: NonNull<CK_FUNCTION_LIST>,
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Raw")
    }
}

/// The arguments of `C_Initialize`, with the string that they may point to.
pub(super) struct InitializeArgs {
    flags: CInitializeFlags,
    text: Option<CString>,
}

/// NSS reads its parameters from a C string in the reserved field.
pub(super) fn initialize_args(
    flags: CInitializeFlags,
    text: Option<&str>,
) -> Result<InitializeArgs, TokenError> {
    let wrong =
        |_| TokenError { call: "C_Initialize".into(), code: "a NUL in its parameters".into() };
    Ok(InitializeArgs { flags, text: text.map(CString::new).transpose().map_err(wrong)? })
}

impl InitializeArgs {
    pub(super) fn args(&self) -> CInitializeArgs {
        let text = self.text.as_ref().and_then(|text| NonNull::new(text.as_ptr().cast_mut()));
        match text {
            None => CInitializeArgs::new(self.flags),
            Some(text) => {
                let reserved: NonNull<c_char> = text;
                // SAFETY: the string lives as long as `self`, which the caller keeps over
                // C_Initialize; modules that take a reserved argument take a C
                // string here (NSS), and none keeps the pointer.
                unsafe { CInitializeArgs::new_with_reserved(self.flags, reserved.cast::<c_void>()) }
            }
        }
    }
}

impl Raw {
    pub(super) fn load(module: &Path) -> Result<Self, TokenError> {
        let absent =
            || TokenError { call: "C_GetFunctionList".into(), code: "no function list".into() };
        // SAFETY: the module was loaded and initialised by cryptoki already; loading it again only
        // counts references.
        let library = unsafe { cryptoki_sys::Pkcs11::new(module) }.map_err(|_| absent())?;
        if library.C_GetFunctionList.is_err() {
            return Err(absent());
        }
        let mut list: *mut CK_FUNCTION_LIST = null_mut();
        // SAFETY: the symbol is there, and the module fills in a pointer to its static list.
        let value = unsafe { library.C_GetFunctionList(&raw mut list) };
        if value != CKR_OK {
            return Err(TokenError { call: "C_GetFunctionList".into(), code: rv(value) });
        }
        let functions = NonNull::new(list).ok_or_else(absent)?;
        Ok(Self { _library: library, functions })
    }

    fn functions(&self) -> &CK_FUNCTION_LIST {
        // SAFETY: the list is static in the module, which stays loaded as long as `self`.
        unsafe { self.functions.as_ref() }
    }

    fn mechanisms(&self, slot: CK_SLOT_ID) -> Result<Vec<CK_MECHANISM_TYPE>, TokenError> {
        let absent = |code: String| TokenError { call: "C_GetMechanismList".into(), code };
        let call =
            self.functions().C_GetMechanismList.ok_or_else(|| absent("not offered".into()))?;
        let mut count: CK_ULONG = 0;
        // SAFETY: a null list asks for the number of mechanisms.
        let value = unsafe { call(slot, null_mut(), &raw mut count) };
        if value != CKR_OK {
            return Err(absent(rv(value)));
        }
        let mut list = vec![0; usize::try_from(count).unwrap_or(0)];
        // SAFETY: the list has room for `count` mechanisms.
        let value = unsafe { call(slot, list.as_mut_ptr(), &raw mut count) };
        if value != CKR_OK {
            return Err(absent(rv(value)));
        }
        list.truncate(usize::try_from(count).unwrap_or(0));
        Ok(list)
    }

    /// The names of the mechanisms that a ceremony signs with, if offered.
    pub(super) fn signing_mechanisms(&self, slot: CK_SLOT_ID) -> Result<Vec<String>, TokenError> {
        let offered = self.mechanisms(slot)?;
        let known = [("CKM_EC_KEY_PAIR_GEN", CKM_EC_KEY_PAIR_GEN), ("CKM_ECDSA", CKM_ECDSA)];
        let named = known.into_iter().filter(|(_, mechanism)| offered.contains(mechanism));
        Ok(named.map(|(name, _)| name.to_string()).collect())
    }

    /// Refuses a token that cannot agree on a key by ECDH and wrap under it by RFC 5649.
    pub(super) fn can_copy(&self, slot: CK_SLOT_ID) -> Result<(), TokenError> {
        let offered = self.mechanisms(slot)?;
        let needed = [
            ("CKM_EC_KEY_PAIR_GEN", CKM_EC_KEY_PAIR_GEN),
            ("CKM_ECDH1_DERIVE", CKM_ECDH1_DERIVE),
            ("CKM_AES_KEY_WRAP_PAD", CKM_AES_KEY_WRAP_PAD),
        ];
        match needed.into_iter().find(|(_, mechanism)| !offered.contains(mechanism)) {
            None => Ok(()),
            Some((name, _)) => Err(TokenError {
                call: "C_GetMechanismList".into(),
                code: format!("{name} is not offered; there is no weaker way"),
            }),
        }
    }

    /// Every AES wrapping that the token offers.
    pub(super) fn wrapping_mechanisms(
        &self,
        slot: CK_SLOT_ID,
    ) -> Result<Vec<CK_MECHANISM_TYPE>, TokenError> {
        let offered = self.mechanisms(slot)?;
        let known = [CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP, CKM_AES_CBC_PAD];
        Ok(known.into_iter().filter(|mechanism| offered.contains(mechanism)).collect())
    }

    /// Wraps by RFC 5649. PKCS #11 3.0 names it anew (CKM_AES_KEY_WRAP_KWP); tokens know this name.
    pub(super) fn wrap_for_transfer(
        &self,
        session: CK_SESSION_HANDLE,
        wrapping: CK_OBJECT_HANDLE,
        key: CK_OBJECT_HANDLE,
    ) -> Result<Zeroizing<Vec<u8>>, String> {
        self.wrap(session, CKM_AES_KEY_WRAP_PAD, wrapping, key)
    }

    /// Wraps. What comes out is overwritten when it is dropped.
    pub(super) fn wrap(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_TYPE,
        wrapping: CK_OBJECT_HANDLE,
        key: CK_OBJECT_HANDLE,
    ) -> Result<Zeroizing<Vec<u8>>, String> {
        let call = self.functions().C_WrapKey.ok_or("CKR_FUNCTION_NOT_SUPPORTED")?;
        let mut initial = [0_u8; 16];
        let with_initial = mechanism == CKM_AES_CBC_PAD;
        let mut mechanism = CK_MECHANISM {
            mechanism,
            pParameter: if with_initial { initial.as_mut_ptr().cast() } else { null_mut() },
            ulParameterLen: if with_initial { 16 } else { 0 },
        };
        let mut out = Zeroizing::new(vec![0_u8; 4096]);
        let mut length: CK_ULONG = 4096;
        // SAFETY: the mechanism and its parameter live over the call, and `out` has room for
        // `length` octets.
        let value = unsafe {
            call(session, &raw mut mechanism, wrapping, key, out.as_mut_ptr(), &raw mut length)
        };
        if value != CKR_OK {
            return Err(rv(value));
        }
        out.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(out)
    }
}

/// A return value by its PKCS #11 name.
fn rv(value: CK_RV) -> String {
    match Rv::from(value) {
        Rv::Ok => "CKR_OK".to_string(),
        Rv::Error(cryptoki::error::RvError::VendorDefined(value)) => format!("CKR 0x{value:08x}"),
        Rv::Error(error) => name(&format!("{error:?}")),
    }
}

/// `KeyUnextractable` is CKR_KEY_UNEXTRACTABLE.
pub(super) fn name(camel: &str) -> String {
    let mut name = String::from("CKR");
    for character in camel.chars() {
        if character.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
    }
    name
}
