//! Judges the answers that only a probe asks for: the token's flags, its data object, a signature
//! on the probe's own message, refused attributes, and what the probe left behind.

use alloc::format;

use super::super::joined;
use super::{LABEL, MESSAGE, TokenFlag};
use crate::fault::Fault;
use crate::hex::Octets;
use crate::key::{Check, PublicKey, Signature};
use crate::language::Bilingual;
use crate::name::Name;
use crate::rule::RuleId;
use crate::says;
use crate::token::{Attribute, TokenError, TokenObject};

/// Returns the flag because of which no user can log in and write: one that is missing, or one that
/// must not be set.
#[must_use]
pub fn unfit(flags: &[TokenFlag]) -> Option<TokenFlag> {
    let needed = [TokenFlag::Initialized, TokenFlag::PinInitialized];
    let never = [
        TokenFlag::PinLocked,
        TokenFlag::PinFinalTry,
        TokenFlag::PinToBeChanged,
        TokenFlag::WriteProtected,
        TokenFlag::ErrorState,
    ];
    let missing = needed.into_iter().find(|flag| !flags.contains(flag));
    missing.or_else(|| never.into_iter().find(|flag| flags.contains(flag)))
}

/// Whether a user can log in and write.
pub(super) fn judge_condition(flags: &[TokenFlag]) -> Result<(), Fault> {
    let Some(flag) = unfit(flags) else { return Ok(()) };
    let is = Bilingual::plain(flag.name());
    let is_not = says!("{} でないこと", "not {}", flag.name());
    Err(match flags.contains(&flag) {
        true => Fault::new(RuleId::S_TOKEN, is_not, is),
        false => Fault::new(RuleId::S_TOKEN, is, is_not),
    })
}

pub(super) fn no_pair() -> Fault {
    Fault::new(RuleId::S_ORDER, says!("鍵ペア", "a key pair"), Bilingual::none())
}

pub(super) fn judge_data(values: &[Octets]) -> Result<(), Fault> {
    match values {
        [_] => Ok(()),
        others => {
            let asked = says!("読み戻されたデータオブジェクト 1 個", "one data object, read back");
            Err(Fault::new(RuleId::S_LEDGER_HEAD, asked, Bilingual::plain(others.len())))
        }
    }
}

pub(super) fn judge_signatures(key: &PublicKey, signatures: &[Octets]) -> Result<(), Fault> {
    let [raw] = signatures else {
        let (asked, found) =
            (says!("署名 1 個", "one signature"), Bilingual::plain(signatures.len()));
        return Err(Fault::new(RuleId::S_SIGNATURE, asked, found));
    };
    let wrong = |error: crate::key::KeyError| {
        let asked = says!("検証できる r‖s の署名", "a raw signature that verifies");
        Fault::new(RuleId::S_SIGNATURE, asked, error.said())
    };
    let signature = Signature::from_raw(key.curve(), &raw.0).map_err(wrong)?;
    let check = Check::new(LABEL, key, MESSAGE.into(), signature);
    check.prove().map(drop).map_err(wrong)
}

pub(super) fn refused(
    name: &Name,
    bare: Option<&TokenError>,
    private: &[Attribute],
    public: &[Attribute],
) -> Fault {
    if let Some(error) = bare {
        return Fault::new(
            RuleId::S_TOKEN,
            says!(
                "最も少ない属性による {name} と同様の鍵ペア",
                "a key pair like {name}, with the fewest attributes"
            ),
            error.said(),
        );
    }
    let of_private =
        private.iter().map(|attribute| says!("秘密鍵の {}", "private {}", attribute.name()));
    let of_public =
        public.iter().map(|attribute| says!("公開鍵の {}", "public {}", attribute.name()));
    let listed = joined(of_private.chain(of_public), "、", ", ");
    let found = match (private, public) {
        ([], []) => says!(
            "属性ごとには受け付けられるが、すべてを合わせると拒否される",
            "each attribute is taken by itself, and all together are not"
        ),
        (_, _) => says!(listed; "拒否された属性: {listed}", "refused: {listed}"),
    };
    let asked = says!("{name} のすべての属性", "every attribute of {name}");
    Fault::new(RuleId::R_KEY_IN_HSM, asked, found)
}

pub(super) fn unchanged(before: &[TokenObject], after: &[TokenObject]) -> Result<(), Fault> {
    if before == after {
        return Ok(());
    }
    let name = |object: &TokenObject| format!("{} `{}`", object.class, object.label);
    let more = after.iter().filter(|object| !before.contains(object)).map(name);
    let less = before.iter().filter(|object| !after.contains(object)).map(name);
    let more = more.map(|name| says!("{name} が増えた", "now also {name}"));
    let less = less.map(|name| says!("{name} がなくなった", "no longer {name}"));
    let found = joined(more.chain(less), "、", ", ");
    let asked =
        says!("調べる前にあったオブジェクト", "the objects that were there before the probe");
    Err(Fault::new(RuleId::R_HSM_DEDICATED, asked, found))
}
