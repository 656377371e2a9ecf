//! The sentences of the rules about certificates and CRLs.
//!
//! All are computed from the encoded structures, except one that also depends on the plan.

use super::{By, Form, Group, When, proved, stated};
use crate::rule::RuleId;

const fn any(_: Form) -> bool {
    true
}

const fn certificate(form: Form) -> bool {
    matches!(form, Form::Root | Form::Link | Form::Ds)
}

const fn ca(form: Form) -> bool {
    matches!(form, Form::Root | Form::Link)
}

const fn root(form: Form) -> bool {
    matches!(form, Form::Root)
}

const fn root_or_ds(form: Form) -> bool {
    matches!(form, Form::Root | Form::Ds)
}

const fn link(form: Form) -> bool {
    matches!(form, Form::Link)
}

const fn issued(form: Form) -> bool {
    matches!(form, Form::Link | Form::Ds)
}

const fn ds(form: Form) -> bool {
    matches!(form, Form::Ds)
}

const fn crl(form: Form) -> bool {
    matches!(form, Form::Crl)
}

pub(super) const GROUPS: &[Group] = &[
    proved(When::Signed(any), ANY),
    proved(When::Signed(certificate), CERTIFICATE),
    proved(When::Signed(ca), CA),
    proved(When::Signed(root), ROOT),
    proved(
        When::Signed(root_or_ds),
        &[(
            RuleId::R_NO_RENEW,
            "同じ鍵を 2 度証明していない",
            "no key is certified that was certified before",
        )],
    ),
    proved(
        When::Signed(link),
        &[(
            RuleId::R_LINK,
            "リンク証明書は、一方のルート鍵でもう一方を、定められた期間だけ証明する",
            "every link is of one root key under the other, from the certified key's day to the old root's end",
        )],
    ),
    proved(
        When::Signed(issued),
        &[(
            RuleId::I_AKI,
            "authorityKeyIdentifier は署名した鍵の識別子だけで、critical でない",
            "every authorityKeyIdentifier is the signing key's identifier alone, not critical",
        )],
    ),
    proved(When::Signed(ds), DS),
    proved(When::Signed(crl), CRL),
    // The time at which a revocation was approved is known from the plan alone.
    stated(
        By::Papers,
        When::Signed(crl),
        &[(
            RuleId::R_CRL_CADENCE,
            "CRL があり、次のセレモニーはポリシーの間隔以内、失効は計画にある承認からポリシーの期限以内である",
            "there are CRLs, the next ceremony is within the interval of the policy, and what is revoked was revoked in the policy's time after the approval in the plan",
        )],
    ),
];

type Row = (RuleId, &'static str, &'static str);

const ANY: &[Row] = &[
    (RuleId::S_STRUCTURE, "どの構造も符号化できる", "every structure can be encoded"),
    (
        RuleId::S_STEP,
        "どの手順も前提のそろったところにあり、最後に室内に残る者や物はない",
        "every step has what it needs in the room, and nobody and nothing is left there at the end",
    ),
    (
        RuleId::P_DER,
        "構造と拡張は DER で、後に続くものはない",
        "every structure and extension is DER, and nothing follows it",
    ),
    (
        RuleId::R_ALG,
        "鍵はポリシーの曲線の上にあり、署名のハッシュはそれに応じたものである",
        "root keys are on the policy's curve, and signatures have its hash",
    ),
    (
        RuleId::R_DN_FIXED,
        "認証局の名称と所在は、最初のセレモニーから変わらない",
        "the CA's Name and addresses are those of its first ceremony, octet for octet",
    ),
    (
        RuleId::P_TIME_FORM,
        "時刻は 2049 年まで UTCTime、2050 年から GeneralizedTime である",
        "times are UTCTime through 2049, GeneralizedTime from 2050",
    ),
    (
        RuleId::P_ISSUER,
        "発行者は認証局の名称とオクテット単位で一致する",
        "every issuer is the CA's Name, octet for octet",
    ),
    (RuleId::P_EXT_UNIQUE, "同じ拡張は 2 度現れない", "no extension stands twice"),
];

const CERTIFICATE: &[Row] = &[
    (RuleId::R_V3, "証明書は version 3 である", "every certificate is version 3"),
    (
        RuleId::R_SERIAL,
        "シリアル番号は 20 オクテットの正の数で、使われたことがない",
        "every serial number is positive, of 20 octets, and was never used before",
    ),
    (
        RuleId::R_DN,
        "名称は 1 つの C と CN、及びポリシーの定める属性からなり、DS ごとに異なる",
        "names have one C, a CN and what else the policy gives them, and every Document Signer has its own",
    ),
    (
        RuleId::R_CERT_KINDS,
        "証明書はルート、リンク、DS の 3 種のいずれかである",
        "every certificate is a root, a link or a Document Signer's",
    ),
    (
        RuleId::R_KEYLIFE,
        "証明書に署名した鍵は、使用期間の中にある",
        "every certificate was signed by a key in its period of use",
    ),
    (RuleId::R_NO_POLICY_EXT, "certificatePolicies はない", "there is no certificatePolicies"),
    (
        RuleId::R_NO_CONSTRAINT_EXT,
        "nameConstraints と policyConstraints はない",
        "there is no nameConstraints and no policyConstraints",
    ),
    (
        RuleId::R_NO_OCSP,
        "OCSP への参照も用途もない",
        "there is no pointer to OCSP, and no use for it",
    ),
    (
        RuleId::I_ROOT_IAN,
        "issuerAltName はポリシーの URI とメールアドレスだけで、critical でない",
        "every issuerAltName is the policy's URI and e-mail address alone, not critical",
    ),
    (
        RuleId::I_ROOT_CDP,
        "cRLDistributionPoints は署名した鍵の CRL の URI だけである",
        "every cRLDistributionPoints is the URIs of the signing key's CRL alone",
    ),
    (
        RuleId::I_COUNTRY,
        "国名は発行国を表す大文字 2 字の PrintableString である",
        "the country is one PrintableString of two capitals, the issuing country's",
    ),
    (
        RuleId::I_STATE,
        "DS の名称の ST は発行者のものと同じであり、発行者になければない",
        "every Document Signer has the ST of its issuer, and none if that has none",
    ),
    (
        RuleId::S_CRL_URL,
        "CRL の配布点は鍵ごとに異なる",
        "the CRLs of each key have an address of their own",
    ),
    (
        RuleId::P_NAME_STRING,
        "名称の属性は、RFC 5280 の定める UTF8String か PrintableString である",
        "attributes of names are UTF8String or PrintableString, as RFC 5280 has them",
    ),
    (
        RuleId::P_NAME_LENGTH,
        "名称の属性は、RFC 5280 A.1 の定める長さ以下である",
        "no attribute of a name is longer than RFC 5280 A.1 lets it be",
    ),
    (
        RuleId::P_UNIQUE_ID,
        "issuerUniqueID と subjectUniqueID はない",
        "there is no issuerUniqueID and no subjectUniqueID",
    ),
    (
        RuleId::P_URI,
        "URI は絶対形であり、http と https のものはホスト名を持つ",
        "every URI is absolute, and one of http or https has a host",
    ),
];

const CA: &[Row] = &[
    (
        RuleId::I_ROOT_SKI,
        "CA 証明書の subjectKeyIdentifier は鍵の SHA-1 で、critical でない",
        "every CA certificate's subjectKeyIdentifier is SHA-1 of its key, not critical",
    ),
    (
        RuleId::I_ROOT_KEY_USAGE,
        "CA 証明書の keyUsage は keyCertSign と cRLSign だけで、critical である",
        "every CA certificate's keyUsage is exactly keyCertSign and cRLSign, critical",
    ),
    (
        RuleId::I_ROOT_BASIC_CONSTRAINTS,
        "CA 証明書の basicConstraints は cA、pathLenConstraint 0 で、critical である",
        "every CA certificate has cA and pathLenConstraint 0, critical",
    ),
    (RuleId::I_ROOT_EXT, "CA 証明書にほかの拡張はない", "no CA certificate has another extension"),
    (
        RuleId::I_ROOT_VALIDITY,
        "CA 証明書の有効期間は 20 年以内である",
        "every CA certificate is valid for at most 20 years",
    ),
];

const ROOT: &[Row] = &[(
    RuleId::R_ROOT,
    "ルートは鍵の生成と発行の日から、ポリシーの期間有効である",
    "every root is valid from the day of its issue for the span of the policy",
)];

const DS: &[Row] = &[
    (
        RuleId::R_DS,
        "DS 証明書は要求の鍵と計画の日付を持ち、ルートより先に満了し、要求は秘密鍵の所持を証明する",
        "every DS certificate has the key of its request, which proved possession, and the planned dates, and ends not after the root",
    ),
    (RuleId::R_DS_NOT_CA, "DS 証明書は認証局のものではない", "no DS certificate can certify"),
    (
        RuleId::I_DS_KEY_USAGE,
        "DS の keyUsage は digitalSignature だけで、critical である",
        "every DS certificate's keyUsage is digitalSignature alone, critical",
    ),
    (
        RuleId::I_DS_EKU,
        "DS の extKeyUsage はポリシーの用途 1 つだけで、critical である",
        "every DS certificate's extKeyUsage is the one purpose of the policy, critical",
    ),
    (
        RuleId::I_DS_VALIDITY,
        "DS 証明書の有効期間は 457 日以内である",
        "every DS certificate is valid for at most 457 days",
    ),
    (RuleId::I_DS_EXT, "DS 証明書にほかの拡張はない", "no DS certificate has another extension"),
];

const CRL: &[Row] = &[
    (
        RuleId::R_CRL,
        "CRL は version 2 で、計画の日付と番号を持つ",
        "every CRL is version 2, with the planned dates and number",
    ),
    (
        RuleId::R_CRL_COVER,
        "CRL は、失効して満了していない証明書をすべて持ち、ほかは持たない",
        "every CRL holds every revoked certificate that has not expired, and no other",
    ),
    (
        RuleId::S_CRL_BATCH,
        "CRL は 1 鍵あたりポリシーの上限以下である",
        "no batch has more CRLs than the policy allows",
    ),
    (
        RuleId::S_CRL_END,
        "どの CRL も、鍵のルート証明書より先に終わる",
        "no CRL ends after the root of its key",
    ),
    (
        RuleId::I_CRL_EXT,
        "CRL の拡張は authorityKeyIdentifier と cRLNumber だけで、critical でない",
        "every CRL has exactly authorityKeyIdentifier and cRLNumber, not critical",
    ),
    (
        RuleId::I_CRL_ENTRY_EXT,
        "CRL の項目の拡張はポリシーのとおりである",
        "the entries of CRLs have the extensions that the policy says",
    ),
    (
        RuleId::I_CRL_NEXT_UPDATE,
        "nextUpdate は thisUpdate より後で、90 日以内である",
        "every CRL has a nextUpdate after thisUpdate, within 90 days",
    ),
    (
        RuleId::P_CRL_EMPTY,
        "失効がなければ revokedCertificates はない",
        "revokedCertificates is absent where there is none",
    ),
    (
        RuleId::P_CRL_DATES,
        "失効日は thisUpdate より後にならない",
        "no revocation is later than its CRL's thisUpdate",
    ),
    (
        RuleId::P_CRL_ONCE,
        "CRL に同じシリアル番号は 2 度現れない",
        "no serial number stands twice in a CRL",
    ),
    (
        RuleId::P_CRL_KEY,
        "CRL の authorityKeyIdentifier は署名した鍵を識別子だけで示す",
        "every CRL names its signing key, by its identifier alone",
    ),
    (
        RuleId::P_CRL_NUMBER,
        "CRL 番号は 20 オクテット以下である",
        "every CRL number has at most 20 octets",
    ),
    (
        RuleId::R_NO_UNREVOKE,
        "一時停止と失効の取消しはない",
        "there is no certificateHold and no removeFromCRL",
    ),
    (
        RuleId::P_REASON,
        "失効事由は運用規程のもので、unspecified は書かない",
        "every reason is one of the CP/CPS's, and unspecified is left out",
    ),
];
