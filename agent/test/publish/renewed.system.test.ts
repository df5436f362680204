import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createTestAgent } from '../../../test/harness/agent.ts';
import { type Certificate, createAuthority, tlsListener } from '../../../test/harness/certificates.ts';
import { startKafka, type TestKafka } from '../../../test/harness/kafka.ts';
import { until } from '../../../test/harness/until.ts';
import { temporaryFolder } from '../../../test/spool-writer.ts';

const folder = temporaryFolder();
const authority = createAuthority(folder);
const stranger = createAuthority(folder, 'stranger');

let kafka: TestKafka;
before(async () => {
  const broker = { store: authority.issue('broker'), caFile: authority.caFile, auth: 'required' } as const;
  kafka = await startKafka({ listeners: { MTLS: 'SSL' }, set: tlsListener('MTLS', broker) });
});
after(() => kafka?.stop());

/** Where the agent looks; for root alone, as keys are. */
const [certFile, keyFile] = [join(folder, 'client-now.pem'), join(folder, 'client-now.key')];
function put(made: Certificate): void {
  for (const [from, to] of [
    [made.certFile, certFile],
    [made.keyFile, keyFile],
  ] as const) {
    copyFileSync(from, to);
    chmodSync(to, 0o600);
  }
}

test('an agent that is no longer root goes on with the certificate that was renewed beneath it', async () => {
  put(authority.issue('first'));
  const agent = createTestAgent(join(folder, 'agent'), {
    privilege: { user: 'nobody' },
    publish: { enabled: true, retryWaitMsMax: 1_000 },
    kafka: {
      brokers: kafka.listeners['MTLS'],
      tls: { enabled: true, caFile: authority.caFile, certFile, keyFile },
    },
  });
  try {
    await agent.start();
    await agent.part.said('publishing to');
    assert.doesNotMatch(readFileSync(`/proc/${agent.part.pid}/status`, 'utf8'), /^Uid:\s+0\s/m);
    put(stranger.issue('second'));
    await kafka.kill();
    await kafka.start();
    await agent.part.said("refuses the client's certificate");
    put(authority.issue('third'));
    await until('what waited to be published', () => agent.isRead('kafka'));
    assert.doesNotMatch(agent.part.output(), /cannot be read/);
  } finally {
    await agent.stop();
  }
});
