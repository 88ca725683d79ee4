// A real OpenID Connect provider next to the server: it authenticates any national ID that is entered.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { until } from './wait.mjs';

export const KEY = 'vneid';
export const NAME = 'VNeID';

const CLIENT = { id: 'handbook', secret: 'a secret of the tests & nobody else' };

/** One provider for one server; can be stopped and restarted at the same address. */
export class Provider {
  #provider;
  #http;
  #port;

  /** @param {string} origin where the handbook is, and may be returned to */
  static async start(origin, port) {
    const provider = new Provider();
    provider.#port = port;
    provider.issuer = `http://127.0.0.1:${port}`;
    provider.#provider = await make(provider.issuer, origin);
    await provider.start();
    return provider;
  }

  /** The content of the handbook's configuration file. */
  settings(origin) {
    return [
      `origin = ${JSON.stringify(origin)}`,
      '[[provider]]',
      `key = "${KEY}"`,
      `name = "${NAME}"`,
      `issuer = "${this.issuer}"`,
      `client_id = "${CLIENT.id}"`,
      `client_secret = ${JSON.stringify(CLIENT.secret)}`,
      '',
    ].join('\n');
  }

  async start() {
    const handle = this.#provider.callback();
    this.#http = createServer((request, response) => {
      if (request.url.startsWith('/interaction/')) void interact(this.#provider, request, response);
      else handle(request, response);
    });
    this.#http.listen(this.#port, '127.0.0.1');
    await until('the provider listens', () => this.#http.listening);
  }

  async stop() {
    this.#http.closeAllConnections();
    await new Promise((done) => this.#http.close(done));
  }
}

async function make(issuer, origin) {
  // Loaded lazily: most single tests need no provider.
  const { default: OidcProvider } = await import('oidc-provider');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new OidcProvider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [`${origin}/sign-in/callback/${KEY}`],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    claims: { openid: ['sub', 'national_id'] },
    conformIdTokenClaims: false,
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, national_id: id }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    loadExistingGrant: consent,
    pkce: { required: () => true },
  });
  provider.on('server_error', (_, error) => console.error(`the provider failed: ${error.stack}`));
  return provider;
}

/** Grants consent: that is the provider's concern, and tested there. */
async function consent({ oidc }) {
  const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  grant.addOIDCScope('openid');
  await grant.save();
  return grant;
}

/** The provider's own page: the national ID and a button, or a way to cancel. */
async function interact(provider, request, response) {
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(`<!DOCTYPE html><html lang="en"><title>${NAME}</title><main><h1>${NAME}</h1>
      <form method="post"><label>ID <input name="national_id" autocomplete="off"></label>
      <button type="submit" name="answer" value="yes">Sign in</button>
      <button type="submit" name="answer" value="no">Cancel</button></form></main></html>`);
    return;
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const form = new URLSearchParams(body);
  const result =
    form.get('answer') === 'yes'
      ? { login: { accountId: form.get('national_id') } }
      : { error: 'access_denied', error_description: 'broken off' };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}
