//! The script in Japanese, in the CP/CPS's words for roles and acts.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Labels, Language, Step, first_to_last, role, sheet_names};
use crate::document::{Column, StepWords};
use crate::graph::{Act, Graph, Op, PeopleAct, TokenAct};
use crate::name::Name;
use crate::plan::{ApplicationKind, Order};
use crate::token::Holder;

pub(super) const LABELS: Labels = Labels {
    title: "キーセレモニー構築手順書",
    ceremony: "セレモニー",
    window: "実施時間帯",
    place: "場所",
    copy: "部数番号(何部のうち第何号)",
    digests: "照合する値",
    digests_note: "各値を 16 進と単語で示す。`graph` と `bindings` は手順「書類の照合」で 2 名が読み上げ、装置に入力する。一致しない場合は、入力し直し、それでも一致しなければ中止する。",
    exceptions: "規則の例外(この計画で認められたもの)",
    people: "参加者",
    reserve: "控え",
    people_head: [
        Column::little("ID"),
        Column::rest("氏名"),
        Column::rest("組織"),
        Column::rest("役割"),
        Column::rest("カード(鍵の初めの 4 語)"),
        Column::hand("署名"),
        Column::hand("日付"),
        Column::hand("時刻"),
    ],
    material: "持ち込むもの",
    material_note: "ラベルと封の番号は、最初に机に置いたときと、持ち出すときに書く。",
    material_head: [
        Column::rest("もの"),
        Column::hand("ラベル又は製造番号"),
        Column::hand("開ける前の封(破れていない)"),
        Column::hand("閉じた後の封"),
        Column::hand("保管者"),
    ],
    materials: [
        "イメージの起動媒体",
        "記録媒体 A",
        "記録媒体 B",
        "校正済みの時計",
        "活性化データ(カード、封筒)",
        "",
    ],
    token: "HSM",
    agenda: "進行表",
    agenda_head: [
        Column::rest("部"),
        Column::little("手順"),
        Column::little("見込み(分)"),
        Column::hand("開始"),
        Column::hand("終了"),
    ],
    all_parts: "合計",
    keys: "鍵ペア",
    made: "このセレモニーで生成する",
    exists: "生成済み",
    decisions: "事前の申請・判断・指示",
    structures: "署名する電子証明書及び失効記録(CRL)",
    crl_numbers: "CRL 番号",
    phases: [
        "第 1 部 入室",
        "第 2 部 開始(中断後の再開でも繰り返す)",
        "第 3 部 作業",
        "第 4 部 封印",
        "第 5 部 封印後",
    ],
    columns: StepWords {
        number: "番号",
        who: "実施者",
        say: "発声・操作",
        see: "確認",
        time: "時刻",
        initials: "確認者のイニシャル",
    },
    fingerprint: "SHA-256(16 進): ",
    head: "記録の最新値(画面の 8 語) ",
    head_by: " 画面で確認した者の ID ",
    signed: "答えた者が各自のカードで署名する",
    signed_by: "退室する者のカードで署名する",
    annex_resume: "別紙 A 中断後の再開手順",
    resume: &[
        "停電・強制終了・媒体の抜去で止まった場合、装置を再起動し、同じ 2 つの記録媒体を挿す。作業者の判断で鍵の生成や署名をやり直さない。",
        "`gishiki resume` を実行する。装置は 2 つの記録をそれぞれ再現して確かめる。片方の媒体にしかない記録のうち採用するのは、両方にある問いへのトークンの答えだけである。2 つが食い違う場合や再現できない場合は、どちらかを示し、役割の異なる 2 名の同意を得て片方を脇に置く。",
        "点呼、書類の照合、時計の確認、トークンの確認、活性化を改めて行う。手順「書類の照合」では、本書に書き留めて画面で確認した最後の「記録の最新値」も読み上げて入力する。なければ none(なし)と答える。この値は画面に出ない。その値より後に人が答えたことは、もう一度尋ねる。",
        "結果の分からない署名とその番号は二度と使わず、次の試行に移る(別紙 B)。結果の分からない鍵ペアは、完全であれば採用し、不完全であれば役割の異なる 2 名の同意を得て取り除く。",
        "結果の分からない複製は、両トークンに残ったものを取り除いてから作り直す。結果の分からない破棄は、鍵が残っていないことを確かめるまでもう一度行う。",
        "実施時間帯を過ぎた場合は、中止として閉じて封印することだけができる。",
    ],
    questions: "コマンドは `gishiki resume --room ROOM --journal A --journal B --out OUT` に、開始時と同じ `--ledger LEDGER` と `--anchor ANCHOR` を付けたものである。装置は止まるときに、実際のパスを入れて表示する。専用イメージではメニューにある。尋ねられる可能性のある質問は、順に次のとおり。",
    questions_head: [
        Column::rest("どのような場合か"),
        Column::rest("答える者"),
        Column::rest("入力すること"),
    ],
    questions_first: &[
        [
            "装置の時計が、最後の記録より前か、実施時間帯の外である。",
            "時計を合わせる者(ほかの者が立ち会う)",
            "時計を合わせて Enter。時計が正しく、中止として閉じるなら `late`。先へ進まないなら `no`(いいえ)",
        ],
        [
            "片方の記録が再現できないか、もう片方と食い違う(`--put-aside`)。",
            "役割の異なる 2 名",
            "脇に置くことに同意するなら 2 名の ID。`no` なら何も変わらない",
        ],
        [
            "中止の記録が、片方の媒体にだけある。",
            "中止を申し出た者。規則による中止では、役割の異なる 2 名",
            "中止のままなら `no`。撤回するなら答える者の ID",
        ],
    ],
    questions_steps: [
        "手順 {steps} を改めて行う。",
        "各手順のとおり",
        "各手順のとおり。「書類の照合」では、書き留めて画面で確認した最後の「記録の最新値」の 8 語、なければ `none`(なし)も入力する",
    ],
    questions_later: &[
        [
            "その最新値より後の手順に、人が既に答えていた。",
            "その手順のとおり",
            "その手順で、同じことをもう一度",
        ],
        [
            "HSM が鍵の生成に失敗し、もう一度行うかどうかを決める。",
            "役割の異なる 2 名",
            "同意するなら 2 名の ID。`no` ならセレモニーは中止になる",
        ],
        [
            "鍵ペアとして揃わないもの、計画にないものが HSM に残り、取り除く。",
            "役割の異なる 2 名",
            "同意するなら 2 名の ID。`no` ならセレモニーは中止になる",
        ],
        [
            "署名できないカードがある。",
            "その者以外の、役割の異なる 2 名",
            "`failed`(使えない)、続いて 2 名の ID",
        ],
    ],
    more_heads: "中止の申し出の後や、鍵の生成が失敗した後など、手順に欄のないところでも、装置は「記録の最新値」を書き留めるよう求める。次の欄に書く。",
    after_step: "手順 ",
    eight_words: " の後: 8 語 ",
    annex_attempts: "別紙 B 2 回目以降の試行の番号",
    attempts: "試行をやり直したときに変わるのは次の値だけである(3 回目のやり直しまでを示す)。CRL 番号は、最初の番号に試行の回数(0 から)を加えた値になる。",
    annex_refusal: "別紙 C 中止",
    refusal: "いずれの参加者も、どの質問にも no(いいえ)と理由を答えて中止できる。中止したセレモニーも封印して台帳に残し、電子証明書と CRL は引き渡さない。カードが使えないときは、役割の異なるほかの 2 名がその旨を述べて署名し、その者の以後の行為は署名なしの申告となる。監査用の鍵が署名できないときは `gishiki abandon` の案内に従い、封印されていない記録のダイジェストを紙に写して全員が署名する。",
    annex_slip: "別紙 D アンカーの控え",
    slip: "この控えがセレモニーを固定する。2 名が `anchor.toml` に写す。記録の最新値と、この控えに欄があれば監査用の鍵の値を、手順「アンカーの読み上げ」で書き、全員が署名する。追記の最新値は、最後の退室を入力した後に画面に出たものを、最後に退室する者が書き、その横に署名する。いずれも単語で書く。",
    slip_head: "`head` 記録の最新値(封印前の最後の記録のハッシュ連鎖の値) ",
    slip_postscript: "`postscript` 追記の最新値(封印後の最後の記録のハッシュ連鎖の値) ",
    slip_audit_key: "`audit-key` 監査用の鍵の値(このセレモニーで生成したもの) ",
    date: "日付 ",
    all_sign: " 全員の署名 ",
    annex_differs: "別紙 E 手順との相違",
    differs: "手順と異なる方法、時刻又は者で行ったことは、画面で deviation(相違)として入力し、ここにも書く。用紙が足りないときは次の用紙に続ける。",
    differs_head: [
        Column::little("時刻"),
        Column::little("手順"),
        Column::rest("相違の内容と取った措置"),
        Column::hand("署名"),
    ],
    annex_attest: "別紙 F 実施の証明",
    attest: "各参加者が退室の際に署名する。セレモニーはこの手順書に従って行われ、手順と異なることはすべて別紙 E 及び記録にある。",
    attest_head: [
        Column::little("ID"),
        Column::rest("氏名"),
        Column::hand("日付"),
        Column::hand("時刻"),
        Column::hand("署名"),
    ],
    annex_words: "別紙 G 用語",
    words_head: [Column::rest("用語"), Column::rest("意味")],
    words: &[
        ["HSM、トークン", "秘密鍵を保持し、その鍵で署名する装置。秘密鍵が平文で外に出ることはない"],
        ["`graph`(グラフ)", "セレモニーの全操作を順に並べたもの。その値が、行うことを特定する"],
        [
            "`bindings`(バインディング)",
            "計画、ポリシー、任命簿など、セレモニーの前提となるすべてのもののダイジェスト",
        ],
        [
            "記録、記録媒体",
            "出来事は、次に進む前に 2 つの媒体に書かれる。各記録は、その前の記録のダイジェストを含む",
        ],
        ["記録の最新値", "最後の記録のダイジェスト。それより前のすべての記録を特定する"],
        ["監査用の鍵", "HSM が記録に署名するための鍵。電子証明書には署名しない"],
        ["封印", "セレモニーで作られたすべてのファイルの一覧に対する、監査用の鍵の署名"],
        ["追記", "封印後の記録(停止、アンカーの読み上げ、退室)"],
        ["アンカー", "何も変えられていないことを、何年も後に誰でも確かめられるように紙に残す値"],
        ["試行", "失敗した操作は、別の番号でもう一度行う。同じ番号は二度と使わない"],
        ["CRL", "失効した電子証明書の一覧に署名したもの(失効記録)"],
        ["PIN", "HSM やカードを使うために打つもの。画面にも記録にも残らない"],
    ],
};

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
    "上記の者が、ほかの参加者がすべて退室したことを述べて入力する。続いて画面に出る追記の最新値を別紙 D の控えに単語で書き、最後に退室する。",
    "室内にほかの者はいない。控えに書いた単語が画面と一致する。持ち出す媒体が記録と一致する。",
];

pub(super) fn step(graph: &Graph, op: &Op) -> Step {
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
            "本書の `graph` と `bindings` の値の初めの 8 語以上を読み上げ、装置に入力する。中断後の再開では、書き留めた最後の「記録の最新値」も同じように入力する。".into(),
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
            "画面の製造番号が機器の銘板と一致する。".into(),
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
            "監査用の鍵の値と記録の最新値を単語で読み上げて入力する。別紙 D の控えに欄のあるものを書き、全員が署名する。".into(),
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
