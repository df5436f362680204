/**
 * Tokens of AWS MSK's IAM login: requests that AWS's own library signs with whatever credentials this host has.
 *
 * The library is 29 MB with what it needs, so it is no dependency: who uses it installs it, and nobody else pays.
 * Never run against AWS; its signing is tested, and the login is that of OAUTHBEARER.
 */
import { tokenError } from './oauth.ts';
import type { Token } from './tokens.ts';

const PACKAGE = 'aws-msk-iam-sasl-signer-js';

interface Signer {
  generateAuthToken(options: { readonly region: string }): Promise<{ token: string; expiryTime: number }>;
}

/** Rejects with KAFKA_TOKEN. */
export async function fetchMskToken(
  region: string,
  load: () => Promise<Signer> = () => import(PACKAGE) as Promise<Signer>,
): Promise<Token> {
  if (region === '')
    throw tokenError(
      'kafka.sasl.awsRegion is not set; give the region of the cluster, there or as AWS_REGION',
    );
  const signer = await load().catch((error: unknown) => {
    throw tokenError(
      `kafka.sasl.mechanism aws-msk-iam needs the npm package ${PACKAGE}; run 'npm install --no-save ${PACKAGE}' where tcptrail is`,
      error,
    );
  });
  try {
    const { token, expiryTime } = await signer.generateAuthToken({ region });
    return { value: token, lifeMs: expiryTime - Date.now() };
  } catch (error) {
    const { name = '' } = error as Error;
    throw tokenError(
      `AWS gives this host no credentials for Kafka (${name}); give it a role, or AWS_PROFILE`,
      error,
    );
  }
}
