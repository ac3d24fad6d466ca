//! Servers to measure beside: a bare blocking JSON-RPC loop, plain rmcp, and this program's server with a no-op tool.

use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt as _,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ServerCapabilities,
        ServerConfig,
    },
    service::RequestContext,
    transport::stdio_pipes,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};
use std::{
    io::{BufRead as _, Write as _},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;
use visibility_mcp::{
    clock::Clock,
    mcp::{Backend, Limits, Registry, Server, Setup, Tool, ToolCx, ToolError, transport},
    store::Store,
    tools,
};

/// The tool that does nothing but answer.
pub const NO_OP: &str = "no_op";

/// Serves on stdin and stdout until the input ends.
pub fn serve(kind: &str, cache: Option<&str>) {
    match kind {
        "bare" => bare(|call| {
            let said: NoOpParams = serde_json::from_str(call.arguments.get()).unwrap();
            serde_json::to_value(NoOpAnswer { said: said.say }).unwrap()
        }),
        "bare-tools" => {
            let (registry, backend) = (tools::catalogue(), backend(cache.unwrap()));
            bare(|call| {
                let arguments: Map<String, Value> = serde_json::from_str(call.arguments.get()).unwrap();
                registry.call(call.name, &arguments, &backend, Limits::default()).unwrap()
            });
        }
        "rmcp" => runtime().block_on(async {
            let running = Plain.serve(stdio_pipes()).await.unwrap();
            running.waiting().await.unwrap();
        }),
        "ours" => {
            // As `serve` logs: a line per call.
            // What `serve` logs: a line per call.
            let log = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO);
            let log = log.with_writer(std::io::stderr).with_ansi(false);
            log.try_init().unwrap();
            let backend = Arc::new(backend("/there/is/no/such/cache"));
            let server = Server::new(Registry::new().with::<NoOp>(), backend, Limits::default());
            runtime().block_on(transport::serve_stdio(server, CancellationToken::new())).unwrap();
        }
        other => panic!("no server `{other}`"),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    transport::runtime().unwrap()
}

fn backend(cache: &str) -> Backend {
    Backend::new(Store::at(cache), Clock::system(), Setup::default())
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: &'a str,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Call<'a> {
    name: &'a str,
    #[serde(borrow)]
    arguments: &'a RawValue,
}

#[derive(Serialize)]
struct Response<'a> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    result: CallResult<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallResult<'a> {
    content: [Text; 1],
    structured_content: &'a Value,
    is_error: bool,
}

#[derive(Serialize)]
struct Text {
    r#type: &'static str,
    text: String,
}

/// The least that a server can do: read a line, do the work, write a line, one after the other.
fn bare(answer: impl Fn(&Call<'_>) -> Value) {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let (mut line, mut out) = (String::new(), Vec::new());
    while input.read_line(&mut line).unwrap() > 0 {
        let request: Request<'_> = serde_json::from_str(&line).unwrap();
        if let Some(id) = request.id {
            out.clear();
            if request.method == "tools/call" {
                let call: Call<'_> = serde_json::from_str(request.params.unwrap().get()).unwrap();
                let value = answer(&call);
                let content = [Text { r#type: "text", text: value.to_string() }];
                let result = CallResult { content, structured_content: &value, is_error: false };
                serde_json::to_writer(&mut out, &Response { jsonrpc: "2.0", id, result }).unwrap();
            } else {
                let info = json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": {} },
                    "serverInfo": { "name": "bare", "version": "1" } });
                serde_json::to_writer(&mut out, &json!({ "jsonrpc": "2.0", "id": id, "result": info })).unwrap();
            }
            out.push(b'\n');
            output.write_all(&out).unwrap();
            output.flush().unwrap();
        }
        line.clear();
    }
}

/// The arguments of the no-op tool.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoOpParams {
    /// What to say.
    say: String,
}

/// Its answer.
#[derive(Serialize, JsonSchema)]
pub struct NoOpAnswer {
    /// What was said
    said: String,
}

/// The no-op tool of this program's server.
pub struct NoOp;

impl Tool for NoOp {
    const NAME: &'static str = NO_OP;
    const TITLE: &'static str = "No-op";
    const PAGE: &'static str = "Says what it is told.\n\n## Example\n\n```json\n{\"say\": \"hello\"}\n```\n";
    type Params = NoOpParams;
    type Answer = NoOpAnswer;

    fn call(_: &ToolCx<'_>, params: NoOpParams) -> Result<NoOpAnswer, ToolError> {
        Ok(NoOpAnswer { said: params.say })
    }
}

/// rmcp by itself, with the same answer.
struct Plain;

impl ServerHandler for Plain {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        ServerConfig::new(capabilities).with_server_info(Implementation::new("plain", "1"))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let params: NoOpParams =
            serde_json::from_value(arguments).map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
        let answer = json!(NoOpAnswer { said: params.say });
        let mut result = CallToolResult::success(vec![ContentBlock::text(answer.to_string())]);
        result.structured_content = Some(answer);
        Ok(result.into())
    }
}
