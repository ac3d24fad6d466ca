//! `mcp.json` works as it stands: each of its servers is started as a client would start it.

use crate::support::{
    program::Home,
    raw::{Era, Raw},
    surely,
};
use serde_json::{Value, json};
use std::{fs, path::Path};

fn servers() -> serde_json::Map<String, Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mcp.json");
    let config: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    config["mcpServers"].as_object().unwrap().clone()
}

#[test]
fn it_has_the_server_and_the_demo_and_no_secrets() {
    let servers = servers();
    assert_eq!(servers.keys().collect::<Vec<_>>(), ["visibility", "visibility-demo"]);
    for (name, server) in servers {
        assert_eq!(server["command"], "visibility-mcp", "{name} is found through PATH");
        // Not every client fills variables in, and one that does not would send their names as keys.
        assert!(server.get("env").is_none(), "{name}: keys come from the environment or the configuration file");
    }
}

#[tokio::test]
async fn each_of_its_servers_starts_and_lists_its_tools() {
    for (name, server) in servers() {
        let home = Home::new();
        let arguments: Vec<&str> =
            server["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap()).collect();
        let mut child = home.serve(server["command"].as_str().unwrap(), &arguments);
        let mut raw = Raw::of(&mut child, Era::Legacy);
        let hello = raw.open().await;
        assert_eq!(hello["serverInfo"]["name"], "visibility-mcp", "{name}");
        let list = raw.ask("tools/list", json!({})).await["result"].take();
        let listed: Vec<&str> =
            list["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert!(listed.contains(&"brand_summary"), "{name}: {listed:?}");
        // Before its first sync has fetched anything, a server says so.
        let sources = raw.call("list_sources", json!({})).await;
        assert_eq!(sources["isError"], false, "{name}");
        raw.close().await;
        assert!(surely("the end", child.wait()).await.unwrap().success(), "{name}");
    }
}
