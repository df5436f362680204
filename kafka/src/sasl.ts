/** The login that the section `kafka.sasl` asks for, with secrets as their files hold them at each login. */
import { firstLineOf } from '@tcptrail/config/secret.ts';
import type { Mechanism, SASLOptions } from 'kafkajs';
import { bearerMechanism } from './bearer.ts';
import type { KafkaConfig } from './config.ts';
import { keepUpWith, type OnUnfit } from './kept.ts';
import { fetchMskToken } from './msk-iam.ts';
import { readNamed } from './named-file.ts';
import { fetchToken } from './oauth.ts';
import { createTokens } from './tokens.ts';

type SaslConfig = KafkaConfig['sasl'];

/** Undefined when the listener asks for none. Throws KAFKA_FILE, CONFIG_SECRET_UNREADABLE. */
export function createLogin(
  { mechanism, username, oauth, awsRegion, ...password }: SaslConfig,
  { onUnfit }: { readonly onUnfit: OnUnfit },
): SASLOptions | Mechanism | undefined {
  switch (mechanism) {
    case 'none':
      return undefined;
    case 'oauthbearer': {
      const secretNow = secretOf(
        { key: 'kafka.sasl.oauth.clientSecretFile', file: oauth.clientSecretFile, value: oauth.clientSecret },
        onUnfit,
      );
      const caNow = caOf(oauth.caFile, onUnfit);
      return bearerMechanism(
        createTokens(() => fetchToken(oauth, { clientSecret: secretNow(), ca: caNow() })),
      );
    }
    case 'aws-msk-iam':
      return bearerMechanism(createTokens(() => fetchMskToken(awsRegion || process.env['AWS_REGION'] || '')));
    default: {
      const passwordNow = secretOf(
        { key: 'kafka.sasl.passwordFile', file: password.passwordFile, value: password.password },
        onUnfit,
      );
      return {
        mechanism,
        username,
        // kafkajs reads it at each login.
        get password() {
          return passwordNow();
        },
      } as SASLOptions;
    }
  }
}

function secretOf(
  { key, file, value }: { readonly key: string; readonly file: string; readonly value: string },
  onUnfit: OnUnfit,
): () => string {
  return file === '' ? () => value : keepUpWith([file], { read: () => firstLineOf(file, key), onUnfit });
}

function caOf(file: string, onUnfit: OnUnfit): () => Buffer | undefined {
  if (file === '') return () => undefined;
  return keepUpWith([file], { read: () => readNamed('kafka.sasl.oauth.caFile', file), onUnfit });
}
