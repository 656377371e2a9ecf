//! What certifies a compromised key falls with it, whoever signed it (D12, D24).

use ceremony::graph::Item;
use ceremony::record::Mode;

use super::case;
use super::inputs::Texts;

#[test]
fn every_crl_names_the_links_of_a_compromised_key() {
    let cases = case::all("accepted");
    let case = cases.iter().find(|case| case.name == "compromise-of-a-key-with-links").unwrap();
    let texts = Texts::changed(case);
    let graph = texts.compiled(Mode::Real).unwrap().graph;
    let (_, crls) = graph.structures();
    let serial = |name: &str| {
        let certificate = texts.state().certificates.get(name).unwrap();
        (certificate.serial, certificate.not_after.day().to_string())
    };
    // The one link was signed by g2, which is compromised; the other by g1, over g2.
    let fallen = ["root-g2", "old-with-new-g1-g2", "new-with-old-g1-g2"].map(serial);
    let (sound, _) = serial("root-g1");
    let mut signers = std::collections::BTreeSet::new();
    for index in 0..crls {
        let name = graph.item_name(Item::Crl(index)).unwrap().to_string();
        let tbs = graph.to_be_signed(Item::Crl(index), 0, &graph.known_keys()).unwrap();
        let names = |serial: &[u8; 20]| tbs.windows(20).any(|window| window == serial);
        // The links end with the root of g1; from then on they need not stand there (D13).
        let day = name.get("crl-g2-".len()..).unwrap();
        let mut asked = fallen.iter().filter(|(_, ends)| day <= ends.as_str());
        assert!(asked.all(|(serial, _)| names(serial)), "{name}: a certificate of g2 is not on it");
        assert!(!names(&sound), "{name}: the root of g1 is on it");
        signers.insert(name[..6].to_string());
    }
    // The sound key's too: under equal names a verifier takes either (D6).
    assert_eq!(signers.into_iter().collect::<Vec<_>>(), ["crl-g1", "crl-g2"]);
    println!("{crls} CRLs of both keys, each with the root and both links of the compromised one");
}
