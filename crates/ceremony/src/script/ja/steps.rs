//! What is said and seen at each step, in Japanese.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::{Language, Step, first_to_last, role, sheet_names};
use crate::graph::{Act, Graph, Op, PeopleAct, TokenAct};
use crate::name::Name;
use crate::plan::{ApplicationKind, Order};
use crate::token::Holder;

/// The roles that do this operation or stand by, in a sentence.
fn by(graph: &Graph, op: &Op) -> String {
    let roles: Vec<String> =
        op.by.iter().map(|duty| role(graph, &duty.role, Language::Ja)).collect();
    roles.join("と")
}

/// What those who stand by do before the first entry, and after the last exit.
const FIRST_IN: [&str; 3] = [
    "入室の立会いの開始",
    "上記の者が、ほかの参加者より先に室内にいることを述べる。",
    "身分証明書を着用している。室内にほかの者はいない。",
];
const LAST_OUT: [&str; 3] = [
    "最後の退室",
    "上記の者が、ほかの参加者がすべて退室したことを述べて入力する。続いて画面に出る追記の最新値を別紙 D の控えにかなで書き、最後に退室する。",
    "室内にほかの者はいない。控えに書いた単語が画面と一致する。持ち出す媒体が記録と一致する。",
];

/// How the journal media are found.
const MEDIA: [&str; 3] = [
    "記録媒体の確認",
    "2 つの記録媒体のラベルと封の番号を読み上げ、「持ち込むもの」の表に書く。",
    "封は開ける前に破れていなかった。装置に挿さっている媒体は、起動媒体とこの 2 つだけである。",
];

pub(in crate::script) fn step(graph: &Graph, op: &Op) -> Step {
    let person = |id: &crate::name::Name| {
        graph.people.get(id).map_or_else(|| id.to_string(), |p| format!("{} ({id})", p.name.ja))
    };
    let by = by(graph, op);
    let of = |id: &Name| graph.organizations.get(id).map_or("", |o| o.ja.as_str());
    let (title, say, see): (String, String, String) = match &op.act {
        Act::People(PeopleAct::FirstIn) => FIRST_IN.map(String::from).into(),
        Act::People(PeopleAct::Entry { person: id }) => (
            "入室".into(),
            format!("{} が入室する。{by}が立ち会う。{}", person(id), came(graph)),
            "身分証明書を着用している。認証が成功した。".into(),
        ),
        Act::People(PeopleAct::RollCall { role: r }) => (
            format!("点呼({})", role(graph, r, Language::Ja)),
            "氏名と役割を名乗り、認証手段を示す。".into(),
            format!("任命簿と一致する。{}。", called(graph)),
        ),
        Act::People(PeopleAct::Papers) => (
            "書類の照合".into(),
            "本書の `graph` と `bindings` の値の初めのかな 6 語(英単語なら 8 語)以上を読み上げ、装置に入力する。かなはローマ字でよい。中断後の再開では、書き留めた最後の「記録の最新値」も同じように入力する。".into(),
            "装置が一致を示す。一致しない値は拒まれ、正しい値は画面に出ない。".into(),
        ),
        Act::People(PeopleAct::Clock) => (
            "時計の確認".into(),
            "持ち込んだ校正済みの時計と装置の時計を 2 名で読み、差(装置の時刻から持ち込んだ時計の時刻を引いた秒数)と時計の名称を入力する。".into(),
            format!("差が {} 秒以内である。", graph.demands.max_clock_offset),
        ),
        Act::Token(TokenAct::Identify { token }) => (
            titled("トークンの確認", token),
            "装置が HSM の製造番号、ラベル、メカニズムを読む。".into(),
            "計画のメカニズムがそろっている。".into(),
        ),
        Act::People(PeopleAct::Media) => MEDIA.map(String::from).into(),
        Act::People(PeopleAct::Plate { token }) => (
            titled("銘板の確認", token),
            "HSM の銘板(番号の異なる機器では、受入れのときに貼ったラベル)の製造番号を読み上げ、装置に入力する。".into(),
            "装置が一致を示す。装置の読んだ番号は、入力の前には画面に出ない。".into(),
        ),
        Act::People(PeopleAct::Activate) => (
            "活性化".into(),
            format!("複数の{by}が活性化データと第二の認証要素を用意し、第二の認証要素の名称を入力する。"),
            "定められた人数がそろっている。PIN は誰にも見えない。".into(),
        ),
        Act::Token(TokenAct::Login { token }) => (
            titled("ログイン", token),
            "PIN を預かる者が PIN を入力する。".into(),
            "次の手順が画面に出る。失敗した場合はその旨が出て、自動では繰り返されない。".into(),
        ),
        Act::Token(TokenAct::Inventory { token }) => (
            titled("トークンの中身の確認", token),
            "装置がトークン上のすべてのオブジェクトを数える。".into(),
            "この認証局の鍵のほかに何もない(最初の使用では空である)。".into(),
        ),
        Act::Token(TokenAct::ReadHead) => (
            "台帳の最新値の確認".into(),
            "装置がトークン上の台帳の最新値を読み、前回のセレモニーの記録と比べる。".into(),
            "前回の値と一致する。一致しない場合、台帳が古いか、別の台帳である。".into(),
        ),
        Act::People(PeopleAct::Application { application }) => {
            let kind = graph.applications.get(application).map(|a| a.kind);
            let (kind, state) = match kind {
                Some(ApplicationKind::Issue) | None => ("発行", "電子証明書に記載する鍵を自ら生成したこと"),
                Some(ApplicationKind::Renewal) => ("更新", "電子証明書に記載する鍵を自ら生成したこと"),
                Some(ApplicationKind::Revocation) => ("失効", "失効を求める電子証明書に誤りがないこと"),
            };
            (
                format!("{kind}の申請の確認と承認"),
                format!("申請 `{application}` の書類のダイジェスト(失効の届出、CSR の一覧があればその値も)を書類から読み上げて入力する。申請者は内容の正しさと、{state}を述べる。承認者が承認する。"),
                "装置が一致を示す。審査と承認の記録がある。".into(),
            )
        }
        Act::People(PeopleAct::Compromise { key }) => (
            "危殆化の判断".into(),
            format!("決定するすべての組織の{by}が、ルート鍵 `{key}` を危殆化と判断したことを述べる。"),
            "本書の「事前の申請・判断・指示」に示す緊急時対応計画の版が書類と一致する。".into(),
        ),
        Act::People(PeopleAct::Order { order }) => (
            "指示".into(),
            match order {
                Order::StopDsIssuing => format!("{by}が、DS 電子証明書の発行の停止を指示する。"),
                Order::StopApplications => format!("{by}が、記録の新規の申請の受付の停止を指示する。"),
                Order::ResumeDsIssuing => format!("{by}が、DS 電子証明書の発行の再開を指示する。"),
                Order::ResumeApplications => format!("{by}が、記録の新規の申請の受付の再開を指示する。"),
            },
            "指示の書面に署名がある。".into(),
        ),
        Act::People(PeopleAct::Supersede { ceremony, kept }) => (
            "未公開の CRL の廃棄の指示".into(),
            superseded(ceremony, kept),
            "廃棄の記録を残す担当者が決まっている。".into(),
        ),
        Act::People(PeopleAct::ApproveDestruction { key, organization }) => (
            "秘密鍵の破棄の承認".into(),
            format!("{} の{by}が、`{key}` の破棄を承認する。", of(organization)),
            "承認者が役割どおりである。".into(),
        ),
        Act::People(PeopleAct::ApproveLoss { key, organization }) => (
            "失われた鍵なしでの継続の承認".into(),
            lost(graph, key, organization, &by),
            "承認者が役割どおりである。暗号モジュールがどうなったかは、計画に書かれたとおりである。この鍵の CRL がもう署名されないことを、全員が知っている。".into(),
        ),
        Act::People(PeopleAct::ApproveRecovery { token, organization }) => (
            "復旧の承認".into(),
            format!("{} の{by}が、失われた暗号モジュールに代えて、鍵の複製を持つ `{token}` を用いること、および監査用の鍵をそこで新たに生成することを承認する。", of(organization)),
            "承認者が役割どおりである。失われた暗号モジュールがどうなったかは、計画に書かれたとおりである。".into(),
        ),
        Act::Token(TokenAct::Copy { key, to }) => (
            "秘密鍵のバックアップ".into(),
            format!("複数の{by}と両トークンの管理者が、ルート鍵 `{key}` をトークン `{to}` に複製する。鍵は両トークンの中だけにある鍵(TRUSTED)で暗号化され、両暗号モジュールの外には暗号化された形でしか出ない。"),
            "複製の公開鍵と属性が計画どおりである。合意に使った鍵が両トークンに残っていない。".into(),
        ),
        Act::People(PeopleAct::Clone { key, to }) => (
            "秘密鍵のバックアップ(暗号モジュールの複製機能)".into(),
            format!("複数の{by}が、暗号モジュールの製造者の手順で、ルート鍵 `{key}` をトークン `{to}` に複製し、手順の名称と版を入力する。"),
            "鍵は暗号化されたまま両モジュールの間を移り、ほかのどこにも残らない。".into(),
        ),
        Act::Token(TokenAct::Inspect { key, token }) => (
            titled("複製の確認", token),
            format!("装置が `{key}` の複製を新しいセッションで読み戻す。"),
            "公開鍵と属性が計画どおりである。".into(),
        ),
        Act::Token(TokenAct::Destroy { key, token }) => (
            titled("秘密鍵の破棄", token),
            format!("複数の{by}が `{key}` の鍵ペアをトークンから破棄し、残っていないことを新しいセッションで確かめる。"),
            "トークンに `CKA_ID` の一致するものが残っていない。".into(),
        ),
        Act::Token(TokenAct::Clear { key, token, .. }) => (
            titled("残存物の削除", token),
            format!("完了しなかった以前のセレモニーが `{key}` について暗号モジュールに残したかもしれないものを、複数の{by}が削除し、残っていないことを新しいセッションで確かめる。"),
            "その CKA_ID のものが一つも残っていない。".into(),
        ),
        Act::People(PeopleAct::HandOver { certificates }) => (
            "DS 電子証明書の交付".into(),
            format!(
                "DS 電子証明書 {} を{by}に交付する。交付をもって発行の通知とする。中止したときは交付せず、この手順は行わない。",
                first_to_last(certificates.iter())
            ),
            "記載内容が申請どおりであることを受領者が確かめた。".into(),
        ),
        Act::Token(TokenAct::Generate { key }) => (
            "鍵ペアの生成".into(),
            format!("HSM の中で鍵ペア `{key}` を生成し、新しいセッションで属性を読み戻す。"),
            "属性がすべて計画どおりである。".into(),
        ),
        Act::Token(TokenAct::SignHead) => (
            "監査用の鍵の最初の署名".into(),
            "監査用の鍵がここまでの記録の最新値に署名する。".into(),
            "署名の検証が成功する。".into(),
        ),
        Act::Token(TokenAct::ReadValue { key }) => (
            "読み出せないことの確認".into(),
            format!("`{key}` の秘密鍵の値を読み出そうとする。"),
            "トークンが拒む。値が出た場合は中止する。".into(),
        ),
        Act::Token(TokenAct::Wrap { key }) => (
            "取り出せないことの確認".into(),
            format!("通常の鍵で `{key}` の秘密鍵をラップして取り出そうとする。"),
            "トークンが拒む。取り出せた場合は中止する。".into(),
        ),
        Act::Token(TokenAct::Sign(sheet)) => {
            let (names, count) = sheet_names(graph, &sheet.items);
            match &sheet.token {
                Holder::Root => (
                    format!("署名({count} 件)"),
                    format!("`{}` で {names} に署名する。", sheet.key),
                    "すべての署名の検証が成功する。".into(),
                ),
                token @ Holder::Spare(name) => (
                    titled(&format!("複製による署名({count} 件)"), token),
                    format!("トークン `{name}` にある `{}` の複製で {names} に署名する(復元の訓練)。", sheet.key),
                    "署名がルート鍵の公開鍵で検証できる。これで複製が使えることが確かめられる。".into(),
                ),
            }
        }
        Act::People(PeopleAct::Fingerprint { certificate }) => (
            "フィンガープリントの読み上げ".into(),
            format!("`{certificate}` の SHA-256 を画面から読み上げ、下の欄に書き写す。"),
            "読み上げた値と画面の値が一致する。".into(),
        ),
        Act::People(PeopleAct::Complete { organization }) => (
            "正常完了の承認".into(),
            format!("{} の{by}が、作業の正常完了を承認する。", of(organization)),
            "承認者が役割どおりである。".into(),
        ),
        Act::Token(TokenAct::WriteHead) => (
            "台帳の最新値の書込み".into(),
            "台帳の最新値をトークンに書き込み、読み戻す。".into(),
            "古い値が残っていない。".into(),
        ),
        Act::Seal => (
            "封印".into(),
            "初めに、出席した全員が、自分の名の下の記録を画面で確かめ、記録の全体に自分のカードで署名する。記録と異なることがあれば、そこで no(いいえ)と答え、相違として述べる。続いて、監査用の鍵が、作られたすべてのファイルの一覧に署名する。".into(),
            "署名のすべてと封印の検証が成功する。".into(),
        ),
        Act::Token(TokenAct::Logout { token }) => (titled("ログアウト", token), "トークンからログアウトする。".into(), "セッションが残っていない。".into()),
        Act::People(PeopleAct::Deactivate) => (
            "非活性化".into(),
            "HSM を正常にシャットダウンする。装置は以降の手順に用い、最後の退室を入力して控えに書いた後に電源を切る。".into(),
            "秘密鍵が非活性化されている。".into(),
        ),
        Act::People(PeopleAct::AnchorWords) => (
            "アンカーの読み上げ".into(),
            "監査用の鍵の値と記録の最新値をかなで読み上げて入力する(ローマ字でよい)。別紙 D の控えに欄のあるものを書き、全員が署名する。".into(),
            "控えと画面が一致する。".into(),
        ),
        Act::People(PeopleAct::Exit { person: id }) => (
            "退室".into(),
            format!("{} が退室する。{by}が立ち会う。{}", person(id), stayed_away(graph)),
            "持ち出す媒体が記録と一致する。".into(),
        ),
        Act::People(PeopleAct::LastOut) => LAST_OUT.map(String::from).into(),
    };
    Step { title, say, see }
}

/// What those who stand by enter, where people may stay away.
fn came(graph: &Graph) -> &'static str {
    if graph.has_reserves() {
        "present(出席)と入力する。来ない者については absent(欠席)と入力する(次の記録の最新値を書き留めた後は変えられない)。"
    } else {
        ""
    }
}

/// What is said of the exit of people who may have stayed away.
fn stayed_away(graph: &Graph) -> &'static str {
    if graph.has_reserves() {
        "欠席と記録された者については装置が尋ねないので、この手順を線で消す。"
    } else {
        ""
    }
}

/// Who has to be there at a roll call.
fn called(graph: &Graph) -> &'static str {
    if graph.has_reserves() {
        "出席した者がそろっている"
    } else {
        "全員がそろっている"
    }
}

fn titled(title: &str, token: &Holder) -> String {
    match token {
        Holder::Root => title.to_string(),
        Holder::Spare(name) => format!("{title}(トークン {name})"),
    }
}

/// Lists names of keys; `None` if there are none.
fn listed(keys: &BTreeSet<Name>) -> Option<String> {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    (!keys.is_empty()).then(|| keys.join("、"))
}

/// Says of which key the CA managers confirm the loss.
fn lost(graph: &Graph, key: &Name, organization: &Name, by: &str) -> String {
    format!(
        "{} の{by}が、ルート鍵 `{key}` が暗号モジュールとともに失われ、その複製がないことを確認し、認証局がほかのルート鍵で続けること、および監査用の鍵を新たに生成することを承認する。",
        graph.organizations.get(organization).map_or("", |o| o.ja.as_str())
    )
}

/// Says which CRLs are destroyed, and which are kept.
fn superseded(ceremony: &Name, kept: &BTreeSet<Name>) -> String {
    match listed(kept) {
        None => format!(
            "セレモニー `{ceremony}` で署名した CRL のうち未公開のものを、公開の元となる場所と記録媒体から廃棄するよう指示する。"
        ),
        Some(kept) => format!(
            "セレモニー `{ceremony}` で署名した CRL のうち未公開のものを、公開の元となる場所と記録媒体から廃棄するよう指示する。ただし {kept} の CRL は、代わるものがないので廃棄せず、予定どおり公開する。"
        ),
    }
}
