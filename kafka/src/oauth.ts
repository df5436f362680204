/**
 * Tokens by client credentials (RFC 6749, 4.4):
 *
 *   POST tokenUrl, Basic clientId:clientSecret, grant_type=client_credentials[&scope=…]
 *   → 200 {"access_token": "…", "expires_in": seconds}, else {"error": "invalid_client"}
 *
 * Redirects are not followed: the secret is for this server alone.
 */
import { withoutLogins } from '@tcptrail/config/secret.ts';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import type { KafkaConfig } from './config.ts';
import { kafkaError } from './errors.ts';
import type { Token } from './tokens.ts';

// Imported, node:http loads fetch and WebSocket too: a tenth of a start.
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

export type OauthConfig = KafkaConfig['sasl']['oauth'];

const ANSWER_MS_MAX = 5_000;
const ANSWER_BYTES_MAX = 256 * 1024;
/** RFC 6749 only recommends that a server says it. */
const LIFE_S = 300;

/** Rejects with KAFKA_TOKEN; nothing that it says holds the secret or a token. */
export async function fetchToken(
  { tokenUrl, clientId, scope }: OauthConfig,
  secrets: { readonly clientSecret: string; readonly ca: Buffer | undefined },
): Promise<Token> {
  const shown = withoutLogins(tokenUrl);
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === '' ? {} : { scope }) });
  const answer = await post(tokenUrl, {
    body: form.toString(),
    // Each half is form-encoded before they are joined.
    login: [clientId, secrets.clientSecret].map((text) => encodeURIComponent(text)).join(':'),
    ca: secrets.ca,
  });
  const fields = fieldsOf(answer.text);
  if (answer.status !== 200) {
    const { error } = fields;
    const why = typeof error === 'string' && /^[\w.-]{1,64}$/.test(error) ? ` ${error}` : '';
    throw tokenError(
      `${shown} gives client "${clientId}" no token (HTTP ${answer.status}${why}); set kafka.sasl.oauth.clientId, clientSecretFile and scope as it knows them`,
    );
  }
  const { access_token: value, expires_in: life } = fields;
  if (typeof value !== 'string' || value === '')
    throw tokenError(`${shown} answers without an access_token; set kafka.sasl.oauth.tokenUrl`);
  const lifeS = Number(life);
  return { value, lifeMs: (lifeS > 0 ? lifeS : LIFE_S) * 1_000 };
}

export function tokenError(message: string, cause?: unknown): AppError {
  return kafkaError('KAFKA_TOKEN', message, { cause });
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function post(
  url: string,
  { body, login, ca }: { readonly body: string; readonly login: string; readonly ca: Buffer | undefined },
): Promise<Answer> {
  const request = url.startsWith('https:') ? https.request : http.request;
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const isTls = /CERT|SIGNED|ISSUER|SIGNATURE|ALTNAME/.test(error.code ?? '');
      const remedy = isTls
        ? 'set kafka.sasl.oauth.caFile to the authority that signed it'
        : 'start it, or set kafka.sasl.oauth.tokenUrl';
      reject(
        tokenError(
          `${withoutLogins(url)}, which gives tokens for Kafka, does not answer (${error.code ?? error.message}); ${remedy}`,
          error,
        ),
      );
    };
    const sent = request(
      url,
      {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(login).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
        },
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
        ...(ca ? { ca } : {}),
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
          if (text.length > ANSWER_BYTES_MAX) response.destroy(new Error('the answer is too long'));
        });
        response.on('error', failed);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    sent.on('error', failed);
    sent.end(body);
  });
}
