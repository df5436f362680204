/** One connection of each state, role and family, for tests of the views that name them otherwise. */
import { EVENT_KINDS, ROLES, VERDICTS } from '@tcptrail/schemas/enums.ts';
import { SAMPLE_OWNER } from '../../../test/sample-batch.ts';
import { NOW_US } from '../../../test/spool-writer.ts';
import type { TestDatabase } from '../database.ts';

const HOST_END = { address: '10.0.0.1', port: 40_000 };
const SERVER_END = { address: '10.0.0.1', port: 80 };
const OUTSIDE = { address: '203.0.113.7', port: 443 };
const OWNERS = [{ ...SAMPLE_OWNER, container_id: '3f4e', pod_uid: '3b241101-e2bb-4255-8caf-4136c566a962' }];

export async function putEveryKind(database: TestDatabase): Promise<void> {
  const kind = (name: (typeof EVENT_KINDS)[number]): number => EVENT_KINDS.indexOf(name);
  const verdict = (name: (typeof VERDICTS)[number]): number => VERDICTS.indexOf(name);
  const [client, server] = [ROLES.indexOf('client'), ROLES.indexOf('server')];
  const out = { role: client, local: HOST_END, peer: OUTSIDE };
  await database.put({ agent_epoch: NOW_US, batch_seq: 1, owners: OWNERS }, [
    { seq: 1, kind: kind('close'), verdict: verdict('closed_local'), ...out },
    {
      seq: 2,
      kind: kind('close'),
      verdict: verdict('reset_received'),
      role: server,
      local: SERVER_END,
      peer: { address: '203.0.113.7', port: 50_000 },
    },
    {
      seq: 3,
      kind: kind('fail'),
      verdict: verdict('refused'),
      ...out,
      peer: { address: '10.0.0.2', port: 443 },
    },
    {
      seq: 4,
      kind: kind('fail'),
      verdict: verdict('timed_out'),
      role: client,
      local: { address: '2001:db8::1', port: 40_001 },
      peer: { address: '2001:db8::2', port: 443 },
    },
    { seq: 5, kind: kind('open'), ...out, role: 0 },
    {
      seq: 6,
      kind: kind('summary'),
      verdict: verdict('closed_peer'),
      role: server,
      local: SERVER_END,
      peer: { address: '203.0.113.7', port: 0 },
    },
  ]);
}
