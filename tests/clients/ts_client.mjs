// What a TypeScript SDK makes of a server: ts_client.mjs VERSION TRANSPORT MODE TARGET..., one JSON object on stdout.
const [version, transport, mode, ...target] = process.argv.slice(2);

const sdk = version === "v1"
  ? {
      ...(await import("@modelcontextprotocol/sdk/client/index.js")),
      ...(await import("@modelcontextprotocol/sdk/client/stdio.js")),
      ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")),
      ...(await import("@modelcontextprotocol/sdk/client/sse.js")),
    }
  : { ...(await import("@modelcontextprotocol/client")), ...(await import("@modelcontextprotocol/client/stdio")) };

const options = version === "v2" && mode !== "legacy" ? { versionNegotiation: { mode } } : {};
const client = new sdk.Client({ name: "clients", version: "1" }, options);
const connection = {
  stdio: () => new sdk.StdioClientTransport({ command: target[0], args: target.slice(1), env: process.env }),
  http: () => new sdk.StreamableHTTPClientTransport(new URL(`${target[0]}/mcp`)),
  sse: () => new sdk.SSEClientTransport(new URL(`${target[0]}/sse`)),
}[transport]();

const call = (name, args, options = {}) =>
  version === "v1"
    ? client.callTool({ name, arguments: args }, undefined, options)
    : client.callTool({ name, arguments: args }, options);
const pause = (millis) => new Promise((done) => setTimeout(done, millis));

setTimeout(() => { console.error("too slow"); process.exit(1); }, 120_000).unref();
await client.connect(connection);
const found = { list: (await client.listTools()).tools.length };

// A sync that is cancelled as soon as it tells of a step.
const stop = new AbortController();
let steps = 0;
const cancelled = await call("sync_now", { wait_seconds: 50 }, {
  signal: stop.signal,
  timeout: 60_000,
  onprogress: () => { steps += 1; stop.abort("enough"); },
}).then(() => false, () => steps > 0);
// What was cancelled ends at the next page; until then another sync is refused.
let again = true;
for (let tries = 0; again && tries < 100; tries += 1) {
  await pause(200);
  steps = 0;
  const result = await call("sync_now", { source: "demo-lunary" }, { timeout: 60_000, onprogress: () => { steps += 1; } });
  again = result.isError === true;
}
found.cancel = cancelled && !again;
found.progress = steps;

let calls = 0;
for (const [name, args] of [["list_sources", {}], ["list_prompt_runs", { limit: 3 }], ["brand_summary", {}]]) {
  const result = await call(name, args);
  calls += !result.isError && result.structuredContent !== undefined ? 1 : 0;
}
found.calls = calls;
const refused = await call("list_prompt_runs", { limit: 1000 });
found.error = refused.isError === true && refused.content[0].text.includes("limit");
found.version = client.getNegotiatedProtocolVersion?.() ?? connection.protocolVersion ?? "";
console.log(JSON.stringify(found));
await client.close();
process.exit(0);
