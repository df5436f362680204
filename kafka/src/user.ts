/** Who the brokers are told that the client is. */
import type { KafkaConfig } from './config.ts';

export function userOf({ mechanism, username, oauth }: KafkaConfig['sasl']): string {
  switch (mechanism) {
    case 'none':
      return 'ANONYMOUS';
    case 'oauthbearer':
      return oauth.clientId;
    case 'aws-msk-iam':
      return 'of AWS IAM';
    default:
      return username;
  }
}
