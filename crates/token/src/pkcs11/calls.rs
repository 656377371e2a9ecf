//! Calls PKCS #11 functions, by the one function list that the module gave when it was loaded.
//!
//! A module may give another list at each `C_GetFunctionList` (p11-kit does), whose sessions know
//! nothing of each other: the list is asked for once, kept, and everything goes through it.
//!
//! **Deliberately absent:** retries, and what a call is for. Each says which return value it had.
#![expect(unsafe_code, reason = "PKCS #11 is a C interface")]

use std::ffi::CString;
use std::path::Path;
use std::ptr::null_mut;

use ceremony::bounds::{Bound, MECHANISMS, SLOTS};
use ceremony::language::Bilingual;
use ceremony::says;
use ceremony::token::TokenError;
use cryptoki_sys::*;

use super::codes;

/// The most octets of an attribute that a ceremony reads.
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

/// Makes a template as C reads it; it points into the values, which must outlive it.
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
    let none = || said("CK_ULONG", says!("長さにならない値", "a length that is none"));
    CK_ULONG::try_from(octets).map_err(|_| none())
}

/// Makes a token error in words of our own.
pub(super) fn said(call: &str, found: Bilingual) -> TokenError {
    TokenError::new(call, found)
}

/// Makes a token error with a PKCS #11 return value.
pub(super) fn returned(call: &str, code: &str) -> TokenError {
    TokenError::new(call, Bilingual::plain(code))
}

fn checked(call: &str, value: CK_RV) -> Result<(), TokenError> {
    if value == CKR_OK { Ok(()) } else { Err(returned(call, &codes::name(value))) }
}

/// Calls a function of the module and gives its return value.
macro_rules! call {
    ($calls:expr, $name:ident($($argument:expr),* $(,)?)) => {{
        let absent = || returned(stringify!($name), "CKR_FUNCTION_NOT_SUPPORTED");
        let function = $calls.list.$name.ok_or_else(absent)?;
        // SAFETY: the function is of a module that stays loaded as long as `Calls`; every pointer
        // here is to a value of the calling function, which lives over the call and has the room
        // that the argument beside it says, or is null where PKCS #11 allows it.
        unsafe { function($($argument),*) }
    }};
}

mod session;

pub(super) use session::Session;

impl Calls {
    /// Loads and initialises a module. `initialize` is the string for the reserved field of
    /// `C_Initialize`, which NSS needs.
    pub(super) fn open(module: &Path, initialize: Option<&str>) -> Result<Self, TokenError> {
        // SAFETY: the room names this module by its digest; loading it runs its code, which is what
        // it is for.
        let library = unsafe { Pkcs11::new(module) };
        let library = library.map_err(|e| said("dlopen", Bilingual::plain(e)))?;
        let absent = || said("C_GetFunctionList", says!("関数の一覧なし", "no function list"));
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
        let nul = || says!("引数に含まれる NUL", "a NUL in its parameters");
        let text = text.map_err(|_| said("C_Initialize", nul()))?;
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

    /// Lists the slots that have a token.
    pub(super) fn slots(&self) -> Result<Vec<CK_SLOT_ID>, TokenError> {
        self.slot_list(CK_TRUE)
    }

    /// Describes the slots without a token: readers that are empty, or that hold a card which the
    /// module does not know.
    pub(super) fn empty_slots(&self) -> Result<Vec<String>, TokenError> {
        let (all, used) = (self.slot_list(CK_FALSE)?, self.slots()?);
        let said = |slot| {
            let mut info = CK_SLOT_INFO::default();
            let value = call!(self, C_GetSlotInfo(slot, &raw mut info));
            checked("C_GetSlotInfo", value)?;
            Ok(super::text::field(&info.slotDescription))
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

    /// Reads CK_TOKEN_INFO of a slot. A field that is not a valid time or text does not make it
    /// fail.
    pub(super) fn token_info(&self, slot: CK_SLOT_ID) -> Result<CK_TOKEN_INFO, TokenError> {
        let mut info = CK_TOKEN_INFO::default();
        let value = call!(self, C_GetTokenInfo(slot, &raw mut info));
        checked("C_GetTokenInfo", value)?;
        Ok(info)
    }

    /// Lists the mechanisms of the token in a slot.
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

    /// Whether the token offers this mechanism for wrapping (CKF_WRAP).
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

/// Makes room for as many numbers as a module says that it has, within a bound.
fn room_for(call: &str, count: CK_ULONG, bound: Bound) -> Result<Vec<CK_ULONG>, TokenError> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    bound.judge(count).map_err(|exceeded| said(call, exceeded.said()))?;
    Ok(vec![0; count])
}
