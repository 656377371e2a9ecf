//! The words of a difference, in Japanese and English.
//!
//! Field names are written as in documents, structures and standards; in Japanese the CP/CPS's word
//! is added.

use alloc::format;
use alloc::string::{String, ToString};

use super::{Part, Side};
use crate::graph::Origin;
use crate::language::{Bilingual, Language};
use crate::x509::Reason;

/// How a finding of a rule is classified: refused, reported or excepted.
pub(super) fn standing() -> [Bilingual; 3] {
    [both("違反", "refused"), both("報告", "reported"), both("例外により許容", "excepted")]
}

/// The origin of a key.
pub(super) fn origin(origin: Origin) -> Bilingual {
    match origin {
        Origin::Here => both("このセレモニーで生成", "made here"),
        Origin::Before => both("生成済み", "exists"),
    }
}

/// The title of one key's CRLs.
pub(super) fn batch() -> Bilingual {
    both("まとめて署名する CRL", "batch")
}

/// The title of a certificate in the CRLs of a batch.
pub(super) fn entry() -> Bilingual {
    both("失効した電子証明書", "revoked certificate")
}

/// The days whose CRLs list a certificate.
pub(super) fn days(first: &str, last: &str, count: usize) -> Bilingual {
    let days = if count == 1 { "day" } else { "days" };
    let (ja, en) = (format!("{count} 日分"), format!("{count} {days}"));
    Bilingual { ja: format!("{first} – {last} ({ja})"), en: format!("{first} – {last} ({en})") }
}

/// The reason code of an entry of a CRL.
pub(super) fn reason(reason: Option<Reason>) -> Bilingual {
    reason.map_or_else(|| both("なし", "absent"), |reason| Bilingual::plain(reason.name()))
}

/// The algorithm and the key of a signature, as a structure's line has them: `ALGORITHM by KEY`.
pub(super) fn signature(line: &str) -> Bilingual {
    let ja = line.split_once(" by ").map(|(algorithm, key)| format!("{algorithm}(鍵 {key})"));
    Bilingual { ja: ja.unwrap_or_else(|| line.to_string()), en: line.to_string() }
}

fn both(ja: &str, en: &str) -> Bilingual {
    Bilingual { ja: ja.to_string(), en: en.to_string() }
}

/// The heading of a part.
pub(super) const fn part(part: Part, language: Language) -> &'static str {
    let (ja, en) = match part {
        Part::Ceremony => ("キーセレモニー", "ceremony"),
        Part::Rules => ("規則", "rules"),
        Part::Keys => ("鍵ペア", "keys"),
        Part::Certificates => ("電子証明書", "certificates"),
        Part::Crls => ("失効記録(CRL)", "CRLs"),
        Part::Decisions => ("事前の申請・判断・指示", "decided before"),
        Part::People => ("参加者", "people"),
        Part::Operations => ("手順", "operations"),
        Part::Plan => ("計画(plan.toml)の項目", "entries of plan.toml"),
        Part::Cps => ("運用規程(cps.toml)の項目", "entries of cps.toml"),
        Part::Policy => ("ポリシー(policy.toml)の項目", "entries of policy.toml"),
        Part::Roster => ("任命簿(roster.toml)の項目", "entries of roster.toml"),
        Part::Release => ("リリース(release.toml)の項目", "entries of release.toml"),
        Part::Ids => ("照合する値", "ids"),
    };
    pick(language, ja, en)
}

/// The word for a subject that is in one plan only; for a rule, that it begins or ceases to be
/// broken.
pub(super) const fn side(part: Part, side: Side, language: Language) -> &'static str {
    let (ja, en) = match (side, part) {
        (Side::Old, Part::Rules) => ("解消", "no longer"),
        (Side::New, Part::Rules) => ("新規", "new"),
        (Side::Old, _) => ("削除", "removed"),
        (Side::New, _) => ("追加", "added"),
        (Side::Both, _) => ("変更", "changed"),
    };
    pick(language, ja, en)
}

/// The word for ceremonies that one side only has.
pub(super) const fn ceremonies(side: Side, language: Language) -> &'static str {
    let (ja, en) = match side {
        Side::Old => ("変更前のみのセレモニー", "ceremonies removed"),
        Side::New => ("変更後のみのセレモニー", "ceremonies added"),
        Side::Both => ("変更のあるセレモニー", "ceremonies changed"),
    };
    pick(language, ja, en)
}

/// The heading above what each ceremony has for itself and no reviewer reads.
pub(super) const fn each(language: Language) -> &'static str {
    pick(language, "各セレモニー", "each ceremony")
}

/// The word before a field by which something is protected less than before.
pub(super) const fn weaker(language: Language) -> &'static str {
    pick(language, "緩和", "weaker")
}

/// The headings of a table's columns: subject, field, before, after.
pub(super) const fn columns(language: Language) -> [&'static str; 4] {
    match language {
        Language::Ja => ["対象", "項目", "変更前", "変更後"],
        Language::En => ["what", "field", "before", "after"],
    }
}

/// The mark for a field that a plan does not have.
pub(super) const fn absent(language: Language) -> &'static str {
    pick(language, "(なし)", "(absent)")
}

/// The title of the page.
pub(super) fn title(ceremonies: &str, language: Language) -> String {
    match language {
        Language::Ja => format!("{ceremonies}: 意味上の変更点"),
        Language::En => format!("{ceremonies}: what changes in meaning"),
    }
}

/// The heading above the drawing of what changes.
pub(super) const fn drawn(language: Language) -> &'static str {
    match language {
        Language::Ja => "署名されるものの変更(+ 追加、− 削除、± 変更)",
        Language::En => "what is signed, and by which key (+ new, − gone, ± changed)",
    }
}

/// The note for a reader if a plan has no graph.
pub(super) const fn broken(old: bool, new: bool, language: Language) -> &'static str {
    let (ja, en) = match (old, new) {
        (false, false) => ("", ""),
        (true, false) => (
            "変更前は規則に反し、グラフがない。文書だけを比べた。",
            "The old one breaks rules and has no graph: only documents are compared.",
        ),
        (false, true) => (
            "変更後は規則に反し、グラフがない。文書だけを比べた。",
            "The new one breaks rules and has no graph: only documents are compared.",
        ),
        (true, true) => (
            "どちらも規則に反し、グラフがない。文書だけを比べた。",
            "Both break rules and have no graph: only documents are compared.",
        ),
    };
    pick(language, ja, en)
}

/// The number of subjects that are not named.
pub(super) fn more(count: usize, language: Language) -> String {
    match language {
        Language::Ja => format!("ほか {count} 件"),
        Language::En => format!("and {count} more"),
    }
}

/// The name of a field; in Japanese with the CP/CPS's word (7.1.2, 7.2). Entries of documents keep
/// their names.
pub(super) fn field(part: Part, name: &str, language: Language) -> String {
    let written =
        matches!(part, Part::Plan | Part::Cps | Part::Policy | Part::Roster | Part::Release);
    let known = match language {
        Language::Ja if !written => japanese(name),
        Language::Ja | Language::En => None,
    };
    known.unwrap_or_else(|| name.to_string())
}

fn japanese(name: &str) -> Option<String> {
    let structure = match name.split(',').next().unwrap_or(name) {
        "version" => "バージョン",
        "serialNumber" => "シリアル番号",
        "signature" => "署名アルゴリズム",
        "issuer" => "発行者情報",
        "notBefore" => "有効期間の開始日",
        "notAfter" => "有効期間の終了日",
        "subject" => "主体者名",
        "subjectPublicKey" => "公開鍵",
        "subjectKeyIdentifier" => "主体者鍵識別子",
        "authorityKeyIdentifier" => "発行者鍵識別子",
        "keyUsage" => "鍵用途",
        "extKeyUsage" => "拡張鍵用途",
        "basicConstraints" => "基本制約",
        "issuerAltName" => "発行者別名",
        "cRLDistributionPoints" => "CRL 配布点",
        "cRLNumber" => "CRL 番号",
        "revocationDate" => "失効年月日",
        "reasonCode" => "失効事由",
        _ => return own(name),
    };
    Some(format!("{structure} ({name})"))
}

/// The Japanese names of fields that no standard names.
fn own(name: &str) -> Option<String> {
    // An attribute of a key, and the request for a certificate, have a name of their own.
    for (kind, ja) in [("private ", "秘密鍵の"), ("public ", "公開鍵の"), ("request ", "発行要求 ")]
    {
        if let Some(rest) = name.strip_prefix(kind) {
            return Some(format!("{ja}{rest}"));
        }
    }
    let known = match name {
        "profile" => "種類",
        "CRLs" => "枚数",
        "first thisUpdate" => "最初の有効期間の開始日 (thisUpdate)",
        "last thisUpdate" => "最後の有効期間の開始日 (thisUpdate)",
        "days to nextUpdate" => "有効な日数 (nextUpdate まで)",
        "days to the next release" => "次の更新予定日までの日数",
        "stands in" => "掲載する CRL",
        "asked" => "求めたもの",
        "found" => "あったもの",
        "exception" => "例外",
        "ca" => "認証局",
        "name" => "名称",
        "ceremony" => "セレモニー",
        "after" => "前のセレモニー",
        "sequence" => "通し番号",
        "window" => "実施時間帯",
        "curve" => "曲線",
        "generation" => "世代",
        "backup" => "バックアップ",
        "origin" => "生成",
        "organization" => "組織",
        "roles" => "役割",
        "signs" => "署名対象",
        "token" => "トークン",
        "sections" => "条項",
        "follows" => "直前の手順",
        "predecessor" => "前のセレモニーの最新値",
        "postscript" => "前のセレモニーの封印後の記録",
        "notification" => "届出",
        "graph" => "グラフ (graph)",
        "bindings" => "バインディング (bindings)",
        _ => return None,
    };
    Some(known.to_string())
}

const fn pick(language: Language, ja: &'static str, en: &'static str) -> &'static str {
    match language {
        Language::Ja => ja,
        Language::En => en,
    }
}
