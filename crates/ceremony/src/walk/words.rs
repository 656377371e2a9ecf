//! What a step lacks, in words.

use alloc::vec::Vec;

use super::{Fact, Lacking, Need};
use crate::graph::Graph;
use crate::language::Bilingual;
use crate::name::Name;
use crate::says;
use crate::token::Holder;

impl Lacking {
    /// The step and what it needs.
    #[must_use]
    pub fn asked(&self, graph: &Graph) -> Bilingual {
        let need = self.need.said(graph);
        match &self.step {
            Some(step) => says!(need; "手順 `{step}` の前に、{need}", "before `{step}`: {need}"),
            None => says!(need; "最後に、{need}", "at the end: {need}"),
        }
    }
}

impl Need {
    fn said(&self, graph: &Graph) -> Bilingual {
        match self {
            Self::Is(fact) => fact.said(graph),
            Self::Not(fact) => {
                let fact = fact.said(graph);
                says!(fact; "次のことが起きていない: {fact}", "not: {fact}")
            }
            Self::People(least, persons) => {
                let persons: Vec<&str> = persons.iter().map(Name::as_str).collect();
                let persons = persons.join(" ");
                says!(
                    "{persons} のうち {least} 名以上が室内にいる",
                    "{least} or more of {persons} are in the room"
                )
            }
        }
    }
}

fn named(token: &Holder) -> Bilingual {
    match token {
        Holder::Root => says!("ルートトークン", "the root token"),
        Holder::Spare(name) => says!("トークン {name}", "token {name}"),
    }
}

impl Fact {
    fn said(&self, graph: &Graph) -> Bilingual {
        let of = |token: &Holder, words: fn(Bilingual) -> Bilingual| words(named(token));
        match self {
            Self::Inside(id) => says!("{id} が室内にいる", "{id} is in the room"),
            Self::Card(id) => says!("{id} のカードが室内にある", "the card of {id} is in the room"),
            Self::Called(role) => {
                let role = graph.role(role);
                says!(role; "{role} の点呼が済んでいる", "the roll of {role} is called")
            }
            Self::Papers => says!("書類が照合されている", "the papers are compared"),
            Self::Clock => says!("時計が確認されている", "the clock is compared"),
            Self::Media => says!("記録媒体が挿さっている", "the journal media are in the machine"),
            Self::Identified(token) => {
                of(token, |token| says!(token; "{token} が確認されている", "{token} is identified"))
            }
            Self::Plate(token) => of(
                token,
                |token| says!(token; "{token} の銘板が確認されている", "the plate of {token} is compared"),
            ),
            Self::Activation => says!("活性化データが出ている", "the activation data are at hand"),
            Self::LoggedIn(token) => of(
                token,
                |token| says!(token; "{token} にログインしている", "people are logged in to {token}"),
            ),
            Self::Listed(token) => of(
                token,
                |token| says!(token; "{token} にあるものが一覧されている", "what is on {token} is listed"),
            ),
            Self::HeadRead => says!("台帳の最新値が読まれている", "the ledger head is read"),
            Self::Confirmed(name) => {
                says!("申請 {name} が確認されている", "application {name} is confirmed")
            }
            Self::Approved(what, by) => {
                says!("{by} が {what} を承認している", "{by} has approved {what}")
            }
            Self::Judged(key) => {
                says!("{key} の危殆化が判断されている", "{key} is judged to be compromised")
            }
            Self::Ordered(order) => {
                let order = order.name();
                says!("指示 {order} が出ている", "order {order} is given")
            }
            Self::Key(key, token) => {
                let token = named(token);
                says!(token; "鍵 {key} が{token}にある", "key {key} is on {token}")
            }
            Self::Cloned(key, to) => {
                says!("鍵 {key} が {to} に複製されている", "key {key} is cloned to {to}")
            }
            Self::AuditSigned => {
                says!("監査用の鍵が署名している", "the audit key has signed a head")
            }
            Self::Unread(key) => {
                says!("{key} が読み出せないことが確かめられている", "key {key} could not be read")
            }
            Self::Unwrapped(key) => says!(
                "{key} が取り出せないことが確かめられている",
                "key {key} could not be wrapped"
            ),
            Self::Signed(item) => {
                let item = graph.item_name(*item).map_or("", Name::as_str);
                says!("{item} が署名されている", "{item} is signed")
            }
            Self::Read(name) => says!(
                "{name} のフィンガープリントが読まれている",
                "the fingerprint of {name} is read"
            ),
            Self::Complete(by) => {
                says!("{by} が完了を承認している", "{by} has approved the completion")
            }
            Self::HeadWritten => says!("台帳の最新値が書かれている", "the ledger head is written"),
            Self::Sealed => says!("封印されている", "the transcript is sealed"),
            Self::Handed(name) => says!("{name} が交付されている", "{name} is handed over"),
            Self::Off => says!("HSM が停止している", "the HSM is off"),
            Self::Slip => {
                says!("アンカーの控えが書かれている", "the slip of the anchor is written")
            }
        }
    }
}
