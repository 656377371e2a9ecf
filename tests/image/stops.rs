//! What stops the image before anything is asked of the token.

use crate::machine::{MENU, Machine, Plugged};
use crate::medium::Sticks;
use crate::recipe::copy_tracked;
use crate::{built_of, drill_iso};

#[test]
fn a_network_card_stays_invisible() {
    let iso = drill_iso();
    let more = ["-netdev", "user,id=n", "-device", "e1000,netdev=n"].map(String::from).to_vec();
    let mut machine = Machine::boot(&Plugged { more, ..Plugged::of(&iso) });
    machine.reach_menu();
    assert!(machine.monitor("info pci").contains("Ethernet controller"));
    assert!(machine.log.contains("no network"), "{}", machine.log);
}

#[test]
fn an_extra_kernel_argument_stops() {
    let iso = drill_iso();
    // Version 257 of systemd's stub takes these from SMBIOS, with Secure Boot on as well; a TPM has
    // them in PCR 12.
    let argument = "type=11,value=io.systemd.stub.kernel-cmdline-extra=rdinit_extra=1";
    let more = ["-smbios", argument].map(String::from).to_vec();
    let mut machine = Machine::boot(&Plugged { more, ..Plugged::of(&iso) });
    machine.expect("English ? ");
    machine.send("2");
    let said = machine.expect("Enter switches the machine off: ");
    assert!(said.contains("S-COMMAND-LINE") && said.contains("rdinit_extra=1"), "{said}");
    machine.send("");
    let log = machine.wait_off();
    assert_eq!(log.matches("S-COMMAND-LINE").count(), 1, "{log}");
}

#[test]
fn an_image_whose_rehearsal_differs_stops() {
    // The plan differs from the one that its golden was made of.
    let folder = tempfile::tempdir().unwrap();
    let copied = folder.path().join("elsewhere");
    copy_tracked(&copied);
    let plan = copied.join("ceremony-plans/mdoc-root/2026-04-genesis/plan.toml");
    let text = std::fs::read_to_string(&plan).unwrap();
    let changed = text.replacen("\"979f", "\"1234", 1);
    assert!(changed != text, "{text}");
    std::fs::write(&plan, changed).unwrap();
    let iso = built_of(&copied, "drills.mdoc-root.2026-04-genesis").join("gishiki.iso");
    let mut machine = Machine::boot(&Plugged::of(&iso));
    machine.expect("English ? ");
    machine.send("2");
    machine.expect("10:30:00: ");
    machine.send("yes");
    let said = machine.expect("Enter switches the machine off: ");
    assert!(said.contains("S-SELF-TEST"), "{said}");
}

#[test]
fn a_missing_and_a_changed_medium_stop() {
    let iso = drill_iso();
    let sticks = Sticks::new(&iso);
    let before = sticks.token_files("before");
    let media = vec![sticks.a.as_path(), &sticks.token];
    let linked = sticks.linked("2026-04-genesis", "/");
    let node = format!("driver=raw,node-name=linked,file.driver=file,file.filename={linked}");
    let more = vec!["-blockdev".to_string(), node];
    let mut machine = Machine::boot(&Plugged { media, more, ..Plugged::of(&iso) });
    machine.reach_menu();
    machine.send("1");
    let said = machine.expect("no gives up: ");
    assert!(said.contains("S-MEDIUM") && said.contains("GISHIKI-B"), "{said}");
    // A stick with the label, whose ceremony's folder is a link into RAM.
    let said = machine.monitor("device_add usb-storage,drive=linked,id=u8");
    assert!(!said.contains("Error"), "{said}");
    std::thread::sleep(std::time::Duration::from_secs(5));
    machine.send("");
    let said = machine.expect("no gives up: ");
    let named = said.contains("/media/b/2026-04-genesis") && said.contains("a link");
    assert!(said.contains("S-MEDIUM") && named, "{said}");
    drop(machine);

    // One octet of the boot medium, where nothing looks: ISO 9660's field for applications.
    let changed = sticks.folder.path().join("changed.iso");
    let mut octets = std::fs::read(&iso).unwrap();
    octets[16 * 2048 + 883 + 100] ^= 1;
    std::fs::write(&changed, octets).unwrap();
    let media = vec![sticks.a.as_path(), &sticks.b, &sticks.token];
    let mut machine = Machine::boot(&Plugged { media, ..Plugged::of(&changed) });
    machine.reach_menu();
    machine.send("1");
    let said = machine.expect(MENU);
    assert!(said.contains("S-IMAGE"), "{said}");
    machine.switch_off();
    assert!(before == sticks.token_files("after"), "the token was touched");
}
