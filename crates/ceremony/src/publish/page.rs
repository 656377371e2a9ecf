//! The page on which people compare the fingerprint of the root certificate, in both languages.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use super::due::Due;
use crate::document::{escaped, grouped};
use crate::language::Language;
use crate::words;
use crate::x509::readable;

/// Writes the page.
pub(super) fn page(due: &Due<'_>) -> String {
    let ca = due.roots.first().map(|(_, root, _)| readable::name_of(&root.name));
    let ca = escaped(&ca.unwrap_or_default());
    let mut out = format!(
        "<!doctype html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{ca}</title>\n\
         <style>body{{max-width:50em;margin:2em auto;padding:0 1em;font-family:sans-serif;\
         line-height:1.6}}code{{word-spacing:.3em;overflow-wrap:anywhere}}</style>\n\
         </head>\n<body>\n"
    );
    for language in [Language::Ja, Language::En] {
        let _ = writeln!(out, "<section lang=\"{}\">\n<h1>{ca}</h1>", language.code());
        roots(&mut out, due, language);
        others(&mut out, due, language);
        out.push_str("</section>\n");
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn roots(out: &mut String, due: &Due<'_>, language: Language) {
    let pick = |ja: &'static str, en: &'static str| match language {
        Language::Ja => ja,
        Language::En => en,
    };
    let title =
        pick("ルート証明書とそのフィンガープリント", "Root certificates and their fingerprints");
    let advice = pick(
        "ルート証明書を信頼する前に、その SHA-256 を計算し、下の 64 桁、かな 24 語又は英単語 32 語とすべて一致することを確かめてください。",
        "Before you trust a root certificate, compute its SHA-256 and compare all 64 digits, or all 32 words, with those below.",
    );
    let _ = writeln!(out, "<h2>{title}</h2>\n<p>{advice}</p>");
    for (item, root, withdrawn) in due.roots.iter().rev() {
        let name = escaped(item.stem());
        let (first, last) = root.validity;
        if *withdrawn {
            let said = pick(
                "このルート証明書は失効しました。信頼の起点から外してください。フィンガープリントの公表は取り下げました。",
                "This root certificate is revoked. Remove it from your trust anchors. Its fingerprint is withdrawn.",
            );
            let _ = writeln!(out, "<h3>{name}</h3>\n<p><strong>{said}</strong></p>");
            continue;
        }
        let validity = pick("有効期間", "valid");
        let _ = writeln!(
            out,
            "<h3><a href=\"roots/{name}.cer\">{name}.cer</a></h3>\n\
             <p>{validity} {first} – {last}</p>\n<p>SHA-256</p>\n<p><code>{}</code></p>",
            grouped(&item.digest)
        );
        for list in words::lists(&item.digest.0, language) {
            let _ = writeln!(out, "<p><code>{}</code></p>", list.join("<br>\n"));
        }
    }
}

fn others(out: &mut String, due: &Due<'_>, language: Language) {
    let (notices, document) = match language {
        Language::Ja => ("秘密鍵の危殆化に係る情報", "運用規程"),
        Language::En => ("Notices of compromised keys", "CP/CPS"),
    };
    let of_language = due.notices.iter().rev().filter(|(_, _, of)| *of == language);
    let mut listed = of_language.peekable();
    if listed.peek().is_some() {
        let _ = writeln!(out, "<h2>{notices}</h2>\n<ul>");
        for (release, _, language) in listed {
            let (name, code) = (&release.statement.ceremony, language.code());
            let _ = writeln!(out, "<li><a href=\"notices/{name}.{code}.md\">{name}</a></li>");
        }
        out.push_str("</ul>\n");
    }
    let Some((item, of)) = due.cps else { return };
    let (title, version) = (escaped(&of.title.0), escaped(&of.title.1));
    let name = escaped(&item.name);
    let _ = writeln!(
        out,
        "<h2>{document}</h2>\n<p><a href=\"cps/{name}\">{title} {version}</a> ({})</p>\n\
         <p>SHA-256</p>\n<p><code>{}</code></p>",
        of.from.day(),
        grouped(&item.digest)
    );
}
