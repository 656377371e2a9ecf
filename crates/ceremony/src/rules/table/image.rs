//! The rules of the live image: those by which it judges its machine, and those on the image.

use super::{CPS, Rule, Stage, rule};
use crate::rule::RuleId;

const fn live(id: RuleId, clause: &'static str, ja: &'static str, en: &'static str) -> Rule {
    rule(id, clause, Stage::Live, true, ja, en)
}

const fn image(id: RuleId, ja: &'static str, en: &'static str) -> Rule {
    rule(id, "gishiki", Stage::Image, true, ja, en)
}

/// The rules on the live image and on how it is built.
pub(super) const IMAGE: &[Rule] = &[
    live(
        RuleId::S_LIVE,
        "gishiki",
        "専用イメージでない実行環境",
        "a system that is not the live image",
    ),
    live(
        RuleId::S_COMMAND_LINE,
        "gishiki",
        "イメージのものと異なるカーネルの起動行",
        "a kernel command line that differs from the image's",
    ),
    live(
        RuleId::S_NO_NETWORK,
        "gishiki",
        "イメージが挙げないネットワークインターフェース",
        "a network interface that the image does not name",
    ),
    live(
        RuleId::R_AIRGAP,
        CPS,
        "ポリシーが認めない HSM への接続",
        "a link to an HSM where the policy permits none",
    ),
    live(
        RuleId::S_LINK,
        "gishiki",
        "カード、アドレス、経路、隣接機器またはフィルターが異なる接続",
        "a link whose card, address, route, neighbour or filter differs from what is specified",
    ),
    live(
        RuleId::S_DRIVER,
        "gishiki",
        "カーネルに読み込まれていないトークンのドライバー",
        "a driver for the token that the kernel has not loaded",
    ),
    live(
        RuleId::S_DAEMON,
        "gishiki",
        "動いていないトークンの常駐プログラム",
        "a daemon for the token that is not running",
    ),
    live(
        RuleId::S_MODULES,
        "gishiki",
        "モジュールを追加で読み込むカーネル",
        "a kernel that still accepts new modules",
    ),
    live(
        RuleId::S_LOCKDOWN,
        "gishiki",
        "ロックダウンされていないカーネル",
        "a kernel that is not locked down",
    ),
    live(RuleId::S_NO_SWAP, "gishiki", "スワップ領域", "a swap area"),
    live(RuleId::S_CLOCK, "gishiki", "設定されていない時計", "a clock that was not set"),
    live(RuleId::S_PLANS, "gishiki", "計画のない、計画の媒体", "a plan medium without a plan"),
    live(
        RuleId::S_SELF_TEST,
        "gishiki",
        "ゴールデンと一致しないイメージ上のリハーサル",
        "a rehearsal on the image that differs from its golden",
    ),
    live(
        RuleId::S_MEDIUM,
        "gishiki",
        "欠けている、重複する、または形式の異なる媒体",
        "a medium that is missing, present twice, or in another format",
    ),
    live(
        RuleId::S_IMAGE,
        "gishiki",
        "書類が挙げるものと異なるイメージ",
        "an image other than the one that the papers name",
    ),
    image(
        RuleId::S_LOCK,
        "固定したものと異なるイメージの入力、または入力の欠けた固定値の一覧",
        "an input of the image that differs from its lock, or that the lock lacks",
    ),
    image(
        RuleId::S_STALE,
        "固定した版が配布元からなくなったパッケージ",
        "a package whose locked version is no longer on the mirror",
    ),
    image(
        RuleId::S_SOURCES,
        "固定値の一覧にもリポジトリにもないレシピの入力またはソース",
        "an input or source of a recipe that is in neither a lock nor the repository",
    ),
    image(
        RuleId::S_RECIPE,
        "欠けている、または名前と内容の一致しない導出",
        "a derivation that is missing, or is not what its name says",
    ),
    image(
        RuleId::S_BUILT,
        "固定した値とオクテットの異なるイメージ",
        "an image whose octets differ from its pin",
    ),
    image(
        RuleId::S_ATTESTED,
        "ビルド結果に署名した者がポリシーの定めより少ないイメージ、または同じレシピから別の ISO ができたとする署名",
        "an image that fewer builders attest than the policy asks, or from whose recipe a builder got another ISO",
    ),
    image(
        RuleId::S_PIN,
        "固定値の一覧、ISO または統合カーネルイメージの形式でないファイル",
        "a file that is not in the format of a pin, an ISO or a unified kernel image",
    ),
    image(
        RuleId::S_STICK,
        "使用中の、取り外せない、容量の足りない、または書いたものと異なるオクテットを返すスティック",
        "a stick that is in use, not removable or too small, or that returns other octets than were written",
    ),
];
