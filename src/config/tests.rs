//! Tests of the configuration, from file and variables to sources and problems.

use super::*;

const KEY: &str = "vso_0123456789abcdef0123456789abcdef0123456789abcdef";

fn key_of(source: &SourceConfig) -> &Secret {
    match &source.access {
        Access::Key(key) => key,
        Access::UserKey { .. } => panic!("{source:?}"),
    }
}

fn load_with(file: &str, variables: &[(&str, &str)]) -> Result<Config, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, file).unwrap();
    let overrides =
        Overrides { config: Some(path), cache: Some(folder.path().join("cache.sqlite")), history_days: None };
    load(&overrides, &|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
}

#[test]
fn one_key_in_the_environment_is_a_whole_configuration() {
    let config = load_with("", &[(VERSEODIN_API_KEY, KEY)]).unwrap();
    let [source] = config.sources.as_slice() else { panic!("{config:?}") };
    assert_eq!((source.name.as_str(), source.base_url.as_str()), ("verseodin", VERSEODIN_URL));
    assert_eq!((config.history_days, config.problems.len()), (90, 0));
    assert!(!format!("{config:?}").contains(KEY));
}

#[test]
fn the_environment_goes_before_the_file_and_a_file_holds_several_sources() {
    let file = "history_days = 30
[sources.verseodin]
upstream = \"verseodin\"
api_key = \"from-file\"
base_url = \"http://127.0.0.1:1/api/v1\"
[sources.acme]
upstream = \"verseodin\"
api_key_env = \"ACME\"
";
    let config = load_with(file, &[(VERSEODIN_API_KEY, KEY), ("ACME", "acme-key")]).unwrap();
    let keys: Vec<&str> = config.sources.iter().map(|source| key_of(source).value.expose_secret()).collect();
    assert_eq!((keys, config.history_days), (vec!["acme-key", KEY], 30));
    assert_eq!(config.sources[1].base_url.as_str(), "http://127.0.0.1:1/api/v1");
}

#[test]
fn placeholders_and_missing_keys_are_problems_by_name_and_hide_no_other_source() {
    for placeholder in ["${VERSEODIN_API_KEY}", "<your key>", "vso_xxx", "YOUR_API_KEY", "vso_..."] {
        let config = load_with("", &[(VERSEODIN_API_KEY, placeholder)]).unwrap();
        assert!(config.problems[0].contains("`VERSEODIN_API_KEY` still holds a placeholder"), "{config:?}");
    }
    let file = "[sources.a]
upstream = \"verseodin\"
[sources.b]
upstream = \"verseodin\"
api_key_env = \"NOT_SET\"
[sources.c]
upstream = \"verseodin\"
api_key_file = \"/nowhere/key\"
[sources.d]
upstream = \"lunary\"
";
    let config = load_with(file, &[(VERSEODIN_API_KEY, KEY)]).unwrap();
    assert_eq!(config.sources.len(), 1);
    assert_eq!(config.problems.len(), 4);
    assert!(config.problems[1].contains("`NOT_SET` is not set"));
}

#[test]
fn a_wrong_file_is_an_error_that_names_the_line_and_shows_no_key() {
    let error =
        load_with("history_days = 30\n[sources.a]\nupstream = \"verseodin\"\napi_kee = \"SECRET\"\n", &[]).unwrap_err();
    assert!(error.to_string().contains("line 4") && error.to_string().contains("api_kee"), "{error}");
    assert!(!error.to_string().contains("SECRET"));
    let error =
        load(&Overrides { config: Some("/nowhere.toml".into()), ..Overrides::default() }, &|_| None).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }));
}

#[test]
fn lumar_is_opened_by_a_user_key_or_a_service_key() {
    let user_key = [(LUMAR_USER_KEY_ID, "42"), (LUMAR_USER_KEY_SECRET, "hush"), (LUMAR_ACCOUNT_ID, "a, b,")];
    let config = load_with("", &user_key).unwrap();
    let [source] = config.sources.as_slice() else { panic!("{config:?}") };
    let Access::UserKey { id, secret } = &source.access else { panic!("{source:?}") };
    assert_eq!((id.value.expose_secret(), secret.value.expose_secret()), ("42", "hush"));
    assert_eq!((id.name.as_str(), secret.name.as_str()), (LUMAR_USER_KEY_ID, LUMAR_USER_KEY_SECRET));
    assert_eq!((source.name.as_str(), source.base_url.as_str()), ("lumar", LUMAR_URL));
    assert_eq!(source.accounts, ["a", "b"]);
    assert!(!format!("{config:?}").contains("hush"));

    let service =
        [(LUMAR_SERVICE_KEY, "lmr_sa_1_s"), (LUMAR_BASE_URL, "http://127.0.0.1:1/g"), (LUMAR_ACCOUNT_ID, "a")];
    let config = load_with("", &service[..2]).unwrap();
    assert!(config.sources.is_empty() && config.problems[0].contains("`LUMAR_ACCOUNT_ID`"), "{config:?}");
    let config = load_with("", &service).unwrap();
    assert_eq!(key_of(&config.sources[0]).name, LUMAR_SERVICE_KEY);
    assert_eq!(config.sources[0].base_url.as_str(), "http://127.0.0.1:1/g");

    // Half a user key is a problem that names the other half.
    let config = load_with("", &[(LUMAR_USER_KEY_ID, "42")]).unwrap();
    assert!(config.problems[0].contains("`LUMAR_USER_KEY_SECRET` is not set"), "{config:?}");

    let file = "[sources.acme]
upstream = \"lumar\"
user_key_id = \"7\"
user_key_secret_env = \"ACME_SECRET\"
accounts = [\"one\"]
brands = [\"Third\"]
[sources.wrong]
upstream = \"verseodin\"
user_key_id = \"7\"
";
    let config = load_with(file, &[("ACME_SECRET", "hush")]).unwrap();
    assert_eq!(
        (config.sources[0].accounts.as_slice(), config.sources[0].brands.as_slice()),
        (&["one".to_owned()][..], &["Third".to_owned()][..])
    );
    assert!(config.problems[0].contains("a user key is Lumar's"), "{config:?}");
}

#[test]
fn a_lunary_key_is_a_whole_configuration_and_the_file_has_its_settings() {
    let config = load_with("", &[(LUNARY_API_KEY, "5a1e0000-0000-4000-8000-00000000000e")]).unwrap();
    let [source] = config.sources.as_slice() else { panic!("{config:?}") };
    assert_eq!((source.name.as_str(), source.base_url.as_str()), ("lunary", LUNARY_URL));
    assert_eq!((&source.runs, source.run_details, source.extra_brands.len()), (&RunsConfig::default(), false, 0));

    let file = r#"
[[models]]
match = "my-ft-*"
engine = "chatgpt"
[[models]]
match = ""
engine = "x"
[sources.lunary]
upstream = "lunary"
base_url = "http://127.0.0.1:1/v1"
project_name = " Acme assistant "
run_details = true
runs = { types = ["llm", "agent"], tags = ["weekly"], models = ["gpt-*"] }
[[sources.lunary.brands]]
name = " Acme "
domains = ["https://www.Acme.example/shop", "acme.example"]
aliases = ["Acme Tools", ""]
exact = ["ACME"]
excluded = ["acme of"]
[[sources.lunary.brands]]
name = "Globex"
kind = "other"
[[sources.lunary.brands]]
name = "Initech"
[sources.lumar]
upstream = "lumar"
user_key_id = "7"
user_key_secret = "hush"
brands = ["Third", { name = "Fourth", domains = ["fourth.example"] }]
"#;
    let config = load_with(file, &[(LUNARY_API_KEY, "k"), (LUNARY_BASE_URL, "http://127.0.0.1:2/v1")]).unwrap();
    assert_eq!(config.problems, ["a table of `[[models]]` has an empty `match` or `engine`; set both"]);
    let [lumar, lunary] = config.sources.as_slice() else { panic!("{config:?}") };
    assert_eq!((lunary.base_url.as_str(), lunary.run_details), ("http://127.0.0.1:2/v1", true));
    assert_eq!(lunary.project_name.as_deref(), Some("Acme assistant"));
    assert_eq!(lunary.runs.types, ["llm", "agent"]);
    assert_eq!((lunary.models.len(), lunary.models[0].engine.as_str()), (1, "chatgpt"));
    let brands = |source: &SourceConfig| {
        let brand = |brand: &Brand| {
            let Brand { key, name, kind, domains, aliases, exact, excluded } = brand;
            format!("{} {} {name:?} {domains:?} {aliases:?} {exact:?} {excluded:?}", kind.as_str(), key.0)
        };
        source.extra_brands.iter().map(brand).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(brands(lunary), @r#"
    own config:acme "Acme" ["acme.example"] ["Acme Tools", "ACME"] ["ACME"] ["acme of"]
    other config:globex "Globex" [] [] [] []
    competitor config:initech "Initech" [] [] [] []
    "#);
    assert_eq!(lumar.brands, ["Third", "Fourth"]);
    // Lumar's own brand is known to Lumar.
    insta::assert_snapshot!(brands(lumar), @r#"competitor config:fourth "Fourth" ["fourth.example"] [] [] []"#);
}

#[test]
fn brands_and_settings_that_cannot_be_are_problems() {
    let problem = |settings: &str| {
        let file = format!("[sources.a]\nupstream = \"lunary\"\napi_key = \"k\"\n{settings}");
        load_with(&file, &[]).unwrap().problems.join("\n")
    };
    let problems = [
        "brands = [{ name = \" \" }]",
        "brands = [{ name = \"Acme\", domains = [\"not a domain\"] }]",
        "brands = [{ name = \"Acme\", kind = \"own\" }, { name = \"Globex\", kind = \"own\" }]",
        "brands = [{ name = \"Acme\" }, { name = \"ACME\" }]",
        "[sources.b]\nupstream = \"verseodin\"\napi_key = \"k\"\nrun_details = true",
    ]
    .map(problem);
    insta::assert_snapshot!(problems.join("\n"), @r"
    source `a`: a brand has an empty name; set `name` in its `brands` table
    source `a`: `not a domain` is no domain of the brand `Acme`; write it as in `example.com`
    source `a`: 2 brands are of kind `own`; leave one, and make the others `competitor` or `other`
    source `a`: the brand `ACME` is there twice; put all that it is known by into one table
    source `b`: `run_details` is Lunary's; remove `sources.b.run_details`
    ");
    let error = load_with("[sources.a]\nupstream = \"lunary\"\n[[sources.a.brands]]\nname = \"x\"\nalias = []\n", &[]);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("unknown field `alias`"), "{error}");
    let error = load_with("[sources.a]\nupstream = \"lunary\"\nbrands = [3]\n", &[]).unwrap_err().to_string();
    assert!(error.contains("a brand's name, or a table with its `name`"), "{error}");
}
