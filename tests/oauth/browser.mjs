// A person with a browser: follows an issuer's pages, signs in, consents, and comes back with a code.

/** The address that the issuer sends the browser back to, with its query. */
export async function signIn(address, person, home) {
  const jar = new Map();
  let request = { url: new URL(address), method: "GET" };
  for (let pages = 0; pages < 20; pages += 1) {
    const response = await fetch(request.url, {
      method: request.method,
      body: request.body,
      redirect: "manual",
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    const text = await response.text();
    const next = response.headers.get("location");
    if (next !== null) {
      const url = new URL(next, request.url);
      if (url.href.startsWith(home)) return url;
      request = { url, method: "GET" };
      continue;
    }
    const form = /<form[^>]*action="([^"]+)"[^>]*>([^]*?)<\/form>/.exec(text);
    if (form === null) throw new Error(`${response.status} at ${request.url.pathname}: ${text.slice(0, 300)}`);
    const prompt = /name="prompt" value="([^"]+)"/.exec(form[2])[1];
    const body = new URLSearchParams({ prompt, ...(prompt === "login" ? { login: person, password: "any" } : {}) });
    request = { url: new URL(form[1], request.url), method: "POST", body };
  }
  throw new Error("the issuer's pages do not end");
}
