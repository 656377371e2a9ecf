//! The policy may give an act to more people than the CP/CPS, never to fewer: each act of the
//! sample policy, and each role of it.

use ceremony::policy::Policy;

use super::inputs::{Texts, violations};

/// `by` of an act, with these numbers.
fn written(by: &[(String, u32)]) -> String {
    let roles: Vec<String> = by.iter().map(|(role, count)| format!("{role} = {count}")).collect();
    format!("by      = {{ {} }}", roles.join(", "))
}

#[test]
fn no_act_of_the_policy_can_be_weakened() {
    let sample = Texts::sample();
    let policy = Policy::parse(sample.policy().as_bytes()).unwrap();
    let mut weakened = 0;
    for (kind, act) in &policy.act {
        let heading = format!("[act.{kind}]\n");
        let (before, rest) = sample.policy().split_once(&heading).unwrap();
        let (own, after) = rest.split_once("\n\n").unwrap_or((rest, ""));
        let by: Vec<(String, u32)> =
            act.by.iter().map(|(role, count)| (role.to_string(), *count.get_ref())).collect();
        let (section, line) = own.trim_end().split_once('\n').unwrap();
        assert!(line.starts_with("by "), "{kind}: {line}");
        let refused = |what: &str, own: &str| {
            let text = format!("{before}{own}\n\n{after}");
            assert!(
                !violations(&Texts::with_policy(text)).is_empty(),
                "{kind}: {what} is accepted"
            );
        };
        refused("no such act", "");
        for place in 0..by.len() {
            let mut fewer = by.clone();
            fewer[place].1 -= 1;
            fewer.retain(|(_, count)| *count > 0);
            refused(&by[place].0, &format!("{heading}{section}\n{}", written(&fewer)));
            weakened += 1;
        }
        // By as many people of another role.
        let other = [("operations-staff".to_string(), 2)];
        refused("another role", &format!("{heading}{section}\n{}", written(&other)));
    }
    assert!(weakened > 20, "{weakened}");
    println!(
        "{} acts of the policy, {weakened} numbers of people, none can be fewer",
        policy.act.len()
    );
}
