/** Another version of the programs takes the place of one that records. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RING_LAYOUT } from '@tcptrail/schemas/generated/ring.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { python } from './support/python.ts';
import { type RingRecord, recordAt } from './support/record.ts';
import { startRecorder } from './support/recorder.ts';

const BPF = join(import.meta.dirname, '../../../bpf');
const SHIFT = 8;

/** The object of a version whose records begin with a member that this one does not know. */
function otherVersion(context: TestContext): string {
  const folder = join(tempFolder(context), 'bpf');
  cpSync(BPF, folder, { recursive: true });
  rmSync(join(folder, 'tcptrail.bpf.o'));
  const header = join(folder, 'event.gen.h');
  const [bytes, ...members] = RING_LAYOUT.split(' ');
  const moved = members.map((member) => member.replace(/:(\d+):/, (_, at) => `:${Number(at) + SHIFT}:`));
  const layout = [Number(bytes) + SHIFT, `spare:0:${SHIFT}`, ...moved].join(' ');
  const text = readFileSync(header, 'utf8')
    .replaceAll(/^_Static_assert\(.*\n/gm, '')
    .replace('struct tcptrail_event {\n', 'struct tcptrail_event {\n\t__u64 spare;\n')
    .replace(/#define TCPTRAIL_RECORD_LAYOUT.*?\n\n/s, `#define TCPTRAIL_RECORD_LAYOUT "${layout}"\n\n`);
  writeFileSync(header, text);
  execFileSync('make', ['-C', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  return join(folder, 'tcptrail.bpf.o');
}

const CONNECT = `
l = listener(); held = socket.create_connection(l.getsockname()); h, _ = l.accept()
say([l.getsockname()[1], held.getsockname()[1]])
while True:
    for i in range(20):
        s = socket.create_connection(l.getsockname()); c, _ = l.accept(); s.close(); c.close()
    say(i)
    if hear() == 'end': break
held.close(); h.close()
say(0)
`;

test('a version with other records takes over under load: each end is told once, and what is held keeps its identity', async (t) => {
  const objectPath = otherVersion(t);
  let recorder = await startRecorder({ objectPath });
  const peer = python(CONNECT);
  const [port, heldPort] = await peer.line<readonly [number, number]>();
  const of = (records: readonly RingRecord[], kind: string): readonly RingRecord[] =>
    records.filter(
      (record) => record.kind === kind && (record.local_port === port || record.peer_port === port),
    );
  let rounds = 0;
  const round = async (word = 'go'): Promise<void> => {
    await peer.line();
    rounds += 1;
    peer.tell(word);
  };
  const told: RingRecord[] = [];
  try {
    await round();
    for (const [from, to] of [
      [objectPath, undefined],
      [undefined, objectPath],
      [objectPath, undefined],
    ] as const) {
      await round();
      await recorder.drain();
      told.push(...recorder.records);
      // Under way while the programs change; nobody reads what comes until then.
      const under = Promise.all([round(), round(), round()]);
      recorder.close('restart');
      recorder = await startRecorder({ instance: recorder.instance, ...(to && { objectPath: to }) });
      await under;
      const { previous, recording } = recorder.trace;
      assert.deepEqual([recording.isResumed, previous.length, from === to], [false, 1, false]);
      for (const { kernelEpoch, rings } of previous) {
        for (const ring of [rings.lifecycle, rings.chatter])
          ring.drain(ring.producerPosition(), (_words, bytes, at) => {
            told.push(recordAt(bytes, at));
          });
        recorder.trace.forget(kernelEpoch);
      }
    }
    await round('end');
    await peer.line();
    await recorder.drain();
    told.push(...recorder.records);
    const closes = of(told, 'close');
    const names = closes.map(({ socket_cookie, generation }) => `${socket_cookie}/${generation}`);
    assert.equal(new Set(names).size, names.length, 'told once');
    // Both ends of each, and of the one that was held.
    assert.equal(names.length, 2 * (20 * rounds + 1));
    const held = told.filter(
      ({ local_port, peer_port }) => local_port === heldPort || peer_port === heldPort,
    );
    const identities = held.map(({ socket_cookie, generation, pid, start_ts }) =>
      [socket_cookie, generation, pid, start_ts].join(),
    );
    assert.deepEqual([new Set(identities).size, of(held, 'close').length], [2, 2]);
  } finally {
    peer.kill();
    recorder.close();
  }
});
