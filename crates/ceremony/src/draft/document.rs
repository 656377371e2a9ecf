//! The outline of a CP/CPS: the headings of RFC 3647 section 6, to be filled in.

use alloc::format;
use alloc::string::String;

use crate::language::{Language, Sentence, both};

/// A chapter, and its sections.
type Chapter = (Sentence, &'static [Sentence]);

/// The chapters and sections of RFC 3647 section 6, in their order.
const CHAPTERS: [Chapter; 9] = [
    (
        both("はじめに", "Introduction"),
        &[
            both("概要", "Overview"),
            both("文書の名称と識別", "Document name and identification"),
            both("PKI の関係者", "PKI participants"),
            both("電子証明書の用途", "Certificate usage"),
            both("ポリシーの管理", "Policy administration"),
            both("定義と略語", "Definitions and acronyms"),
        ],
    ),
    (
        both("公開とリポジトリの責任", "Publication and repository responsibilities"),
        &[
            both("リポジトリ", "Repositories"),
            both("証明に関する情報の公開", "Publication of certification information"),
            both("公開の時期と頻度", "Time or frequency of publication"),
            both("リポジトリへのアクセス管理", "Access controls on repositories"),
        ],
    ),
    (
        both("識別と認証", "Identification and authentication"),
        &[
            both("名称", "Naming"),
            both("初回の識別と認証", "Initial identity validation"),
            both(
                "鍵更新の申請の識別と認証",
                "Identification and authentication for re-key requests",
            ),
            both(
                "失効の申請の識別と認証",
                "Identification and authentication for revocation requests",
            ),
        ],
    ),
    (
        both(
            "電子証明書のライフサイクルの運用要件",
            "Certificate life-cycle operational requirements",
        ),
        &[
            both("電子証明書の申請", "Certificate application"),
            both("申請の処理", "Certificate application processing"),
            both("電子証明書の発行", "Certificate issuance"),
            both("電子証明書の受領", "Certificate acceptance"),
            both("鍵ペアと電子証明書の使用", "Key pair and certificate usage"),
            both("鍵を替えない更新", "Certificate renewal"),
            both("鍵を替える更新", "Certificate re-key"),
            both("電子証明書の変更", "Certificate modification"),
            both("失効と一時停止", "Certificate revocation and suspension"),
            both("電子証明書の状態の提供", "Certificate status services"),
            both("利用の終了", "End of subscription"),
            both("鍵の預託と回復", "Key escrow and recovery"),
        ],
    ),
    (
        both("施設、運営及び運用の管理", "Facility, management, and operational controls"),
        &[
            both("物理的管理", "Physical controls"),
            both("手続的管理", "Procedural controls"),
            both("人事的管理", "Personnel controls"),
            both("監査記録の手続", "Audit logging procedures"),
            both("記録の保管", "Records archival"),
            both("鍵の切替え", "Key changeover"),
            both("危殆化と災害からの復旧", "Compromise and disaster recovery"),
            both("認証局又は登録局の終了", "CA or RA termination"),
        ],
    ),
    (
        both("技術的セキュリティ管理", "Technical security controls"),
        &[
            both("鍵ペアの生成と導入", "Key pair generation and installation"),
            both(
                "秘密鍵の保護と暗号モジュール",
                "Private key protection and cryptographic module engineering controls",
            ),
            both("鍵ペアのその他の管理", "Other aspects of key pair management"),
            both("活性化データ", "Activation data"),
            both("コンピューターのセキュリティ管理", "Computer security controls"),
            both("ライフサイクルの技術的管理", "Life cycle technical controls"),
            both("ネットワークのセキュリティ管理", "Network security controls"),
            both("時刻の付与", "Time-stamping"),
        ],
    ),
    (
        both("電子証明書、CRL 及び OCSP のプロファイル", "Certificate, CRL, and OCSP profiles"),
        &[
            both("電子証明書のプロファイル", "Certificate profile"),
            both("CRL のプロファイル", "CRL profile"),
            both("OCSP のプロファイル", "OCSP profile"),
        ],
    ),
    (
        both("準拠性監査とその他の評価", "Compliance audit and other assessments"),
        &[
            both("評価の頻度と条件", "Frequency or circumstances of assessment"),
            both("評価者の身元と資格", "Identity and qualifications of assessor"),
            both("評価者と被評価者の関係", "Assessor's relationship to assessed entity"),
            both("評価の対象", "Topics covered by assessment"),
            both("不備への対応", "Actions taken as a result of deficiency"),
            both("結果の伝達", "Communication of results"),
        ],
    ),
    (
        both("その他の業務上及び法律上の事項", "Other business and legal matters"),
        &[
            both("料金", "Fees"),
            both("財務上の責任", "Financial responsibility"),
            both("業務情報の秘密保持", "Confidentiality of business information"),
            both("個人情報の保護", "Privacy of personal information"),
            both("知的財産権", "Intellectual property rights"),
            both("表明と保証", "Representations and warranties"),
            both("保証の否認", "Disclaimers of warranties"),
            both("責任の限定", "Limitations of liability"),
            both("補償", "Indemnities"),
            both("期間と終了", "Term and termination"),
            both("関係者への通知と連絡", "Individual notices and communications with participants"),
            both("改訂", "Amendments"),
            both("紛争の解決", "Dispute resolution provisions"),
            both("準拠法", "Governing law"),
            both("法令の遵守", "Compliance with applicable law"),
            both("雑則", "Miscellaneous provisions"),
            both("その他の規定", "Other provisions"),
        ],
    ),
];

/// Returns the outline as a page, in the CA's languages.
pub(super) fn outline(languages: &[Language]) -> String {
    let said = |sentence: &Sentence| {
        let halves = languages.iter().map(|language| match language {
            Language::Ja => sentence.ja,
            Language::En => sentence.en,
        });
        halves.collect::<alloc::vec::Vec<_>>().join(" / ")
    };
    let title = both("認証局運用規程", "Certification Practice Statement");
    let how = both(
        "見出しは RFC 3647 第 6 節による。各節を記入し、定めのない節には「規定しない」と書く。cps.toml の要求事項は、挙げる節の定めと一致させる。",
        "The headings are those of RFC 3647 section 6. Fill in each section; where nothing is stipulated, write \"No stipulation\". What cps.toml requires must be what the sections that it names say.",
    );
    let mut page = format!("# {}\n", said(&title));
    for language in languages {
        let how = if *language == Language::Ja { how.ja } else { how.en };
        page.push_str(&format!("\n{how}\n"));
    }
    for (chapter, (title, sections)) in (1..).zip(&CHAPTERS) {
        page.push_str(&format!("\n## {chapter}. {}\n", said(title)));
        for (section, title) in (1..).zip(*sections) {
            page.push_str(&format!("\n### {chapter}.{section} {}\n", said(title)));
        }
    }
    page
}
