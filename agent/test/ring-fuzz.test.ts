import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import { AVRO_OWNER_FIELDS, avroFields, EVENT_FIELDS } from '@tcptrail/schemas/fields.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { BATCH_TYPE } from '../../test/avsc-oracle.ts';
import { createRandom, type Random } from '../../test/random.ts';
import { BOOT_US, randomEvent } from '../../test/random-event.ts';
import { readRecord } from '../../test/ring-oracle.ts';
import { createAccount } from '../src/encode/account.ts';
import { createBatchBuilder } from '../src/encode/batch-builder.ts';
import { createBatcher } from '../src/encode/batcher.ts';
import { createOwners } from '../src/enrich/owners.ts';
import { type Mutant, mutate } from './support/mutate.ts';
import { createPoisonedRing } from './support/poisoned-ring.ts';

const RECORDS = Number(process.env['TCPTRAIL_TEST_EVENTS'] ?? 50_000);
const PER_DRAIN = 125;
const CPUS = 3;
const MACHINE = { cpus: CPUS, bootUs: BOOT_US };
const DISCARDED = 0x4000_0000;
const NO_FACTS = {
  executable: '',
  command_line: '',
  parent_executable: '',
  cgroup_path: '',
  container_id: '',
  pod_uid: '',
  systemd_unit: '',
  process_network_namespace: 0,
};
const FROM_KERNEL = (({ stage }) => stage === 'kernel') satisfies (field: { stage: string }) => boolean;
const EVENT_NAMES = avroFields(EVENT_FIELDS)
  .filter(FROM_KERNEL)
  .map(({ name }) => name);
const OWNER_NAMES = AVRO_OWNER_FIELDS.filter(FROM_KERNEL).map(({ name }) => name);

type Values = Readonly<Record<string, unknown>>;
interface Batch {
  readonly events: readonly Values[];
  readonly owners: readonly Values[];
}

/** Everything behind the ring that makes a batch of records, and the batches as avsc reads them. */
function createEncoder() {
  const account = createAccount();
  const batches: Batch[] = [];
  let bad = 0;
  const onBad = (count = 1): void => {
    bad += count;
    account.bad();
  };
  const builder = createBatchBuilder(
    { rowsMax: 70, bytesMax: 1_000_000, cpus: CPUS },
    {
      owners: createOwners(
        { agentPid: 0, supervisorPid: 0 },
        { facts: () => NO_FACTS, clockOffsetUs: () => BOOT_US },
      ),
      clockOffsetUs: () => BOOT_US,
      onRow: account.row,
      onBad,
      resetReason: () => '',
    },
  );
  const identity = { host_name: '', host_id: '', boot_id: '', agent_version: '', kernel_release: '' };
  const batcher = createBatcher(
    { ...identity, agent_epoch: 1, labels: {} },
    {
      builder,
      nowUs: () => BOOT_US,
      accounting: () => ({
        kernel_epoch: 1,
        ring_positions: [],
        cpus: account.cpus({}),
        failed_reserves: [],
        rules: [],
        programs: [],
      }),
      namespaces: () => [],
      onBatch: ({ datum }) => batches.push(BATCH_TYPE.fromBuffer(Buffer.from(datum)) as Batch),
    },
  );
  return {
    account,
    batcher,
    onBad,
    take(words: Uint32Array, bytes: Uint8Array, at: number): void {
      if (builder.isFull()) batcher.flush();
      builder.append(words, bytes, at);
    },
    get bad() {
      return bad;
    },
    takeBatches: () => batches.splice(0),
  };
}

/** What must become of records that are drained at once. */
function fateOf(mutants: readonly Mutant[]): { good: Values[]; bad: number; givenUp: number } {
  const fate = { good: [] as Values[], bad: 0, givenUp: 0 };
  const isWhole = (mutant: Mutant | undefined): boolean =>
    mutant !== undefined && (mutant.header & ~DISCARDED) === RING_EVENT_BYTES;
  for (const [index, mutant] of mutants.entries()) {
    if (!isWhole(mutant)) {
      // Behind two in a row, or the last, nothing tells where the next record begins.
      const isFollowed = isWhole(mutants[index + 1]);
      fate.bad += isFollowed ? 1 : mutants.length - index;
      if (!isFollowed) break;
    } else if (mutant.header & DISCARDED) {
      fate.givenUp += 1;
    } else {
      const values = readRecord(mutant.record, MACHINE);
      if (values) fate.good.push(values);
      else fate.bad += 1;
    }
  }
  return fate;
}

function mutantsOf(random: Random, models: readonly Uint8Array[], numbered: number[]): Mutant[] {
  return Array.from({ length: PER_DRAIN }, () => {
    const record = Buffer.from(random.pick(models));
    const cpu = random.below(CPUS);
    numbered[cpu] = (numbered[cpu] ?? 0) + 1;
    record.writeUInt16LE(cpu, RING.cpu);
    record.writeBigUInt64LE(BigInt(numbered[cpu] ?? 0), RING.seq);
    return mutate(random, record);
  });
}

/** Names of the fields in which two differ. */
function differences(names: readonly string[], read: Values | undefined, expected: Values): string[] {
  return names.filter((name) => {
    const [a, b] = [read?.[name], expected[name]];
    if (Buffer.isBuffer(a)) return !Buffer.isBuffer(b) || !a.equals(b);
    return a !== b && !(typeof a === 'number' && BigInt(a) === b);
  });
}

function assertRows(batches: readonly Batch[], good: readonly Values[]): void {
  const rows = batches.flatMap(({ events, owners }) =>
    events.map((event) => ({ event, owner: owners[Number(event['owner'])] })),
  );
  assert.equal(rows.length, good.length);
  for (const [index, expected] of good.entries()) {
    assert.deepEqual(differences(EVENT_NAMES, rows[index]?.event, expected), []);
    assert.deepEqual(differences(OWNER_NAMES, rows[index]?.owner, expected), []);
  }
}

test(`each of ${RECORDS} mutated records is a row as the ring held it, or is counted; the account balances`, () => {
  const random = createRandom(20261125);
  const ring = createPoisonedRing();
  const encoder = createEncoder();
  const models = Array.from({ length: 1_000 }, () => randomEvent(random, 1).ring);
  const numbered: number[] = [];
  const total = { good: 0, bad: 0, givenUp: 0 };
  for (let fed = PER_DRAIN; fed <= RECORDS; fed += PER_DRAIN) {
    const mutants = mutantsOf(random, models, numbered);
    const fate = fateOf(mutants);
    total.good += fate.good.length;
    total.bad += fate.bad;
    total.givenUp += fate.givenUp;

    ring.write(mutants);
    encoder.account.begin(numbered.map((seq, cpu) => ({ cpu, seq, failed: 0, folded: 0, filtered: 0 })));
    const badBefore = ring.reader.badRecords;
    ring.reader.drain(ring.reader.producerPosition(), encoder.take);
    ring.reader.release();
    if (ring.reader.badRecords > badBefore) encoder.onBad(ring.reader.badRecords - badBefore);
    encoder.account.complete();
    encoder.batcher.flush();

    assertRows(encoder.takeBatches(), fate.good);
    assert.equal(encoder.bad, total.bad);
    assert.equal(total.good + total.bad + total.givenUp, fed);
    const sum = (...members: readonly (keyof CpuAccount)[]): number =>
      encoder.account
        .cpus({})
        .flatMap((account) => members.map((member) => account[member]))
        .reduce((all, number) => all + number, 0);
    assert.equal(sum('rows', 'rows_ahead'), total.good);
    assert.equal(sum('seq_last'), sum('rows', 'failed'));
  }
  assert.ok(total.good > 0 && total.bad > 0 && total.givenUp > 0);
});
