//! The rules of path validation: id, clause, and what each refuses.

use crate::language::{Sentence, both};
use crate::rule::RuleId;

/// Every rule that only path validation judges; the others of any IACA stand in
/// [`crate::x509::judge::RULES`], because `check` judges its own structures by them too.
pub const RULES: &[(RuleId, &str, Sentence)] = &[
    (
        RuleId::P_PATH_ISSUER,
        "RFC 5280 6.1.3 (a) (4)",
        both(
            "信頼する鍵のない名称の証明書または CRL",
            "a certificate or CRL of a Name under which no key is trusted",
        ),
    ),
    (
        RuleId::P_PATH_KEY,
        "RFC 5280 4.2.1.1, 5.2.1",
        both(
            "信頼しない鍵による証明書または CRL",
            "a certificate or CRL of a key that is not trusted",
        ),
    ),
    (
        RuleId::P_PATH_CA,
        "RFC 5280 6.1.4 (k), (n)",
        both(
            "証明書に署名した、または署名するはずであるのに、証明書への署名を許されない鍵",
            "a key that may not sign certificates, but signed one or is meant to",
        ),
    ),
    (
        RuleId::P_PATH_SIGNATURE,
        "RFC 5280 6.1.3 (a) (1), 6.3.3 (g)",
        both(
            "信頼する鍵で検証できない署名",
            "a signature that does not verify under the trusted key",
        ),
    ),
    (
        RuleId::P_PATH_TIME,
        "RFC 5280 6.1.3 (a) (2)",
        both(
            "有効期間の開始前または満了後の証明書",
            "a certificate that is not yet valid, or has expired",
        ),
    ),
    (
        RuleId::R_VERIFIER,
        "RFC 5280 4.2, 5.2, CP/CPS",
        both(
            "未知の、または内容を処理できない critical な拡張",
            "a critical extension that is unknown, or whose content cannot be processed",
        ),
    ),
    (
        RuleId::P_PATH_CRL,
        "RFC 5280 6.3.3, CP/CPS",
        both(
            "署名した鍵によるその日の CRL のない証明書",
            "a certificate without a current CRL by the key that signed it",
        ),
    ),
    (
        RuleId::P_CRL_TIME,
        "RFC 5280 5.1.2.4, 5.1.2.5, CP/CPS",
        both(
            "thisUpdate より前、または nextUpdate 以後の CRL",
            "a CRL before its thisUpdate, or from its nextUpdate on",
        ),
    ),
    (
        RuleId::P_REVOKED,
        "RFC 5280 6.3.3 (i), CP/CPS",
        both(
            "信頼する鍵の CRL が、その日のものかを問わず、失効として挙げる証明書",
            "a certificate that a CRL of a trusted key lists, current or not",
        ),
    ),
    (
        RuleId::P_PATH_ALGORITHM,
        "RFC 5280 6.1.3 (a) (1)",
        both(
            "このプログラムでは検証できないアルゴリズムの署名",
            "a signature of an algorithm that this program cannot verify",
        ),
    ),
    (
        RuleId::P_PATH_LENGTH,
        "RFC 5280 6.1.4 (l), (m)",
        both(
            "pathLenConstraint の許す数を超える、別の名称の認証局の証明書",
            "more CA certificates of another Name than pathLenConstraint allows",
        ),
    ),
    (
        RuleId::P_SERIAL,
        "RFC 5280 4.1.2.2",
        both(
            "正の数でない、または 20 オクテットを超えるシリアル番号",
            "a serial number that is not positive, or has more than 20 octets",
        ),
    ),
    (
        RuleId::I_NAME,
        "ISO 18013-5 B.1.2, B.1.4",
        both("CN のない名称", "a Name without a commonName"),
    ),
    (
        RuleId::I_DS_KEY,
        "ISO 18013-5 B.1.4",
        both(
            "Annex B の挙げる曲線によらない DS の鍵",
            "a Document Signer's key of another algorithm or curve than Annex B lists",
        ),
    ),
    (
        RuleId::I_DS_WITHIN,
        "ISO 18013-5 B.1.4",
        both(
            "有効期間がルートの有効期間に収まらない DS 証明書",
            "a Document Signer that is valid before or after its root",
        ),
    ),
];
