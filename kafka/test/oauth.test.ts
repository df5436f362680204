/** The one HTTP request for a token, against a server of the test's own that answers what it is told. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { kafkaKeys } from '../src/config.ts';
import { fetchToken } from '../src/oauth.ts';

let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (part: Buffer) => {
    body += part.toString();
  });
  request.on('end', () => answer(request, response, body));
});
before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
after(() => {
  server.close();
  server.closeAllConnections();
});

const SECRET = 'se:cr et';
function ask(change: object = {}) {
  const tokenUrl = `http://user:${encodeURIComponent(SECRET)}@127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  const { sasl } = kafkaKeys.parse({ sasl: { oauth: { tokenUrl, clientId: 'host:1', ...change } } });
  return fetchToken(sasl.oauth, { clientSecret: SECRET, ca: undefined });
}

const json = (response: ServerResponse, status: number, fields: object): void =>
  void response.writeHead(status).end(JSON.stringify(fields));

test('client and secret are encoded before they are joined, and the scope goes along', async () => {
  const seen: (string | undefined)[] = [];
  answer = (request, response, body) => {
    seen.push(request.headers.authorization, body);
    json(response, 200, { access_token: 'abc', expires_in: 60 });
  };
  assert.deepEqual(await ask({ scope: 'kafka write' }), { value: 'abc', lifeMs: 60_000 });
  assert.deepEqual(seen, [
    `Basic ${Buffer.from('host%3A1:se%3Acr%20et').toString('base64')}`,
    'grant_type=client_credentials&scope=kafka+write',
  ]);
});

test('a token whose life is not told lives five minutes', async () => {
  for (const life of [{}, { expires_in: 'soon' }, { expires_in: -1 }]) {
    answer = (_, response) => json(response, 200, { access_token: 'abc', ...life });
    assert.equal((await ask()).lifeMs, 300_000);
  }
});

const REFUSED: readonly (readonly [string, typeof answer, RegExp])[] = [
  [
    'an error',
    (_, r) => json(r, 400, { error: 'invalid_scope' }),
    /no token \(HTTP 400 invalid_scope\); set/,
  ],
  [
    'an error that is none of the protocol',
    (_, r) => json(r, 500, { error: SECRET }),
    /no token \(HTTP 500\)/,
  ],
  [
    'a redirect',
    (_, r) => void r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    /no token \(HTTP 302\)/,
  ],
  [
    'no JSON',
    (_, r) => void r.end('<html>'),
    /answers without an access_token; set kafka\.sasl\.oauth\.tokenUrl/,
  ],
  ['a token that is no text', (_, r) => json(r, 200, { access_token: 7 }), /answers without an access_token/],
  ['null', (_, r) => void r.end('null'), /answers without an access_token/],
  [
    'an answer without end',
    (_, r) => void r.end('x'.repeat(400_000)),
    /does not answer \(the answer is too long\)/,
  ],
  ['a broken connection', (q) => void q.socket.destroy(), /does not answer \(ECONNRESET\); start it, or set/],
];

for (const [what, given, message] of REFUSED) {
  test(`${what} is told in one sentence without the secret`, async () => {
    answer = given;
    await assert.rejects(ask(), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'KAFKA_TOKEN');
      assert.match(error.message, message);
      assert.ok(
        !error.message.includes(SECRET) && !error.message.includes(encodeURIComponent(SECRET)),
        error.message,
      );
      return true;
    });
  });
}
