// A real issuer of tokens: issuer.mjs PORT RESOURCE PROJECT. Whoever signs in as `acme` has one project, others have all.
import { generateKeyPair, exportJWK } from "jose";
import Provider from "oidc-provider";

const [port, resource, project] = process.argv.slice(2);
const scopes = "visibility:read visibility:sync";
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

const keys = [];
for (const [kid, alg] of [["rsa", "RS256"], ["p256", "ES256"], ["p384", "ES384"], ["ed", "EdDSA"]]) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  keys.push({ ...(await exportJWK(privateKey)), kid, use: "sig" });
}

// A program for each way to sign, and one whose tokens come too late.
const program = (name) => ({
  client_id: name, client_secret: name, grant_types: ["client_credentials"], redirect_uris: [], response_types: [],
});

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys },
  clients: [...algorithms, "late"].map(program),
  scopes: ["openid", ...scopes.split(" ")],
  cookies: { keys: ["of this test alone"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  extraTokenClaims: (_, token) => ({ projects: token.accountId === "acme" ? [project] : "*" }),
  features: {
    clientCredentials: { enabled: true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, audience, client) => ({
        scope: scopes,
        audience,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: algorithms.includes(client.clientId) ? client.clientId : "RS256" } },
      }),
    },
  },
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  formats: {
    customizers: {
      jwt: (_, token, jwt) => {
        if (token.clientId === "late") jwt.payload.exp = jwt.payload.iat - 60;
        return jwt;
      },
    },
  },
});
provider.listen(Number(port), "127.0.0.1", () => console.log(`issuer of tokens for ${resource}`));
