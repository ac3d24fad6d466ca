// The whole way of a client to an answer, and what gets no answer: flow.mjs RESOURCE ISSUER PROJECT OTHER_PROJECT.
import { SignJWT, decodeJwt, decodeProtectedHeader, generateKeyPair } from "jose";
import { signIn } from "./browser.mjs";

const [resource, issuer, project, other] = process.argv.slice(2);
const home = "http://127.0.0.1:9/back";
const read = "visibility:read";
const both = "visibility:read visibility:sync";
const short = (text) => String(text).replace(/\s+/g, " ").slice(0, 300);

function says(who, what, answer, expected) {
  console.log(`${who}: ${what}\n    ${short(answer)}`);
  if (!expected) throw new Error(`not so: ${who}: ${what}: ${answer}`);
}

/** What a client keeps of an issuer; a person signs in where it sends them. */
class Store {
  constructor(person) { this.person = person; }
  get redirectUrl() { return home; }
  get clientMetadata() {
    return { client_name: "flow", redirect_uris: [home], token_endpoint_auth_method: "none", grant_types: ["authorization_code"] };
  }
  clientInformation() { return this.client; }
  saveClientInformation(client) { this.client = client; }
  tokens() { return this.saved; }
  saveTokens(tokens) { this.saved = tokens; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  codeVerifier() { return this.verifier; }
  async redirectToAuthorization(address) {
    this.asked = address.searchParams;
    this.answer = (await signIn(address, this.person, home)).searchParams;
  }
}

/** Every request that a client makes, by path and status. */
function told(steps) {
  return async (url, init) => {
    const response = await fetch(url, init);
    steps.push(`${init?.method ?? "GET"} ${new URL(url).pathname} ${response.status}`);
    return response;
  };
}

const sdks = {
  "TypeScript SDK 1.32": {
    ...(await import("@modelcontextprotocol/sdk/client/index.js")),
    ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")),
    ...(await import("@modelcontextprotocol/sdk/client/auth.js")),
    back: (answer) => answer.get("code"),
  },
  // It looks at who answered, too.
  "TypeScript SDK 2.4": { ...(await import("@modelcontextprotocol/client")), back: (answer) => answer },
};

/** A client that was let in the way that its SDK knows; with scopes, as one that was asked for more does. */
async function connected(sdk, store, steps, scope) {
  const open = () => new sdk.StreamableHTTPClientTransport(new URL(resource), { authProvider: store, fetch: told(steps) });
  const client = new sdk.Client({ name: "flow", version: "1" });
  let transport = open();
  if (scope === undefined) {
    const refused = await client.connect(transport).then(() => undefined, (error) => error);
    if (!(refused instanceof sdk.UnauthorizedError)) throw refused ?? new Error("let in without a token");
  } else {
    await sdk.auth(store, { serverUrl: resource, scope, fetchFn: told(steps) });
  }
  await transport.finishAuth(sdk.back(store.answer));
  transport = open();
  const admitted = new sdk.Client({ name: "flow", version: "1" });
  await admitted.connect(transport);
  return admitted;
}

for (const [name, sdk] of Object.entries(sdks)) {
  const steps = [];
  const store = new Store("acme");
  const client = await connected(sdk, store, steps);
  const way = ["/mcp 401", "/.well-known/oauth-protected-resource/mcp 200", "/.well-known/oauth-authorization-server 200",
    "/reg 201", "/token 200", "/mcp 200"];
  let at = 0;
  for (const step of steps) if (way[at] !== undefined && step.endsWith(way[at])) at += 1;
  says(name, "from nothing to an answer", [...new Set(steps)].join(", "), at === way.length);
  says(name, "what it asked the issuer for", `resource=${store.asked.get("resource")} scope=${store.asked.get("scope")}`,
    store.asked.get("resource") === resource && store.asked.get("scope") === read);
  const tools = (await client.listTools()).tools.map((tool) => tool.name);
  says(name, "tools/list", tools.join(" "), tools.includes("list_brands") && !tools.includes("sync_now"));
  const brands = JSON.stringify((await client.callTool({ name: "list_brands", arguments: {} })).structuredContent);
  says(name, "list_brands, of the projects in the token", brands, brands.includes(project) && !brands.includes(other));
  const foreign = await client.callTool({ name: "brand_summary", arguments: { project: other } });
  says(name, "brand_summary of another project", foreign.content[0].text, foreign.isError && foreign.content[0].text.includes("no project"));
  await client.close();

  const admin = new Store("admin");
  const more = await connected(sdk, admin, [], both);
  const synced = await more.callTool({ name: "sync_now", arguments: { source: "demo-lunary", wait_seconds: 50 } });
  says(name, "sync_now by one with both scopes", synced.content[0].text, !synced.isError);
  await more.close();
}

/** A token that a program gets by itself. */
async function token(client, audience = resource, scope = read) {
  const body = new URLSearchParams({ grant_type: "client_credentials", resource: audience, scope });
  const authorization = `Basic ${btoa(`${client}:${client}`)}`;
  const response = await fetch(`${issuer}/token`, { method: "POST", body, headers: { authorization } });
  const answer = await response.json();
  if (answer.access_token === undefined) throw new Error(JSON.stringify(answer));
  return answer.access_token;
}

/** The answer to a call with this token. */
async function call(bearer, tool = "list_sources") {
  const meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };
  const response = await fetch(resource, {
    method: "POST",
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": tool,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: tool, arguments: {}, _meta: meta } }),
  });
  return { status: response.status, asks: response.headers.get("www-authenticate") ?? "", text: await response.text() };
}
function refused(what, { status, asks, text }, expected, ...parts) {
  says("anyone", what, `${status} ${asks || text}`, status === expected && parts.every((part) => `${asks} ${text}`.includes(part)));
}

refused("no token", await call(), 401, "resource_metadata=", `scope="${read}"`);
for (const algorithm of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]) {
  const bearer = await token(algorithm);
  const { status, text } = await call(bearer);
  says("a program", `${decodeProtectedHeader(bearer).alg} as ${decodeJwt(bearer).sub}`, `${status} ${text}`,
    decodeProtectedHeader(bearer).alg === algorithm && status === 200 && text.includes('"isError":false'));
}
const good = await token("RS256");
refused("sync_now without its scope", await call(good, "sync_now"), 403, "insufficient_scope", `scope="${both}"`);
refused("a token for another server", await call(await token("RS256", "https://other.example.com/mcp")), 401, "another server");
refused("a token that came too late", await call(await token("late")), 401, "expired");
refused("a token with no scope", await call(await token("RS256", resource, "")), 403, "insufficient_scope");
const [head, , tail] = good.split(".");
const claims = { ...decodeJwt(good), sub: "admin", scope: both };
const changed = Buffer.from(JSON.stringify(claims)).toString("base64url");
refused("a token that was changed", await call(`${head}.${changed}.${tail}`), 401, "not signed with a key");
const { privateKey } = await generateKeyPair("RS256");
const forged = await new SignJWT(claims).setProtectedHeader(decodeProtectedHeader(good)).sign(privateKey);
refused("a token that another signed", await call(forged), 401, "not signed with a key");
const keys = await (await fetch(`${issuer}/jwks`)).text();
const confused = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "rsa" }).sign(new TextEncoder().encode(keys));
refused("a token signed with the public keys", await call(confused), 401, "not signed with a key");
console.log("\nall of it is as the page says");
process.exit(0);
