//! The house rules that no compiler checks. Every message ends with what to do.

use std::{fs, path::Path};

/// A layer, the layers that it may use besides itself, and what it alone may name.
const LAYERS: &[(&str, &[&str], &[&str])] = &[
    ("model", &[], &[]),
    ("clock", &[], &["Timestamp::now", "SystemTime::now"]),
    ("detect", &["model"], &[]),
    ("analysis", &["model"], &["statrs"]),
    ("upstream", &["model"], &["reqwest", "backon"]),
    ("store", &["model"], &["rusqlite", "rusqlite_migration", "zstd"]),
    ("sync", &["analysis", "clock", "detect", "model", "store", "upstream"], &[]),
    ("mcp", &["clock", "model", "store", "sync"], &["rmcp", "governor", "hyper", "hyper_util", "prometheus_client"]),
    ("access", &["mcp", "store", "upstream"], &["sha2", "subtle", "getrandom", "jsonwebtoken"]),
    ("tools", &["analysis", "detect", "mcp", "model", "store", "sync"], &[]),
    ("config", &["model"], &["env::var", "env::vars", "env::var_os", "env::vars_os"]),
    ("demo", &["clock", "model"], &[]),
    ("cli", &["*"], &["clap", "comfy_table", "indicatif", "stdout"]),
    ("lib", &["*"], &[]),
    ("main", &["cli"], &[]),
];
const SQL: &[&str] = &["SELECT ", "INSERT ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "PRAGMA "];
const LINES: usize = 500;

/// The sources below these folders: path, text, and the text without comments.
fn sources(folders: &[&str]) -> Vec<(String, String, String)> {
    let read = |path: String| {
        let text = read(&path);
        // A comment begins with two slashes, but those of a URL follow a colon.
        let comment = |line: &str| line.match_indices("//").map(|(at, _)| at).find(|at| !line[..*at].ends_with(':'));
        let code: Vec<&str> = text.lines().map(|line| &line[..comment(line).unwrap_or(line.len())]).collect();
        let code = code.join("\n");
        (path, text, code)
    };
    folders.iter().flat_map(|folder| files(folder, ".rs")).map(read).collect()
}

fn files(folder: &str, extension: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) else { return Vec::new() };
    let below = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().display());
        if entry.file_type().unwrap().is_dir() { files(&path, extension) } else { vec![path] }
    };
    let mut found: Vec<String> = entries.flat_map(below).filter(|path| path.ends_with(extension)).collect();
    found.sort();
    found
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}; restore this file"))
}

/// Is the word in the code, by itself?
fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part))
}

/// Does the code say `crate::layer`, alone or in a group?
fn imports(code: &str, layer: &str) -> bool {
    let groups = code.split("crate::{").skip(1).filter_map(|rest| rest.split(';').next());
    let in_group = |group: &str| group.split([',', '{', '}']).any(|item| item.trim().split(':').next() == Some(layer));
    names(code, &format!("crate::{layer}")) || groups.into_iter().any(in_group)
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n\n{}\n", problems.join("\n"));
}

#[test]
fn layers_use_and_name_only_what_is_theirs() {
    let mut problems = Vec::new();
    for (path, _, code) in sources(&["src", "tools"]) {
        // `store` of `src/store.rs` and of `src/store/open.rs`.
        let own = path.trim_start_matches("src/").split('/').next().unwrap().trim_end_matches(".rs");
        let Some((_, uses, _)) = LAYERS.iter().find(|(layer, ..)| *layer == own) else {
            problems.push(format!("{path} is in no layer: move it into one, or list its layer in tests/it/tidy.rs"));
            continue;
        };
        for (layer, _, alone) in LAYERS.iter().filter(|(layer, ..)| *layer != own) {
            if imports(&code, layer) && !uses.contains(layer) && !uses.contains(&"*") {
                problems.push(format!("{path} uses `{layer}`, which `{own}` may not: take the value as an argument"));
            }
            for word in alone.iter().filter(|word| names(&code, word)) {
                problems.push(format!("{path} names `{word}`, which only `{layer}` may: call that layer instead"));
            }
        }
        if own != "store" && SQL.iter().any(|sql| code.contains(&format!("\"{sql}"))) {
            problems.push(format!("{path} has SQL, which only `store` may: add a typed method there"));
        }
    }
    assert_none(&problems);
}

#[test]
fn sources_open_with_their_purpose_and_stay_short() {
    let mut problems = Vec::new();
    for (path, text, _) in sources(&["src", "tools", "tests", "benches"]) {
        if !text.starts_with("//!") {
            problems.push(format!("{path}: open it with a `//!` line that says what it is for"));
        }
        let lines = text.lines().take_while(|line| !line.starts_with("mod tests {")).count();
        if lines > LINES && (path.starts_with("src/") || path.starts_with("tools/")) {
            problems.push(format!("{path}: {lines} lines before its tests, {LINES} allowed; split it by noun"));
        }
    }
    assert_none(&problems);
}

#[test]
fn one_commented_path_attribute_mounts_the_tools() {
    let mut found = Vec::new();
    for (path, text, _) in sources(&["src", "tools", "tests", "benches"]) {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let mounts = lines.windows(2).filter(|pair| pair[1].starts_with("#[path"));
        found.extend(mounts.map(|pair| (path.clone(), pair[0].starts_with("//"))));
    }
    let only = [("src/lib.rs".to_owned(), true)];
    assert_eq!(
        found, only,
        "keep one `#[path]`, in src/lib.rs, with a comment on the line above; declare others plainly"
    );
}

#[test]
fn tools_words_catalogue_and_readme_agree() {
    let stems = |extension: &str| -> Vec<String> {
        let stem = |path: &String| path.strip_prefix("tools/")?.strip_suffix(extension).map(str::to_owned);
        files("tools", extension).iter().filter_map(stem).filter(|stem| stem != "mod" && !stem.contains('/')).collect()
    };
    let (tools, pages, catalogue, readme) = (stems(".rs"), stems(".md"), read("tools/mod.rs"), read("README.md"));
    let table = readme.split("<!-- tools -->").nth(1).and_then(|rest| rest.split("<!-- /tools -->").next());
    let table = table.expect("README.md: put the tool table between `<!-- tools -->` and `<!-- /tools -->`");
    let rows: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let mut problems = Vec::new();
    for tool in &tools {
        let kind: String = tool.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        let code = read(&format!("tools/{tool}.rs"));
        let is_name = |line: &str| line.contains("const NAME:") && line.contains(&format!("\"{tool}\""));
        for (holds, mend) in [
            (pages.contains(tool), format!("write tools/{tool}.md, the words that the model reads")),
            (code.lines().any(is_name), format!("tools/{tool}.rs: set `const NAME` to \"{tool}\", or rename the file")),
            (names(&catalogue, &format!("mod {tool}")), format!("tools/mod.rs: add `mod {tool};`")),
            (names(&catalogue, &kind), format!("tools/mod.rs: add `{kind}` to the catalogue")),
            (rows.contains(&tool.as_str()), format!("README.md: add a row for `{tool}` to the tool table")),
        ] {
            problems.extend((!holds).then_some(mend));
        }
    }
    let lost = |name: &&str| !tools.iter().any(|tool| tool == name);
    problems.extend(pages.iter().map(String::as_str).filter(lost).map(|page| format!("remove tools/{page}.md")));
    problems.extend(rows.into_iter().filter(lost).map(|row| format!("README.md: remove `{row}` from the tool table")));
    assert_none(&problems);
}
