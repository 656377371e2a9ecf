//! The sentences of the rules about the run and the sealed folder.

use super::{By, Group, When, proved, stated};
use crate::graph::{Act, Graph, PeopleAct, TokenAct};
use crate::record::Mode;
use crate::rule::RuleId;
use crate::verify::{History, What};

fn is_refused(history: &History) -> bool {
    history.happened.iter().any(|one| matches!(one.what, What::Refused { .. }))
}

fn removes_remains(history: &History) -> bool {
    history.happened.iter().any(|one| matches!(one.what, What::Removed { .. }))
}

fn is_on_a_token(history: &History) -> bool {
    history.mode.is_some_and(|mode| mode != Mode::Rehearsal)
}

const fn is_released(history: &History) -> bool {
    history.is_released
}

const fn reads_papers(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::Papers))
}

const fn reads_fingerprint(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::Fingerprint { .. }))
}

const fn reads_anchor(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::AnchorWords))
}

const fn identifies(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::Token(TokenAct::Identify { .. }))
}

const fn asks_token(act: &Act, _: &Graph) -> bool {
    !act.is_of_people()
}

fn looks_for_keys(act: &Act, graph: &Graph) -> bool {
    matches!(act, Act::Token(TokenAct::Inventory { .. })) && !graph.known.is_empty()
}

const fn lists(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::Token(TokenAct::Inventory { .. }))
}

const fn makes_keys(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::Token(TokenAct::Generate { .. }))
}

const fn asks_in_vain(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::Token(TokenAct::ReadValue { .. } | TokenAct::Wrap { .. }))
}

const fn has_head(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::Token(TokenAct::ReadHead | TokenAct::WriteHead))
}

pub(super) const GROUPS: &[Group] = &[
    proved(
        When::Always,
        &[
            (
                RuleId::S_OPENED,
                "最初の記録は、入力から計算したダイジェストを持つ",
                "the first record has the digests that the inputs give",
            ),
            (
                RuleId::S_ORDER,
                "どの事象も、そこで起こりうるものである",
                "every event may follow the one before it",
            ),
            (
                RuleId::S_TIME_BACK,
                "記録の時刻は後戻りしない",
                "no time is before that of the last record",
            ),
            (
                RuleId::S_ATTEMPTS,
                "鍵の生成と署名は、どれも 16 回を超えて試みていない",
                "no key generation and no signing was tried more than 16 times",
            ),
            (
                RuleId::S_ANSWER,
                "どの回答も、尋ねたことへの回答である",
                "every answer is one to what was asked",
            ),
            (
                RuleId::S_WORDS,
                "自由な言葉は空でなく、長すぎず、平文である",
                "all free text is plain, and neither empty nor too long",
            ),
            (
                RuleId::S_MODE,
                "リハーサル、訓練、本番は取り違えられていない",
                "rehearsal, drill and real ceremony are not taken for each other",
            ),
            (
                RuleId::S_SIGNATURE,
                "どの署名も、計画から計算したオクテットに対して検証できる",
                "every signature verifies over octets that we computed",
            ),
            (
                RuleId::S_NONCE,
                "このセレモニーとそれまでの台帳に、r の等しい署名はない",
                "no two signatures of this ceremony and of the ledger before it have the same r",
            ),
            (
                RuleId::S_INPUTS,
                "封印された入力は正準形である",
                "the sealed inputs are in their canonical form",
            ),
            (RuleId::S_EMPTY, "記録は空でない", "the transcript has records"),
            (
                RuleId::S_RECORD,
                "どの行も、再現が与える行である",
                "every line is the one that replay gives",
            ),
            (RuleId::S_END, "記録は終わりまである", "the transcript goes on to its end"),
            (
                RuleId::S_SEAL,
                "封印は、この記録から計算したものを監査用の鍵が署名したものである",
                "the seal is the audit key's, on what this transcript gives",
            ),
            (
                RuleId::S_ARTEFACT,
                "どのファイルも、この記録が与えるオクテットである",
                "every file has the octets that this transcript gives",
            ),
        ],
    ),
    proved(
        When::Happened(is_on_a_token),
        &[
            (
                RuleId::S_DRILL,
                "訓練は訓練用のトークンで、本番は本番のトークンで行われた",
                "a drill was held on no token in production, a real ceremony on no other",
            ),
            (
                RuleId::S_REHEARSAL_KEY,
                "どの鍵もリハーサルの鍵ではない",
                "no key is one of a rehearsal",
            ),
        ],
    ),
    proved(
        When::Happened(is_released),
        &[(
            RuleId::S_TOOL,
            "プログラムは、どの実施でも、計画と共に承認されたリリースの挙げる名を記録した",
            "in every session the program recorded itself as the one that the release names, which was approved with the plan",
        )],
    ),
    proved(
        When::Happened(is_refused),
        &[(
            RuleId::S_REFUSED,
            "拒否には、した者または規則の名がある",
            "every refusal names who or which rule refused",
        )],
    ),
    stated(
        By::Token,
        When::Happened(removes_remains),
        &[(
            RuleId::S_ORPHAN,
            "取り除いた鍵ペアは不完全なものである",
            "no key pair was removed that was complete",
        )],
    ),
    stated(
        By::People,
        When::Did(reads_papers),
        &[(
            RuleId::S_PAPERS,
            "署名された書類のグラフとバインディングは、装置のものと同じである",
            "the signed papers have the same graph and bindings as the machine",
        )],
    ),
    proved(
        When::Always,
        &[(
            RuleId::S_SIGNED,
            "署名すべき記録には、署名すべき者全員の鍵の署名がある",
            "every record that people sign bears the signatures of all of them, by the keys that the roster names",
        )],
    ),
    stated(
        By::People,
        When::Noted,
        &[(
            RuleId::S_NOTED,
            "記録の最新値は紙に書き留められ、中断後は紙の値から続けられた",
            "the heads of the record were noted on paper, and each session went on from the last of them",
        )],
    ),
    stated(
        By::People,
        When::Did(reads_fingerprint),
        &[(
            RuleId::R_FINGERPRINT,
            "ルート証明書のフィンガープリントが読み上げられた",
            "the fingerprint of the root was read aloud as it is",
        )],
    ),
    stated(
        By::People,
        When::DidAll(reads_anchor),
        &[(
            RuleId::S_ANCHOR,
            "アンカーの値が読み上げられた",
            "the words of the anchor were read aloud as they are",
        )],
    ),
    stated(
        By::Token,
        When::Did(identifies),
        &[
            (
                RuleId::S_TOKEN_SERIAL,
                "トークンの製造番号は、記録のとおりである",
                "the token has the serial number of the records",
            ),
            (
                RuleId::S_TOKEN_MECHANISM,
                "トークンは必要なメカニズムをすべて備える",
                "the token has every mechanism that is needed",
            ),
        ],
    ),
    stated(
        By::Token,
        When::Did(asks_token),
        &[(
            RuleId::S_TOKEN,
            "結果の記録されたどの要求も、トークンは行ったと答えた",
            "the token performed every request that has an answer",
        )],
    ),
    stated(
        By::Token,
        When::Did(looks_for_keys),
        &[(
            RuleId::S_KEY_ABSENT,
            "記録にある鍵はトークンにある",
            "every key of the records is on the token",
        )],
    ),
    stated(
        By::Token,
        When::Did(lists),
        &[(
            RuleId::R_HSM_DEDICATED,
            "トークンにはこの認証局のもの以外はない",
            "there is nothing on the token but what is the CA's",
        )],
    ),
    stated(
        By::Token,
        When::Did(makes_keys),
        &[(
            RuleId::R_KEY_IN_HSM,
            "鍵はトークンの中で 1 組だけ作られ、属性は求めたとおりである",
            "every key pair was made in the token, once, with every attribute as asked",
        )],
    ),
    proved(
        When::Did(makes_keys),
        &[(
            RuleId::S_PUBLIC_KEY,
            "公開鍵はその曲線上にあり、これまでにないものである",
            "every public key is on its curve, and was never seen before",
        )],
    ),
    stated(
        By::Token,
        When::Did(asks_in_vain),
        &[(
            RuleId::R_NO_TRANSFER,
            "秘密鍵の読み出しとラップによる取り出しを求められて、トークンは拒んだ",
            "asked to give out a private key, the token refused",
        )],
    ),
    stated(
        By::Token,
        When::Did(has_head),
        &[(
            RuleId::S_LEDGER_HEAD,
            "トークンが示す台帳の最新値は、記録のものである",
            "the ledger head on the token is that of the records",
        )],
    ),
];
