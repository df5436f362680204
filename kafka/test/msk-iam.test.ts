/** Signed by AWS's own library where it is installed, with credentials that are none. Never run against AWS. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaKeys } from '../src/config.ts';
import { fetchMskToken } from '../src/msk-iam.ts';

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-of-the-test' };

async function withEnvironment<T>(env: Readonly<Record<string, string>>, use: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    return await use();
  } finally {
    process.env = before;
  }
}

test('the token is a signed request of this region and this key, and lives a quarter of an hour', async () => {
  const { value, lifeMs } = await withEnvironment(CREDENTIALS, () => fetchMskToken('eu-central-1'));
  const url = new URL(Buffer.from(value, 'base64url').toString());
  assert.equal(url.host, 'kafka.eu-central-1.amazonaws.com');
  assert.equal(url.searchParams.get('Action'), 'kafka-cluster:Connect');
  assert.match(
    url.searchParams.get('X-Amz-Credential') ?? '',
    /^AKIAEXAMPLE\/\d{8}\/eu-central-1\/kafka-cluster\/aws4_request$/,
  );
  assert.match(url.searchParams.get('X-Amz-Signature') ?? '', /^[0-9a-f]{64}$/);
  assert.ok(lifeMs > 0 && lifeMs <= 900_000, `${lifeMs} ms`);
  assert.doesNotMatch(url.href, /secret-of-the-test/);
});

test('without a region it is told which key gives it', async () => {
  await assert.rejects(fetchMskToken(''), {
    code: 'KAFKA_TOKEN',
    message: /^kafka\.sasl\.awsRegion is not set/,
  });
});

test('without the package it is told how to have it', async () => {
  await assert.rejects(
    fetchMskToken('eu-central-1', async () => {
      throw new Error('ERR_MODULE_NOT_FOUND');
    }),
    { code: 'KAFKA_TOKEN', message: /needs the npm package aws-msk-iam-sasl-signer-js; run 'npm install/ },
  );
});

test('credentials that AWS does not give are told without what was tried', async () => {
  const signer = {
    async generateAuthToken(): Promise<never> {
      throw Object.assign(new Error('secret-of-the-test'), { name: 'CredentialsProviderError' });
    },
  };
  await assert.rejects(
    fetchMskToken('eu-central-1', async () => signer),
    { code: 'KAFKA_TOKEN', message: /no credentials for Kafka \(CredentialsProviderError\); give it a role/ },
  );
});

test('a region that is none is refused', () => {
  assert.ok(kafkaKeys.safeParse({ sasl: { mechanism: 'aws-msk-iam', awsRegion: 'us-gov-west-1' } }).success);
  assert.ok(!kafkaKeys.safeParse({ sasl: { mechanism: 'aws-msk-iam', awsRegion: 'Frankfurt' } }).success);
});
