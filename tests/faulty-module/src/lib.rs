//! A PKCS #11 module for tests: it forwards every call to a real module, and at a chosen one dies,
//! errs or lies.
//!
//! - `FAULTY_MODULE`: the real module's path.
//! - `FAULTY_AT`: where and what: `N:FAULT` for the Nth call of all, `C_Sign#3:FAULT` for the third
//!   of that function, `C_Sign#*:FAULT` for every one, `C_DestroyObject/private-key#1:FAULT` for
//!   the first with an object of that class. FAULT is `kill-before`, `kill-after` (SIGKILL to
//!   itself), `error=30` (hexadecimal return value, the call is not made), `error-after=30` (it is
//!   made), or a lie (see `lies`).
//! - `FAULTY_LOG`: a file to which each call's number and name are appended, and the class of what
//!   is destroyed, so that a test can count first.
//! - `FAULTY_SIGNED`: a file to which the key (its CKA_ID), the digest and the signature of each
//!   C_Sign is appended: what the token has given out, whatever became of it.
//! - `FAULTY_CHARACTER`: a product whose documented limits the module has (see `character`).
//! - `FAULTY_PIN`: what people enter at the device, where the program gives no PIN.
//! - `FAULTY_WRAPPED`: a file to which what C_WrapKey gives out is written, so that a test can look
//!   for it elsewhere.
//! - `FAULTY_SECRETS`, `FAULTY_FOUND`: what is looked for in memory, and what is there (see
//!   `memory`).
//!
//! Arguments are never logged: one of them is the PIN.
#![expect(unsafe_code, reason = "PKCS #11 is a C interface, and this stands on both sides of it")]
#![expect(non_snake_case, reason = "PKCS #11 writes its names so")]
#![expect(clippy::as_conversions, reason = "C's integers and pointers")]

mod character;
mod lies;
mod login;
mod memory;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use cryptoki_sys::*;

/// Calls of all functions, and of each.
static CALLS: AtomicUsize = AtomicUsize::new(0);
static EACH: Mutex<Vec<(String, usize)>> = Mutex::new(Vec::new());

/// The real module's functions.
struct Real(CK_FUNCTION_LIST);
// SAFETY: a function list holds nothing but pointers to code.
unsafe impl Send for Real {}
// SAFETY: it is never changed.
unsafe impl Sync for Real {}
/// The list that is given to the program: the real one, with our functions in it.
static OURS: OnceLock<Real> = OnceLock::new();
static REAL: OnceLock<Option<Real>> = OnceLock::new();

fn real() -> Option<&'static CK_FUNCTION_LIST> {
    let load = || {
        let path = std::env::var("FAULTY_MODULE").ok()?;
        // SAFETY: the test names a PKCS #11 module; it stays loaded for good.
        let library = unsafe { Pkcs11::new(path) }.ok()?;
        let mut list = std::ptr::null_mut();
        // SAFETY: the module fills in a pointer to its static list.
        let value = unsafe { library.C_GetFunctionList(&raw mut list) };
        std::mem::forget(library);
        // SAFETY: the list is static in the module.
        (value == CKR_OK && !list.is_null()).then(|| Real(unsafe { *list }))
    };
    REAL.get_or_init(load).as_ref().map(|real| &real.0)
}

/// Adds one to the calls of this name; how many they are.
fn count(name: &str) -> usize {
    let Ok(mut each) = EACH.lock() else { return 0 };
    if let Some((_, count)) = each.iter_mut().find(|(known, _)| known == name) {
        *count += 1;
        return *count;
    }
    each.push((name.to_string(), 1));
    1
}

/// Appends a line to the file that a variable names, if it does.
fn append(variable: &str, line: &str) {
    let Ok(path) = std::env::var(variable) else { return };
    // A fault that a test injects into the program's calls hits this one as well, once. The line is
    // written by one call: half of it, and then all of it, would be another line.
    let line = format!("{line}\n");
    for _ in 0..3 {
        let file = OpenOptions::new().append(true).create(true).open(&path);
        if file.is_ok_and(|mut file| file.write_all(line.as_bytes()).is_ok()) {
            return;
        }
    }
}

/// Counts and logs a call; the fault that is to happen at it, if any.
fn fault(function: &'static str, class: Option<&'static str>) -> Option<String> {
    let number = CALLS.fetch_add(1, Ordering::SeqCst) + 1;
    let of_class = class.map(|class| format!("{function}/{class}"));
    let names: Vec<(&str, usize)> = std::iter::once(function)
        .chain(of_class.as_deref())
        .map(|name| (name, count(name)))
        .collect();
    append("FAULTY_LOG", format!("{number} {function} {}", class.unwrap_or_default()).trim_end());
    let at = std::env::var("FAULTY_AT").ok()?;
    let (place, what) = at.split_once(':')?;
    let here = match place.split_once('#') {
        None => place.parse() == Ok(number),
        Some((asked, "*")) => names.iter().any(|(name, _)| *name == asked),
        Some((asked, count)) => {
            names.iter().any(|(name, found)| *name == asked && count.parse() == Ok(*found))
        }
    };
    here.then(|| what.to_string())
}

/// Dies as by a power cut: nothing is flushed, no handler runs.
fn die() {
    let _ =
        std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
    loop {
        std::thread::park();
    }
}

fn value(text: &str) -> CK_RV {
    CK_RV::from_str_radix(text, 16).unwrap_or(CKR_GENERAL_ERROR)
}

/// What every fault does around a call; a lie is left to the caller.
fn around(function: &'static str, call: impl FnOnce(Option<&str>) -> CK_RV) -> CK_RV {
    around_object(function, None, call)
}

/// The same where the call is about an object of this class.
fn around_object(
    function: &'static str,
    class: Option<&'static str>,
    call: impl FnOnce(Option<&str>) -> CK_RV,
) -> CK_RV {
    let fault = fault(function, class);
    match fault.as_deref() {
        Some("kill-before") => {
            die();
            CKR_GENERAL_ERROR
        }
        Some("kill-after") => {
            let result = call(None);
            die();
            result
        }
        Some(other) => {
            if let Some(text) = other.strip_prefix("error=") {
                return value(text);
            }
            if let Some(text) = other.strip_prefix("error-after=") {
                call(None);
                return value(text);
            }
            call(Some(other))
        }
        None => call(None),
    }
}

macro_rules! forward {
    ($($function:ident($($argument:ident: $kind:ty),*);)*) => {
        $(unsafe extern "C" fn $function($($argument: $kind),*) -> CK_RV {
            around(stringify!($function), |_| match real().and_then(|real| real.$function) {
                // SAFETY: the arguments are the program's, passed on as they are.
                Some(call) => unsafe { call($($argument),*) },
                None => CKR_FUNCTION_NOT_SUPPORTED,
            })
        })*
    };
}

forward! {
    C_OpenSession(
        slot: CK_SLOT_ID,
        flags: CK_FLAGS,
        data: *mut std::ffi::c_void,
        notify: CK_NOTIFY,
        session: *mut CK_SESSION_HANDLE
    );
    C_CloseSession(session: CK_SESSION_HANDLE);
    C_Logout(session: CK_SESSION_HANDLE);
    C_FindObjectsInit(session: CK_SESSION_HANDLE, template: *mut CK_ATTRIBUTE, count: CK_ULONG);
    C_FindObjectsFinal(session: CK_SESSION_HANDLE);
    C_GenerateKey(
        session: CK_SESSION_HANDLE,
        mechanism: *mut CK_MECHANISM,
        template: *mut CK_ATTRIBUTE,
        count: CK_ULONG,
        key: *mut CK_OBJECT_HANDLE
    );
    C_DeriveKey(
        session: CK_SESSION_HANDLE,
        mechanism: *mut CK_MECHANISM,
        base: CK_OBJECT_HANDLE,
        template: *mut CK_ATTRIBUTE,
        count: CK_ULONG,
        key: *mut CK_OBJECT_HANDLE
    );
    C_GetSessionInfo(session: CK_SESSION_HANDLE, info: *mut CK_SESSION_INFO);
}

unsafe extern "C" fn C_WrapKey(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    wrapping: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
    out: *mut CK_BYTE,
    length: *mut CK_ULONG,
) -> CK_RV {
    around("C_WrapKey", |lie| match real().and_then(|real| real.C_WrapKey) {
        Some(_) if lie == Some("octets") => {
            // SAFETY: the program's pointer to the room that it has, of which some is used.
            unsafe { *length = (*length).min(48) };
            CKR_OK
        }
        Some(_) if character::says_to_wrap().is_some() => {
            character::says_to_wrap().unwrap_or(CKR_OK)
        }
        Some(call) => {
            // SAFETY: the arguments are the program's, passed on as they are.
            let result = unsafe { call(session, mechanism, wrapping, key, out, length) };
            if let (CKR_OK, Ok(path), false) =
                (result, std::env::var("FAULTY_WRAPPED"), out.is_null())
            {
                // SAFETY: the module wrote `length` octets to `out`.
                let octets = unsafe { std::slice::from_raw_parts(out, *length as usize) };
                let _ = std::fs::write(path, octets);
            }
            result
        }
        None => CKR_FUNCTION_NOT_SUPPORTED,
    })
}

unsafe extern "C" fn C_UnwrapKey(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    unwrapping: CK_OBJECT_HANDLE,
    wrapped: *mut CK_BYTE,
    length: CK_ULONG,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    around("C_UnwrapKey", |lie| match real().and_then(|real| real.C_UnwrapKey) {
        Some(_) if lie == Some("nothing") => CKR_OK,
        Some(call) => {
            // SAFETY: `template` has `count` attributes, says the program.
            let mut asked =
                unsafe { std::slice::from_raw_parts(template, count as usize) }.to_vec();
            let mut fixed = CK_FALSE;
            if lie == Some("unfinished") {
                // SoftHSM sets nothing after this one.
                let pValue = (&raw mut fixed).cast();
                asked.insert(0, CK_ATTRIBUTE { type_: CKA_MODIFIABLE, pValue, ulValueLen: 1 });
            }
            let (template, count) = (asked.as_mut_ptr(), asked.len() as CK_ULONG);
            // SAFETY: `asked` lives over the call, the rest is the program's.
            unsafe { call(session, mechanism, unwrapping, wrapped, length, template, count, key) }
        }
        None => CKR_FUNCTION_NOT_SUPPORTED,
    })
}

unsafe extern "C" fn C_GenerateKeyPair(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    public: *mut CK_ATTRIBUTE,
    public_count: CK_ULONG,
    private: *mut CK_ATTRIBUTE,
    private_count: CK_ULONG,
    public_key: *mut CK_OBJECT_HANDLE,
    private_key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    around("C_GenerateKeyPair", |lie| match real().and_then(|real| real.C_GenerateKeyPair) {
        Some(_) if lie == Some("nothing") => CKR_OK,
        Some(call) => {
            let mut counts = (public_count, private_count);
            if lie == Some("nameless") {
                // SAFETY: the program's templates have as many attributes as it says.
                counts.0 = unsafe { lies::without_names(public, public_count) };
                // SAFETY: as before.
                counts.1 = unsafe { lies::without_names(private, private_count) };
            }
            let (public_count, private_count) = counts;
            // SAFETY: both templates have as many attributes as the program says.
            let (public, private) = unsafe {
                (
                    std::slice::from_raw_parts(public, public_count as usize),
                    std::slice::from_raw_parts(private, private_count as usize),
                )
            };
            if let Some(value) = character::refuses_pair(public, private) {
                return value;
            }
            let (mut public, mut private) = character::understood(public, private);
            // SAFETY: both templates live over the call, the rest is the program's.
            let result = unsafe {
                call(
                    session,
                    mechanism,
                    public.as_mut_ptr(),
                    public.len() as CK_ULONG,
                    private.as_mut_ptr(),
                    private.len() as CK_ULONG,
                    public_key,
                    private_key,
                )
            };
            if result == CKR_OK {
                // SAFETY: the module wrote a handle there.
                lies::remember(unsafe { *private_key });
            }
            if lie == Some("nameless") { CKR_DEVICE_ERROR } else { result }
        }
        None => CKR_FUNCTION_NOT_SUPPORTED,
    })
}

unsafe extern "C" fn C_DestroyObject(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
) -> CK_RV {
    let class = real().and_then(|real| lies::class(real, session, object));
    around_object("C_DestroyObject", class, |lie| {
        match real().and_then(|real| real.C_DestroyObject) {
            Some(_) if lie == Some("nothing") => CKR_OK,
            // SAFETY: the arguments are the program's, passed on as they are.
            Some(call) => unsafe { call(session, object) },
            None => CKR_FUNCTION_NOT_SUPPORTED,
        }
    })
}

unsafe extern "C" fn C_FindObjects(
    session: CK_SESSION_HANDLE,
    objects: *mut CK_OBJECT_HANDLE,
    most: CK_ULONG,
    count: *mut CK_ULONG,
) -> CK_RV {
    around("C_FindObjects", |lie| {
        let Some(call) = real().and_then(|real| real.C_FindObjects) else {
            return CKR_FUNCTION_NOT_SUPPORTED;
        };
        // SAFETY: the arguments are the program's, passed on as they are.
        let result = unsafe { call(session, objects, most, count) };
        if let (Some("other-object"), CKR_OK, Some(other)) = (lie, result, lies::remembered()) {
            // SAFETY: the module wrote `count` handles there.
            let found = unsafe { std::slice::from_raw_parts_mut(objects, *count as usize) };
            found.fill(other);
        }
        result
    })
}

unsafe extern "C" fn C_SignInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    around("C_SignInit", |lie| {
        let Some((real, call)) = real().and_then(|real| Some((real, real.C_SignInit?))) else {
            return CKR_FUNCTION_NOT_SUPPORTED;
        };
        lies::sign_under(real, session, key);
        let other = (lie == Some("other-key")).then(|| lies::other_key(real, session)).flatten();
        // SAFETY: the arguments are the program's, but perhaps the handle.
        unsafe { call(session, mechanism, other.unwrap_or(key)) }
    })
}

unsafe extern "C" fn C_Sign(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    out: *mut CK_BYTE,
    out_length: *mut CK_ULONG,
) -> CK_RV {
    let Some(call) = real().and_then(|real| real.C_Sign) else {
        return CKR_FUNCTION_NOT_SUPPORTED;
    };
    if out.is_null() {
        // The program asks for the length only: no signature, no count.
        // SAFETY: the arguments are the program's, passed on as they are.
        let result = unsafe { call(session, data, length, out, out_length) };
        if std::env::var("FAULTY_AT").is_ok_and(|at| at.ends_with(":der")) {
            // SAFETY: the program's pointer, which the module has just written to.
            unsafe { *out_length += lies::DER_MORE };
        }
        return result;
    }
    memory::look();
    around("C_Sign", |lie| {
        // SAFETY: `data` has `length` octets, says the program.
        let mut digest = unsafe { std::slice::from_raw_parts(data, length as usize) }.to_vec();
        if let (Some("other-digest"), Some(first)) = (lie, digest.first_mut()) {
            *first ^= 1;
        }
        // SAFETY: the program's pointer to how many octets `out` has.
        let room = unsafe { *out_length } as usize;
        // SAFETY: `digest` lives over the call, the rest is the program's.
        let result = unsafe { call(session, digest.as_mut_ptr(), length, out, out_length) };
        if result == CKR_OK {
            // SAFETY: `out` has `room` octets, of which the module wrote `out_length`.
            let (out, length) =
                unsafe { (std::slice::from_raw_parts_mut(out, room), &mut *out_length) };
            let signed = lies::about(&out[..*length as usize], lie);
            out[..signed.len()].copy_from_slice(&signed);
            *length = signed.len() as CK_ULONG;
            append("FAULTY_SIGNED", &lies::signed(session, &digest, &signed));
        }
        result
    })
}

unsafe extern "C" fn C_GetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    around("C_GetAttributeValue", |lie| {
        let Some(call) = real().and_then(|real| real.C_GetAttributeValue) else {
            return CKR_FUNCTION_NOT_SUPPORTED;
        };
        // SAFETY: `template` has `count` attributes, says the program.
        let asked = unsafe { std::slice::from_raw_parts(template, count as usize) };
        if character::knows_not(asked) {
            return CKR_ATTRIBUTE_TYPE_INVALID;
        }
        // SAFETY: the arguments are the program's, passed on as they are.
        let result = unsafe { call(session, object, template, count) };
        if let (Some(lie), CKR_OK) = (lie, result) {
            // SAFETY: `template` has `count` attributes, says the program.
            let template = unsafe { std::slice::from_raw_parts_mut(template, count as usize) };
            template.iter_mut().for_each(|attribute| lies::about_attribute(attribute, lie));
        }
        result
    })
}

/// The one symbol that a PKCS #11 module must have.
///
/// # Safety
///
/// `list` is a place for a pointer, as PKCS #11 has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    let Some(real) = real() else { return CKR_GENERAL_ERROR };
    let ours = OURS.get_or_init(|| {
        let mut ours = *real;
        ours.C_GetFunctionList = Some(C_GetFunctionList);
        ours.C_GetSlotList = Some(lies::C_GetSlotList);
        ours.C_GetTokenInfo = Some(login::C_GetTokenInfo);
        ours.C_GetMechanismList = Some(lies::C_GetMechanismList);
        ours.C_GetMechanismInfo = Some(character::C_GetMechanismInfo);
        ours.C_OpenSession = Some(C_OpenSession);
        ours.C_CloseSession = Some(C_CloseSession);
        ours.C_Login = Some(login::C_Login);
        ours.C_Logout = Some(C_Logout);
        ours.C_SetPIN = Some(login::C_SetPIN);
        ours.C_CreateObject = Some(character::C_CreateObject);
        ours.C_FindObjectsInit = Some(C_FindObjectsInit);
        ours.C_FindObjects = Some(C_FindObjects);
        ours.C_FindObjectsFinal = Some(C_FindObjectsFinal);
        ours.C_SignInit = Some(C_SignInit);
        ours.C_GenerateKey = Some(C_GenerateKey);
        ours.C_WrapKey = Some(C_WrapKey);
        ours.C_UnwrapKey = Some(C_UnwrapKey);
        ours.C_DeriveKey = Some(C_DeriveKey);
        ours.C_GetSessionInfo = Some(C_GetSessionInfo);
        ours.C_GenerateKeyPair = Some(C_GenerateKeyPair);
        ours.C_DestroyObject = Some(C_DestroyObject);
        ours.C_Sign = Some(C_Sign);
        ours.C_GetAttributeValue = Some(C_GetAttributeValue);
        Real(ours)
    });
    // SAFETY: the program gave a place for the pointer; the list is static here and never written
    // through it.
    unsafe { *list = std::ptr::from_ref(&ours.0).cast_mut() };
    CKR_OK
}
