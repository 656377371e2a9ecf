//! Advice on a finding that stops the ceremony: a line of the policy, or a setting of the token.

use ceremony::fault::{Fault, Why};
use ceremony::rule::RuleId;
use ceremony::run::{Finding, Outcome, ProbeAnswer, ProbeStep, TokenFlag, unfit};
use ceremony::token::{Attribute, TokenAnswer};

use crate::report;

/// Returns the advice in Japanese and English; `None` if the finding needs none.
pub(super) fn of(finding: &Finding, fault: &Fault) -> Option<(&'static str, &'static str)> {
    match &finding.step {
        ProbeStep::Identify => identity(fault),
        ProbeStep::Condition => condition(finding),
        ProbeStep::Copy => Some((
            "このメカニズムのないトークンでは暗号化した複製ができない。policy.toml の `[root] backup` を `\"vendor\"` とし、製品の手順で複製する",
            "a copy under an agreed key is not possible without it: set `[root] backup = \"vendor\"` in policy.toml, and copy by the product's own procedure",
        )),
        ProbeStep::Login => Some(login(finding)),
        ProbeStep::Inventory => Some(inventory(fault)),
        ProbeStep::Head => report::advice(fault),
        // What is to be done is said by the step after it.
        ProbeStep::Make(_) if fault.rule == RuleId::S_TOKEN => None,
        ProbeStep::Make(_) => Some(attribute(fault)),
        ProbeStep::Refused(_) if is_refused_with(finding, "CKR_MECHANISM_INVALID") => Some((
            "このような鍵を作るメカニズムがない。製品の設定で有効にするか、別のトークンを使う",
            "it offers no way to make such a key: enable it in the product's settings, or use another token",
        )),
        ProbeStep::Refused(_)
            if fault.rule == RuleId::S_TOKEN && finding.outcome == Outcome::Stops =>
        {
            Some((
                "最も少ない属性でも鍵ができない。戻り値の意味を製造者に確かめる",
                "it makes no key pair even with the fewest attributes: ask its maker what the return value means",
            ))
        }
        ProbeStep::Refused(_) if fault.rule == RuleId::S_TOKEN => Some((
            "このモジュールはセッション鍵を作らない。訓練用のトークン(room.toml の `drill = true`)なら、`--lasting` を付けると、残る鍵で調べて消す",
            "this module makes no session keys: on a drill's token (`drill = true` in room.toml) `--lasting` tries with keys that last, and destroys them",
        )),
        ProbeStep::Refused(_) if are_refused(finding, Attribute::WrapWithTrusted) => Some((
            "このモジュールは TRUSTED の鍵による複製を知らない。policy.toml の `[root] backup` を `\"vendor\"` とし、ほかに拒まれたものがあれば `[token] leave-out` に挙げる",
            "the module knows no copy under a TRUSTED key: set `[root] backup = \"vendor\"` in policy.toml, and name what else is refused in `[token] leave-out`",
        )),
        ProbeStep::Refused(_) => Some((
            "拒まれた属性を policy.toml の `[token] leave-out` に挙げる。作った鍵は読み戻して判定される",
            "name the refused attributes in `[token] leave-out` of policy.toml; the key that is made is read back and judged all the same",
        )),
        ProbeStep::Sign(_) => Some((
            "CKM_ECDSA の署名が正しくない。このトークンを使わず、製品の設定(FIPS モード等)と版を確かめる",
            "its CKM_ECDSA is not right: do not use this token; look at its settings (FIPS mode) and its version",
        )),
        ProbeStep::ReadValue(_) | ProbeStep::Wrap(_) => Some(transfer(finding)),
        ProbeStep::Data => Some((
            "データオブジェクトを持てないトークンでは、policy.toml に `[ledger-head] on = \"paper\"` と書く",
            "where a token keeps no data objects, set `[ledger-head] on = \"paper\"` in policy.toml",
        )),
        ProbeStep::Forget | ProbeStep::Unchanged => Some((
            "`gishiki probe` の名の付いたものを製品の道具で消し、もう一度調べる",
            "remove what is labelled `gishiki probe` with the product's tool, and probe again",
        )),
        ProbeStep::Logout => None,
    }
}

/// Whether no pair at all could be made, and the token says so.
fn is_refused_with(finding: &Finding, code: &str) -> bool {
    match &finding.answer {
        Some(Ok(ProbeAnswer::Refused { bare: Some(error), .. })) => error.code == code,
        _ => false,
    }
}

/// Whether this attribute is among those that are refused.
fn are_refused(finding: &Finding, attribute: Attribute) -> bool {
    match &finding.answer {
        Some(Ok(ProbeAnswer::Refused { private, public, .. })) => {
            private.contains(&attribute) || public.contains(&attribute)
        }
        _ => false,
    }
}

fn identity(fault: &Fault) -> Option<(&'static str, &'static str)> {
    Some(match fault.rule {
        RuleId::S_DRILL => (
            "訓練のトークンの名は DRILL で始め、本番のものはそうしない。room.toml の `drill` と合わせる",
            "label the token of a drill DRILL…, and no other; make `drill` in room.toml agree with it",
        ),
        RuleId::S_TOKEN_MECHANISM => (
            "このメカニズムのないトークンでは署名できない。製品の設定で有効にするか、別のトークンを使う",
            "the token cannot sign without it: enable it in the product's settings, or use another token",
        ),
        RuleId::S_ANSWER => (
            "銘板に読めない文字がある。トークンの名を付け直すか、モジュールの版を改める",
            "its description holds characters that nobody can read: label the token anew, or use another version of the module",
        ),
        RuleId::S_TOKEN_SERIAL => (
            "room.toml の `serial` を確かめる。モジュールが見せる番号は `pkcs11-tool --list-slots` でも分かる",
            "look at `serial` in room.toml; `pkcs11-tool --list-slots` shows what the module says",
        ),
        _ => return None,
    })
}

fn condition(finding: &Finding) -> Option<(&'static str, &'static str)> {
    let Some(Ok(ProbeAnswer::Condition(flags))) = &finding.answer else { return None };
    Some(match unfit(flags)? {
        TokenFlag::Initialized | TokenFlag::PinInitialized => (
            "製品の道具でトークンを初期化し、利用者の PIN を設定する",
            "initialise the token with the product's tool, and set the user's PIN",
        ),
        TokenFlag::PinLocked => (
            "PIN がロックされている。HSM の管理者が解除する",
            "the PIN is locked: the security officer unlocks it",
        ),
        TokenFlag::PinFinalTry => (
            "誤入力があと 1 回でロックされる。probe は PIN を試さない。HSM の管理者が回数を戻す",
            "one more wrong PIN locks it, so the probe tries none: the security officer sets the count back",
        ),
        TokenFlag::PinToBeChanged => {
            ("利用者の PIN を初期値から変える", "change the user's PIN from its first value")
        }
        TokenFlag::WriteProtected => {
            ("書き込みを許すよう製品の設定を改める", "let the product's settings allow writing")
        }
        TokenFlag::ErrorState => (
            "トークンが自己検査に失敗している。使わない",
            "the token has failed its own test: do not use it",
        ),
        TokenFlag::LoginRequired | TokenFlag::ProtectedPath | TokenFlag::PinCountLow => {
            return None;
        }
    })
}

fn login(finding: &Finding) -> (&'static str, &'static str) {
    let failed_with = |code| matches!(&finding.answer, Some(Err(error)) if error.code == code);
    if failed_with("CKR_PIN_INCORRECT") {
        return (
            "PIN の誤りは 1 回数えられた。正しい PIN を確かめてから、もう一度調べる",
            "one wrong PIN was counted: make sure of the right one before probing again",
        );
    }
    if failed_with("CKR_PIN_LEN_RANGE") {
        return (
            "PIN の長さがこの製品の範囲の外にある",
            "the PIN is shorter or longer than this product takes",
        );
    }
    (
        "利用者のログインができない。カード・鍵・接続を確かめる。k-of-n のカードは `preload` のように先に読み込む",
        "the user cannot log in: look at cards, keys, connections; a set of K of N cards is loaded first, as by `preload`",
    )
}

fn inventory(fault: &Fault) -> (&'static str, &'static str) {
    if fault.rule == RuleId::S_KEY_ABSENT {
        return (
            "台帳にある鍵がこのトークンにない。トークンと `--ledger` を確かめる",
            "a key of the ledger is not on this token: look at the token, and at `--ledger`",
        );
    }
    // What bears a label of this CA may be its only root key.
    if fault.why == Why::OwnLabels {
        return (
            "この CA の名の付いたものがある。計画、`--ledger`、トークンが正しい組かを確かめる。何も消してはならない",
            "there are objects with labels of this CA: are this the right plan, `--ledger` and token? Remove nothing",
        );
    }
    (
        "このトークンは本 CA 専用でなければならない。余分なものは消し、製品自身が見せるものは policy.toml の `[token] may-hold` に挙げる",
        "the token is for this CA alone: remove what is more, and name what the product itself shows in `[token] may-hold` of policy.toml",
    )
}

fn attribute(fault: &Fault) -> (&'static str, &'static str) {
    if fault.why == Why::NotTold {
        return (
            "トークンがこの属性を答えない。用途の属性なら policy.toml の `[token] not-told` に挙げる。それ以外なら使えない",
            "the token does not tell this attribute: name one of usage in `[token] not-told` of policy.toml; without any other the token cannot be used",
        );
    }
    (
        "トークンは求めと異なる鍵を作る。製品の設定を確かめ、直らなければ使わない",
        "the token makes another key than was asked: look at the product's settings; if it stays so, do not use it",
    )
}

fn transfer(finding: &Finding) -> (&'static str, &'static str) {
    if let Some(Ok(ProbeAnswer::Token(TokenAnswer::Yielded { .. }))) = finding.answer {
        return (
            "秘密鍵を渡すトークンである。使ってはならない",
            "this token gives a private key away: it must not be used",
        );
    }
    (
        "拒んだのではなく失敗した。戻り値の意味を製造者に確かめる",
        "the token failed, and did not refuse: ask its maker what the return value means",
    )
}
