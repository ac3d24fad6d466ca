//! A disk that is full or must not be written to: a message with a hint, and what was committed stays.

use super::picture::{assert_figures, assert_same, assert_sound, picture};
use crate::support::{secrets::Watched as _, sync::Stage};
use std::process::{Command, Output};
use visibility_mcp::{clock::Clock, demo::world::WorldSize, model::Day};

fn stage() -> Stage {
    let today = Day::of(Clock::system().now());
    let size = WorldSize { prompts: vec![12], days: 10, answer_bytes: 4_000, ..crate::support::sync::small() };
    Stage::with(size, 7, today.plus(-9), |tracker| tracker)
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The program behind a shell that sets limits for it first; the cache is `$0`.
#[cfg(unix)]
fn limited(stage: &Stage, mut shell: Command, script: &str, cache: &std::path::Path) -> Output {
    let plain = stage.program(cache);
    let variables = plain.get_envs().filter_map(|(name, value)| Some((name, value?)));
    shell.arg(format!("{script} exec \"$1\" sync")).arg(cache).arg(plain.get_program());
    shell.env_clear().envs(variables).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").watched()
}

#[cfg(unix)]
fn shell(words: &[&str]) -> Command {
    let mut shell = Command::new(words[0]);
    shell.args(&words[1..]);
    shell
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_grow_ends_the_sync_with_a_message_and_keeps_what_was_committed() {
    let stage = stage();
    let undisturbed = stage.other_cache("undisturbed.sqlite");
    assert!(stage.program(undisturbed.path()).arg("sync").watched().status.success());
    // 1.2 MB and more: the log of changes, which is written first, stops within the days.
    for blocks in [2_400, 4_000] {
        let cache = stage.other_cache(&format!("{blocks}.sqlite"));
        let script = format!("trap '' XFSZ; ulimit -f {blocks};");
        let output = limited(&stage, shell(&["sh", "-c"]), &script, cache.path());
        let text = told(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("verseodin: incomplete, ") && text.contains("error: verseodin: "), "{text}");
        assert!(text.contains("\nhint: "), "{text}");

        assert_figures("a file that cannot grow", &cache.reader().unwrap());
        assert!(stage.program(cache.path()).arg("sync").watched().status.success());
        assert_same("with room again", &picture(&cache), &picture(&undisturbed));
        assert_sound("with room again", &cache);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_called_a_full_disk() {
    let unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"];
    let stage = stage();
    let disk = stage.folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = |size: &str| format!("mount -t tmpfs -o size={size} tmpfs \"$(dirname \"$0\")\" || exit 77;");
    let allowed = shell(&unshare).arg(format!("{} exit 0", mount("1m"))).arg(disk.join("cache.sqlite")).status();
    if !allowed.is_ok_and(|status| status.success()) {
        eprintln!("skipped: this machine lets nobody mount a disk of their own");
        return;
    }
    let output = limited(&stage, shell(&unshare), &mount("1500k"), &disk.join("cache.sqlite"));
    let text = told(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("error: verseodin: the disk is full\nhint: free some space and run"), "{text}");
    // A disk that is mounted for reading.
    let read_only = mount("1m") + "mount -o remount,ro \"$(dirname \"$0\")\" || exit 77;";
    let output = limited(&stage, shell(&unshare), &read_only, &disk.join("cache.sqlite"));
    let text = told(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("error: the cache can't be read or written")
            && text.contains("hint: check the folder's permissions"),
        "{text}"
    );
}

#[test]
fn a_place_where_no_cache_can_be_is_told() {
    let stage = stage();
    let file = stage.folder.path().join("a-file");
    std::fs::write(&file, "in the way").unwrap();
    let output = stage.program(&file.join("cache.sqlite")).arg("sync").watched();
    let text = told(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("error: the cache can't be read or written: "), "{text}");
    assert!(text.contains("hint: check the folder's permissions, or name another file with `--cache`"), "{text}");
    assert_eq!(stage.server.requests(), [], "nothing is fetched that could not be kept");
}
