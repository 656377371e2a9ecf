//! Keys and their copies, certificates with the fingerprints of roots, and CRLs.

use std::collections::BTreeMap;

use ceremony::document::{Block, Column, Text};
use ceremony::graph::{Origin, PlannedCrl};
use ceremony::hex::encode;
use ceremony::language::Bilingual;
use ceremony::ledger::{Batch, Certificate, Crls, Key, Standing};
use ceremony::name::Name;
use ceremony::plan::{Plan, ProfileName};
use ceremony::record::End;
use ceremony::rehearsal::RehearsalUse;
use ceremony::says;

use super::{Told, paragraph, table};
use crate::report::plain;

impl Told {
    /// The keys that the ceremony made, used or destroyed, and where each is.
    pub(super) fn keys(&self) -> Vec<Block> {
        let (graph, state) = (&self.compiled.graph, &self.facts.state);
        let before = &self.compiled.state;
        let is_changed = |(name, key): &(&Name, &Key)| {
            graph.key(name).is_some() || before.keys.get(*name) != Some(*key)
        };
        let rows: Vec<Vec<Text>> = state
            .keys
            .iter()
            .filter(is_changed)
            .map(|(name, key)| {
                let purpose = match key.usage {
                    RehearsalUse::Root => self.pick("ルートの鍵", "root key"),
                    RehearsalUse::Audit => self.pick("監査用の鍵", "audit key"),
                };
                vec![
                    Text::plain(name),
                    Text::plain(format!("{purpose} {}", key.curve.name())),
                    Text::plain(self.fate(name, key)),
                    Text::plain(self.used(name)),
                    Text::plain(self.places(name, key)),
                ]
            })
            .collect();
        let mut blocks = vec![Block::Part(self.pick("鍵と複製", "Keys and copies").into())];
        if rows.is_empty() {
            blocks.push(paragraph(self.pick("なし", "nothing")));
            return blocks;
        }
        let head = [
            Column::little(self.pick("鍵", "key")),
            Column::rest(self.pick("用途と曲線", "use and curve")),
            Column::rest(self.pick("生成・破棄など", "made, destroyed, and so on")),
            Column::rest(self.pick("このセレモニーでの署名", "signed in this ceremony")),
            Column::rest(self.pick("鍵を保持するトークン", "tokens that hold it")),
        ];
        let caption = self.pick("鍵(セレモニーの後)", "keys, after the ceremony");
        blocks.push(table(caption, &head, rows, false));
        blocks
    }

    /// When a key was made, and what ended it.
    fn fate(&self, name: &Name, key: &Key) -> String {
        let made = self.when(key.made_at);
        let is_here = self.compiled.graph.key(name).is_some_and(|key| key.origin == Origin::Here);
        let mut told = vec![match is_here {
            true => says!("{made} に生成(このセレモニー)", "made {made}, in this ceremony"),
            false => says!("{made} に生成(以前)", "made {made}, before this ceremony"),
        }];
        told.extend(key.compromised.map(|at| says!("{at} に危殆化と判断", "compromised {at}")));
        told.extend(key.destroyed.map(|at| says!("{at} に破棄", "destroyed {at}")));
        let lost = |at| says!("{at} にトークンとともに喪失", "lost with its token {at}");
        told.extend(key.lost.map(lost));
        self.joined(told.iter())
    }

    fn joined<'b>(&self, told: impl Iterator<Item = &'b Bilingual>) -> String {
        told.map(|one| self.lang.said(one)).collect::<Vec<_>>().join(self.pick("、", "; "))
    }

    /// How much a key signed in this ceremony.
    fn used(&self, name: &Name) -> String {
        let crls = self.crls_of(name).len();
        let state = &self.facts.state;
        let of_key = |(file, one): &(&Name, &Certificate)| {
            one.issuer == *name && self.signed.contains_key(file.as_str())
        };
        let certificates = state.certificates.iter().filter(of_key).count();
        let is_seal = self.compiled.graph.audit_key().is_some_and(|key| key.name == *name);
        let mut told = Vec::new();
        if certificates > 0 {
            told.push(says!("電子証明書 {certificates} 件", "certificates: {certificates}"));
        }
        if crls > 0 {
            told.push(says!("CRL {crls} 件", "CRLs: {crls}"));
        }
        if is_seal {
            told.push(says!("記録の封印", "the seal of the record"));
        }
        if told.is_empty() {
            told.push(Bilingual::nothing());
        }
        self.joined(told.iter())
    }

    /// The tokens that hold a key: the root token, and those with a proved copy.
    fn places(&self, name: &Name, key: &Key) -> String {
        let state = &self.facts.state;
        let mut told = Vec::new();
        if let Some(serial) = state.token.as_ref().filter(|_| key.exists()) {
            let serial = plain(serial);
            told.push(says!("ルートのトークン({serial})", "the root token ({serial})"));
        }
        let kept = self.kept();
        let spares = state.spares.iter().filter(|(_, spare)| spare.copies.contains(name));
        for (token, spare) in spares.filter(|_| key.exists()) {
            let serial = plain(&spare.serial);
            let kept = kept
                .get(&(token, name))
                .map_or_else(Bilingual::default, |kept| says!("、保管: {kept}", ", kept: {kept}"));
            told.push(says!(
                kept;
                "複製が {token}({serial}{kept})",
                "a copy on {token} ({serial}{kept})"
            ));
        }
        if told.is_empty() {
            told.push(Bilingual::none());
        } else if key.usage == RehearsalUse::Root && told.len() == 1 {
            told.push(says!("検証済みの複製なし", "no proved copy"));
        }
        self.joined(told.iter())
    }

    /// Where the copies of this plan are kept, in its words, by token and key.
    fn kept(&self) -> BTreeMap<(&Name, &Name), String> {
        let spares = &self.facts.state.spares;
        let plan = self.compiled.inputs.get("plan.toml");
        let plan = plan.and_then(|plan| Plan::parse(plan.as_bytes()).ok());
        let copies = plan.iter().flat_map(|plan| plan.copy.values());
        let named = |copy: &ceremony::plan::Copy| {
            let (token, _) = spares.get_key_value(copy.token.get_ref())?;
            let (key, _) = self.facts.state.keys.get_key_value(copy.key.get_ref())?;
            Some(((token, key), plain(copy.kept.get_ref())))
        };
        copies.filter_map(named).collect()
    }

    /// The certificates that were signed, and the fingerprints of the roots among them.
    pub(super) fn certificates(&self) -> Vec<Block> {
        let state = &self.facts.state;
        let here: Vec<(&Name, &Certificate)> = state
            .certificates
            .iter()
            .filter(|(name, _)| self.signed.contains_key(name.as_str()))
            .collect();
        let mut blocks = vec![Block::Part(self.pick("電子証明書", "Certificates").into())];
        if here.is_empty() {
            blocks.push(paragraph(
                self.pick("署名した電子証明書: なし。", "Certificates that were signed: none."),
            ));
        } else {
            let rows = here.iter().map(|(name, one)| self.certificate(name, one)).collect();
            let head = [
                Column::little(self.pick("名前", "name")),
                Column::rest(self.pick(
                    "種類、主体者名、シリアル番号、SHA-256",
                    "kind, subject, serial number, SHA-256",
                )),
                Column::little(self.pick("有効期間", "validity")),
                Column::little(self.pick("署名した鍵と状態", "signed by")),
            ];
            let caption = self.pick("署名した電子証明書", "certificates that were signed");
            blocks.push(table(caption, &head, rows, false));
        }
        let revoked = state.certificates.iter().filter(|(name, one)| {
            let before = self.compiled.state.certificates.get(*name);
            before.is_some_and(|before| before.standing != one.standing)
        });
        let revoked: Vec<Text> = revoked
            .map(|(name, one)| Text::plain(format!("{name}: {}", self.standing(one))))
            .collect();
        if !revoked.is_empty() {
            let caption = "状態が変わった以前の電子証明書:";
            let caption = self.pick(caption, "Earlier certificates whose standing changed:");
            blocks.push(paragraph(caption));
            blocks.push(Block::List(revoked));
        }
        for (name, one) in here.iter().filter(|(_, one)| one.profile == ProfileName::Root) {
            let what =
                says!("フィンガープリント {name}(SHA-256)", "fingerprint of {name} (SHA-256)");
            blocks.push(Block::Value(self.said(&what), one.digest));
        }
        blocks
    }

    fn certificate(&self, name: &Name, one: &Certificate) -> Vec<Text> {
        let kind = one.profile.said();
        let subject = format!("{}: {} ", self.lang.said(&kind), plain(&one.subject));
        vec![
            Text::plain(name),
            Text::plain(subject)
                .and(Text::code(encode(&one.serial)))
                .and(Text::plain(" "))
                .and(Text::code(one.digest)),
            Text::plain(format!("{} – {}", one.not_before.day(), one.not_after.day())),
            Text::plain(format!("{}{}{}", one.issuer, self.pick("、", ", "), self.standing(one))),
        ]
    }

    fn standing(&self, one: &Certificate) -> String {
        self.said(&match one.standing {
            Standing::Issued => says!("発行", "issued"),
            Standing::Withheld => says!("引き渡していない", "withheld"),
            Standing::Revoked(revoked) => {
                let at = revoked.date;
                says!("失効({at})", "revoked {at}")
            }
        })
    }

    /// The CRLs of a key that were signed, in the order of their numbers.
    fn crls_of(&self, key: &Name) -> Vec<&PlannedCrl> {
        let crls = self.compiled.graph.crls().iter();
        let signed = |one: &&PlannedCrl| self.signed.contains_key(one.crl.name.as_str());
        crls.filter(|one| one.crl.issuer_key == *key).filter(signed).collect()
    }

    /// The CRLs that exist: of each key the first, the last and how many, and what they supersede.
    pub(super) fn crls(&self) -> Vec<Block> {
        let mut blocks = vec![Block::Part(self.pick("失効記録(CRL)", "CRLs").into())];
        let rows: Vec<Vec<Text>> =
            self.facts.state.keys.keys().filter_map(|key| self.crl_row(key)).collect();
        if rows.is_empty() {
            blocks
                .push(paragraph(self.pick("署名した CRL: なし。", "CRLs that were signed: none.")));
        } else {
            let head = [
                Column::little(self.pick("鍵", "key")),
                Column::little(self.pick("件数", "count")),
                Column::rest(self.pick("最初と最後", "first and last")),
                Column::rest(self.pick("CRL 番号", "CRL numbers")),
                Column::rest(
                    self.pick("有効期間の開始日(最初と最後)", "thisUpdate, first and last"),
                ),
                Column::little(self.pick("最後の有効期間の終了日", "last nextUpdate")),
                Column::rest(self.pick("失効の件数(最初、最後)", "entries, first and last")),
            ];
            let caption = self.pick("署名した CRL", "CRLs that were signed");
            blocks.push(table(caption, &head, rows, false));
        }
        if self.facts.end == End::Aborted {
            blocks.push(paragraph(self.pick(
                "セレモニーは中止されたため、ここで署名した電子証明書と CRL は引き渡されない。",
                "The ceremony was aborted: no certificate and no CRL that was signed in it is handed out.",
            )));
        }
        let superseded = self.superseded();
        if superseded.is_empty() {
            blocks.push(paragraph(self.pick(
                "以前の CRL のうち、これにより置き換えられたもの: なし。",
                "Earlier CRLs that these supersede: none.",
            )));
        } else {
            blocks.push(Block::List(superseded));
        }
        blocks.push(paragraph(self.pick(
            "どの CRL と電子証明書が公開されたかは、封印されたフォルダーには記録されない。公開するものは gishiki release が定め、公開したことは公開ホストの記録が示す。",
            "Which CRLs and certificates were released is not in a sealed folder: gishiki release says what may be, and the record of the publishing host says what was.",
        )));
        blocks
    }

    fn crl_row(&self, key: &Name) -> Option<Vec<Text>> {
        let crls = self.crls_of(key);
        let (first, last) = (*crls.first()?, *crls.last()?);
        let number = |one: &PlannedCrl| {
            let attempt = self.signed.get(one.crl.name.as_str()).copied().unwrap_or(0);
            self.compiled.graph.crl_number(one.slot, attempt)
        };
        Some(vec![
            Text::plain(key),
            Text::plain(crls.len()),
            Text::plain(format!("{} – {}", first.crl.name, last.crl.name)),
            Text::plain(format!("{} – {}", number(first), number(last))),
            Text::plain(format!(
                "{} – {}",
                first.crl.this_update.day(),
                last.crl.this_update.day()
            )),
            Text::plain(last.crl.next_update),
            Text::plain(format!("{}, {}", first.crl.revoked.len(), last.crl.revoked.len())),
        ])
    }

    /// The unreleased CRLs of earlier ceremonies that this one supersedes.
    fn superseded(&self) -> Vec<Text> {
        let this = &self.facts.opened.ceremony;
        let row = |batch: &Batch, key: &Name, crls: &Crls| {
            let (ceremony, last) = (&batch.ceremony, crls.last);
            let withdrawn = match crls.withdrawn {
                Some(from) => says!(
                    "{from} より後の未公開のものの廃棄を確認",
                    "those not released by {from} were confirmed to be destroyed"
                ),
                None => says!(
                    "未公開のものの廃棄は記録にない",
                    "no destruction of those not released is recorded"
                ),
            };
            let told = says!(
                withdrawn;
                "{ceremony} の {key} の CRL(最後は {last})を置き換える。{withdrawn}",
                "supersedes the CRLs of {key} of {ceremony}, the last of {last}; {withdrawn}"
            );
            Text::plain(self.lang.said(&told))
        };
        let batches = self.facts.state.batches.iter();
        batches
            .flat_map(|batch| batch.crls.iter().map(move |(key, crls)| (batch, key, crls)))
            .filter(|(_, _, crls)| crls.superseded_by.as_ref() == Some(this))
            .map(|(batch, key, crls)| row(batch, key, crls))
            .collect()
    }
}
