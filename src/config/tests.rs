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
api_key = \"k\"
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
