//! Rules whose outcome a sealed folder cannot show.
//!
//! The page of rules lists them, and a verdict names them as not judged by it.

use super::{Basis, Group, When, Where};
use crate::rule::RuleId;

const fn elsewhere(place: Where, rows: &'static [(RuleId, &'static str, &'static str)]) -> Group {
    Group { basis: Basis::Elsewhere(place), when: When::Never, rows }
}

pub(super) const GROUPS: &[Group] = &[
    elsewhere(
        Where::Edge,
        &[
            (
                RuleId::S_FILE,
                "どのファイルも、そのフォルダーの読み取れる通常のファイルである",
                "every file is a plain, readable file of its folder",
            ),
            (
                RuleId::S_DOCUMENT,
                "CP/CPS の文書は cps.toml が示すものである",
                "the CP/CPS document is the one that cps.toml names",
            ),
            (
                RuleId::S_DONE,
                "業務の実施の記録は、定められた役割の者が署名したものである",
                "whatever is recorded as done is signed by somebody whose duty it was",
            ),
            (
                RuleId::S_PUBLISH,
                "公開するものは、運用規程と封印の statement の挙げるものである",
                "whatever is published is on the list of the CP/CPS and named by a sealed statement",
            ),
            (
                RuleId::S_SERVED,
                "公開の記録は続いており、CRL の番号は小さくならない",
                "the log of publications is whole, and no CRL has a lower number than before",
            ),
            (RuleId::S_OUT, "出力先は前から存在しない", "no output was there before"),
            (
                RuleId::S_JOURNAL,
                "記録は 2 つあり、一方は他方の続きである",
                "there are two journals, and one continues the other",
            ),
            (
                RuleId::S_ROOM,
                "モジュールは実施場所の文書が挙げるものである",
                "the module is the one that the room names",
            ),
            (RuleId::S_TERMINAL, "人に尋ねる端末がある", "there is a terminal to ask people at"),
            (
                RuleId::S_LEDGER,
                "台帳は最初のセレモニーからの 1 本の履歴である",
                "the ledger is one history from the first ceremony",
            ),
            (
                RuleId::S_BUSY,
                "記録を他のプロセスが使っていない",
                "no other process holds the journals",
            ),
        ],
    ),
    elsewhere(
        Where::Image,
        &[
            (RuleId::S_LIVE, "実行環境は専用イメージである", "the system is the live image"),
            (
                RuleId::S_COMMAND_LINE,
                "カーネルの起動行はイメージのものである",
                "the kernel's command line is the image's",
            ),
            (
                RuleId::S_NO_NETWORK,
                "イメージが挙げないネットワークインターフェースはない",
                "there is no network interface that the image does not name",
            ),
            (
                RuleId::R_AIRGAP,
                "HSM への接続は、ポリシーが認めないかぎりない",
                "there is no link to an HSM, unless the policy permits one",
            ),
            (
                RuleId::S_LINK,
                "HSM への接続は、イメージが挙げる 1 本だけである",
                "the link to an HSM is the one that the image names, and nothing else",
            ),
            (
                RuleId::S_DRIVER,
                "トークンのドライバーは読み込まれている",
                "the kernel has taken the token's drivers",
            ),
            (RuleId::S_DAEMON, "トークンの常駐プログラムは動いている", "the token's daemons run"),
            (
                RuleId::S_MODULES,
                "カーネルはモジュールを追加で読み込まない",
                "the kernel loads no further modules",
            ),
            (RuleId::S_LOCKDOWN, "カーネルはロックダウンされている", "the kernel is locked down"),
            (RuleId::S_NO_SWAP, "スワップ領域はない", "there is no swap area"),
            (RuleId::S_CLOCK, "時計は設定されている", "the clock is set"),
            (RuleId::S_PLANS, "計画の媒体に計画がある", "the medium of plans has a plan"),
            (
                RuleId::S_SELF_TEST,
                "イメージ上のリハーサルはゴールデンと一致する",
                "a rehearsal on the image gives its golden",
            ),
            (
                RuleId::S_MEDIUM,
                "媒体はそろい、重複せず、定められた形式である",
                "every medium is there, once, in its form",
            ),
            (
                RuleId::S_IMAGE,
                "イメージは書類が挙げるものである",
                "the image is the one that the papers name",
            ),
            (
                RuleId::S_LOCK,
                "イメージの入力は固定されたものである",
                "every input of the image is the locked one",
            ),
            (
                RuleId::S_STALE,
                "固定したパッケージの版は配布元にある",
                "every locked package is still on the mirror",
            ),
            (
                RuleId::S_SOURCES,
                "レシピの入力とソースは、固定値の一覧かリポジトリにある",
                "every input and source of a recipe is in a lock or the repository",
            ),
            (
                RuleId::S_RECIPE,
                "導出はあり、名前のとおりである",
                "every derivation is there, and is what its name says",
            ),
            (
                RuleId::S_BUILT,
                "イメージのオクテットは固定した値と一致する",
                "the image has the octets of its pin",
            ),
            (
                RuleId::S_ATTESTED,
                "ポリシーの定める数の者が、同じイメージができたと署名している",
                "as many builders as the policy asks attest that they got the same image",
            ),
            (
                RuleId::S_PIN,
                "固定値の一覧、ISO、統合カーネルイメージは、それぞれの形式である",
                "pin, ISO and unified kernel image are what they are said to be",
            ),
            (
                RuleId::S_STICK,
                "スティックは空いており、取り外せ、容量が足り、書いたものをそのまま返す",
                "the stick is free, removable and large enough, and gives back what was written",
            ),
        ],
    ),
    elsewhere(Where::Path, PATH),
];

const PATH: &[(RuleId, &str, &str)] = &[
    (
        RuleId::P_PATH_ISSUER,
        "証明書と CRL の名称には、信頼する鍵がある",
        "there is a trusted key under the Name of every certificate and CRL",
    ),
    (
        RuleId::P_PATH_KEY,
        "証明書と CRL は、信頼する鍵によるものである",
        "every certificate and CRL is of a trusted key",
    ),
    (
        RuleId::P_PATH_CA,
        "証明書に署名した鍵は、署名してよい鍵である",
        "whichever key signed a certificate may sign certificates",
    ),
    (
        RuleId::P_PATH_SIGNATURE,
        "署名は信頼する鍵で検証できる",
        "every signature verifies under its trusted key",
    ),
    (
        RuleId::P_PATH_TIME,
        "証明書はその時刻に有効期間内である",
        "every certificate is within its validity at the time",
    ),
    (
        RuleId::R_VERIFIER,
        "critical な拡張はすべて処理できる",
        "every critical extension is known and can be processed",
    ),
    (
        RuleId::P_PATH_CRL,
        "証明書には、署名した鍵によるその日の CRL がある",
        "every certificate has a CRL of its day by the key that signed it",
    ),
    (
        RuleId::P_CRL_TIME,
        "CRL は thisUpdate から nextUpdate の前までのものである",
        "every CRL is between its thisUpdate and its nextUpdate",
    ),
    (
        RuleId::P_REVOKED,
        "信頼する鍵のどの CRL も、その証明書を挙げていない",
        "no CRL of a trusted key names the certificate",
    ),
    (
        RuleId::P_PATH_ALGORITHM,
        "署名はこのプログラムで検証できるアルゴリズムのものである",
        "every signature is of an algorithm that this program can verify",
    ),
    (
        RuleId::P_PATH_LENGTH,
        "別の名称の認証局の証明書は pathLenConstraint の許す数までである",
        "there are no more CA certificates of other Names than pathLenConstraint allows",
    ),
    (
        RuleId::P_SERIAL,
        "シリアル番号は 20 オクテット以下の正の数である",
        "every serial number is positive and has at most 20 octets",
    ),
    (RuleId::I_NAME, "名称には CN がある", "every Name has a commonName"),
    (
        RuleId::I_DS_KEY,
        "DS の鍵は Annex B の挙げる曲線によるものである",
        "the Document Signer's key is of a curve or algorithm that Annex B lists",
    ),
    (
        RuleId::I_DS_WITHIN,
        "DS の有効期間はルートの有効期間に収まる",
        "the Document Signer is valid only while its root is",
    ),
];
