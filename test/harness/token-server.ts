/** A token endpoint of a test's own: client credentials for signed JWTs, and the key that brokers check them with. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const AUDIENCE = 'kafka-of-the-test';
const LIFE_S = 3_600;
export const ISSUER = 'token-server-of-the-test';

export interface TokenServer {
  readonly tokenUrl: string;
  readonly jwksUrl: string;
  /** Requests for a token that were answered with one. */
  readonly given: number;
  /** Of the tokens to come. */
  audience: string;
  stop(): void;
}

/** Knows one client, by its name and secret. */
export async function startTokenServer(client: {
  readonly id: string;
  readonly secret: string;
}): Promise<TokenServer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'RS256' };
  const state = { given: 0, audience: AUDIENCE };

  function token(): string {
    const nowS = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: ISSUER,
      sub: client.id,
      aud: state.audience,
      scope: 'kafka',
      iat: nowS,
      exp: nowS + LIFE_S,
    };
    const text = [{ alg: 'RS256', typ: 'JWT', kid: 'test' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    return `${text}.${sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url')}`;
  }

  const server = createServer((request, response) => {
    const answer = (status: number, body: object): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/jwks') return answer(200, { keys: [jwk] });
    let form = '';
    request.on('data', (part: Buffer) => {
      form += part.toString();
    });
    request.on('end', () => {
      const asked = new URLSearchParams(form);
      const login = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`;
      if (request.method !== 'POST' || asked.get('grant_type') !== 'client_credentials')
        return answer(400, { error: 'unsupported_grant_type' });
      if (request.headers.authorization !== login) return answer(401, { error: 'invalid_client' });
      state.given += 1;
      answer(200, { access_token: token(), token_type: 'Bearer', expires_in: LIFE_S });
    });
  });
  await new Promise<void>((resolve) => server.unref().listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, {
    tokenUrl: `${url}/token`,
    jwksUrl: `${url}/jwks`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  });
}
