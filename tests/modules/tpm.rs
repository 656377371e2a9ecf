//! A TPM behind tpm2-pkcs11: what it cannot do is said before the day.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{MODULES, Place, wait_for};
use crate::probe::probed;
use crate::support::terminal::SO_PIN;
use crate::support::{Drill, PIN, sample_ca, succeed};

/// A TPM in software, with a token in it.
fn tpm() -> Place {
    let mut drill = Drill::new();
    for folder in ["state", "store", "tools"] {
        fs::create_dir(drill.path(folder)).unwrap();
    }
    let socket = drill.path("tpm");
    let mut server = Command::new("swtpm");
    server.args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--tpmstate"]);
    server.arg(format!("dir={}", drill.path("state").display()));
    server.arg("--server").arg(format!("type=unixio,path={}", socket.display()));
    server.arg("--ctrl").arg(format!("type=unixio,path={}.ctrl", socket.display()));
    let server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(&socket);
    let tcti = format!("swtpm:path={}", socket.display());
    let env = vec![
        ("TPM2_PKCS11_STORE", drill.path("store").display().to_string()),
        ("TPM2_PKCS11_TCTI", tcti.clone()),
        ("TPM2TOOLS_TCTI", tcti),
        ("TSS2_LOG", "all+NONE".to_string()),
    ];
    // No resource manager stands before this TPM: each tool makes room for the next.
    for tool in fs::read_dir("/usr/bin").unwrap().map(|entry| entry.unwrap().path()) {
        let name = tool.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("tpm2_") || ["tpm2_ptool", "tpm2_flushcontext"].contains(&name) {
            continue;
        }
        let script = format!(
            "#!/bin/sh\n{} \"$@\"; code=$?\ntpm2_flushcontext -t >/dev/null 2>&1\nexit $code\n",
            tool.display()
        );
        let script_at = drill.path("tools").join(name);
        fs::write(&script_at, script).unwrap();
        fs::set_permissions(script_at, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", drill.path("tools").display(), std::env::var("PATH").unwrap());
    let ptool = |arguments: &[&str]| {
        let mut ptool = Command::new("tpm2_ptool");
        succeed(ptool.args(arguments).envs(env.clone()).env("PATH", &path));
    };
    ptool(&["init"]);
    let pins = [format!("--userpin={PIN}"), format!("--sopin={SO_PIN}")];
    ptool(&["addtoken", "--pid=1", "--label=DRILL mdoc-root", &pins[0], &pins[1]]);
    // Every token of this module has this serial number; the label tells it from the empty one.
    drill.serial = "0000000000000000".into();
    drill.write_room(&Path::new(MODULES).join("libtpm2_pkcs11.so"));
    let room = fs::read_to_string(drill.path("room.toml")).unwrap();
    fs::write(drill.path("room.toml"), room + "label = \"DRILL mdoc-root\"\n").unwrap();
    Place { drill, env, server: Some(server) }
}

#[test]
fn of_a_tpm_it_is_said_before_the_day_what_it_cannot_do() {
    let tpm = tpm();
    let (said, code) = tpm.probe();
    println!("{said}");
    // It makes no session keys.
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("C_GenerateKeyPair: CKR_ATTRIBUTE_VALUE_INVALID"), "{said}");
    assert!(said.contains("this module makes no session keys"), "{said}");
    assert!(said.contains("what is marked – was not tried"), "{said}");
    assert!(said.contains("✓ what is on it is as before: 0 objects"), "{said}");
    // With keys that last it is seen what they are. No usage is said: this module takes none.
    let plan = sample_ca(&tpm.drill.path("ca"));
    let path = plan.join("../policy.toml");
    let policy = fs::read_to_string(&path).unwrap();
    let usages = "\"sign-recover\", \"decrypt\", \"unwrap\", \"verify\", \"verify-recover\", \"encrypt\", \"wrap\"";
    let policy = policy.replace("[token]\n", &format!("[token]\nleave-out = [{usages}]\n"));
    fs::write(path, policy.replace("\"wrap-trusted\"", "\"vendor\"")).unwrap();
    let mut command = tpm.drill.probe_command(Some(&plan));
    tpm.with_env(command.arg("--lasting"));
    let (said, code) = probed(command);
    println!("{said}");
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("asked: private audit without encrypt [R-KEY-IN-HSM]"), "{said}");
    assert!(said.contains("✓ signature of a key like `audit`"), "{said}");
    assert!(said.contains("✓ what is on it is as before: 0 objects"), "{said}");
}
