/**
 * SASL OAUTHBEARER (RFC 7628). kafkajs has it, but takes the brokers' "no" for a "yes": they answer a token they
 * refuse with a challenge, and say why when the client has acknowledged it.
 *
 *   client  n,,^Aauth=Bearer <token>^A^A
 *   broker  empty: welcome; else {"status":"invalid_token"}
 *   client  ^A
 *   broker  SASL_AUTHENTICATION_FAILED
 */
import kafkajs, { type Mechanism } from 'kafkajs';
import type { Tokens } from './tokens.ts';

export function bearerMechanism(tokens: Tokens): Mechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }) => ({
      async authenticate() {
        const token = await tokens.current();
        try {
          const challenge = await saslAuthenticate({
            request: { encode: () => bytes(`n,,\u0001auth=Bearer ${token}\u0001\u0001`) },
            response: { decode: (answer) => answer, parse: (answer) => answer.subarray(4).toString() },
          });
          if (!challenge) return;
          await saslAuthenticate({ request: { encode: () => bytes('\u0001') } });
          throw new RefusedToken(challenge);
        } catch (error) {
          // A connection that broke says nothing of the token.
          if (error instanceof RefusedToken || /SASL/.test((error as { type?: string }).type ?? ''))
            tokens.discard();
          throw error;
        }
      },
    }),
  };
}

/** A broker said no, and nothing more when it was to say why. */
class RefusedToken extends kafkajs.KafkaJSNonRetriableError {
  override name = 'KafkaJSSASLAuthenticationError';
}

/** BYTES of the Kafka protocol: INT32 length, then these. */
function bytes(text: string): Buffer {
  const value = Buffer.from(text);
  const framed = Buffer.alloc(4 + value.length);
  framed.writeInt32BE(value.length);
  value.copy(framed, 4);
  return framed;
}
