/** Keys of the agent's configuration, /etc/tcptrail/agent.yaml. `make gen` writes docs/config.md from them. */
import type { ConfigOf } from '@tcptrail/config/load.ts';
import {
  AT_START,
  absolutePath,
  KIB,
  LIVE,
  loopback,
  MIB,
  metricsSection,
  powerOfTwo,
} from '@tcptrail/config/value.ts';
import { kafkaSection } from '@tcptrail/kafka/config.ts';
import { z } from 'zod';
import { guestSection } from './guest/config.ts';
import { LEVELS } from './log.ts';
import { privacyKeys, processKeys } from './privacy/config.ts';
import { budgetSection, filterRules, foldSection } from './reduce/config.ts';

const label = (what: string) => z.string().max(256).default('').describe(`Label of every row: ${what}.`);

/** Most that `batch.bytesMax` may be. */
export const BATCH_BYTES_MAX = 8 * MIB;

/** Each key, or its section, says whether a change is taken at SIGHUP or at the next start. */
const agentKeys = z.strictObject({
  instance: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
    .meta({ rule: '1 to 32 of a-z, 0-9 and -, not beginning with -' })
    .default('default')
    .meta(AT_START)
    .describe('Names the kernel state and the lock; a second agent on one host needs another.'),
  hostId: z
    .string()
    .max(128)
    .default('')
    .meta(AT_START)
    .describe('Identity of this host; empty = the machine id.'),
  hostName: z
    .string()
    .max(253)
    .default('')
    .meta(AT_START)
    .describe('Name of this host; empty = the name the kernel gives.'),
  profile: z
    .enum(['default', 'fleet'])
    .meta({ presets: { fleet: { fold: { enabled: true }, events: { updateMs: 300_000 } } } })
    .default('default')
    .meta(LIVE)
    .describe(
      'fleet sets fold.enabled to true and events.updateMs to 300000, unless they are given: for thousands of hosts.',
    ),
  labels: z
    .strictObject({
      account: label('cloud account or tenant'),
      region: label('region'),
      zone: label('zone'),
      team: label('who owns this host'),
      service: label('what this host serves'),
      environment: label('as production or staging'),
    })
    .meta(LIVE)
    .prefault({}),
  ring: z
    .strictObject({
      lifecycleBytes: powerOfTwo(64 * KIB, 1024 * MIB)
        .default(16 * MIB)
        .describe(
          'Size of the ring for opened, failed and closed connections; 16 MiB hold some 17,000, both ends on the host, while no agent reads them, as during a restart.',
        ),
      chatterBytes: powerOfTwo(64 * KIB, 1024 * MIB)
        .default(4 * MIB)
        .describe('Size of the ring for what comes in storms, as retransmits.'),
    })
    .meta(AT_START)
    .prefault({}),
  events: z
    .strictObject({
      openHoldMs: z
        .int()
        .min(0)
        .max(3_600_000)
        .default(1_000)
        .describe(
          'Milliseconds a connection lives before it gets an open; shorter ones have a close alone. 0 = at once.',
        ),
      updateMs: z
        .int()
        .min(0)
        .max(86_400_000)
        .default(60_000)
        .describe(
          'Milliseconds between two updates of a connection whose counters moved, to the next pass (scanMs); 0 = none but one of each connection that is older than the agent.',
        ),
      retransmitsPerSecond: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(50)
        .describe(
          'Retransmissions of one connection told one by one in a second; all are counted. 0 = no limit.',
        ),
      scanMs: z
        .int()
        .min(100)
        .max(600_000)
        .default(5_000)
        .describe(
          'Milliseconds between two looks for quiet connections, updates, listeners and half-open handshakes.',
        ),
    })
    .meta(LIVE)
    .prefault({}),
  restart: z
    .strictObject({
      absentMs: z
        .int()
        .min(1_000)
        .max(86_400_000)
        .default(600_000)
        .describe(
          'Milliseconds the kernel goes on recording for an agent that does not come back; then its programs return at once.',
        ),
    })
    .meta(AT_START)
    .prefault({}),
  batch: z
    .strictObject({
      rowsMax: z.int().min(1).max(10_000).default(2_000).describe('Rows after which a batch is closed.'),
      bytesMax: z
        .int()
        .min(16 * KIB)
        .max(BATCH_BYTES_MAX)
        .default(900_000)
        .describe('Bytes after which a batch is closed.'),
      flushMs: z
        .int()
        .min(10)
        .max(60_000)
        .default(500)
        .describe('Milliseconds after which a batch with rows is closed.'),
      heartbeatMs: z
        .int()
        .min(100)
        .max(20_000)
        .default(10_000)
        .describe(
          'Milliseconds between batches that carry the health of the agent, with or without rows; after 30 s without one a host counts as silent.',
        ),
    })
    .meta(LIVE)
    .prefault({}),
  fold: foldSection.meta(LIVE),
  filters: filterRules.meta(LIVE),
  budget: budgetSection.meta(LIVE),
  spool: z
    .strictObject({
      path: absolutePath()
        .default('/var/spool/tcptrail')
        .describe('Folder of the spool; the consumer of this host reads the same.'),
      segmentBytes: z
        .int()
        .min(64 * KIB)
        .max(1024 * MIB)
        .default(16 * MIB)
        .describe('Size at which a file of the spool is full.'),
      bytesMax: z
        .int()
        .min(256 * KIB)
        .max(1024 * 1024 * MIB)
        .default(512 * MIB)
        .describe('Size of the whole spool; beyond it the oldest file is dropped, and counted.'),
      ageMaxMs: z
        .int()
        .min(0)
        .max(315_360_000_000)
        .default(604_800_000)
        .describe(
          'Milliseconds a file of the spool waits to be read; then it is dropped, and counted. Time that the machine is off does not count. 0 = no limit.',
        ),
      fsyncMs: z
        .int()
        .min(0)
        .max(60_000)
        .default(1_000)
        .describe(
          'Milliseconds between two fsync; 0 = never, a power loss then costs what was not yet written.',
        ),
    })
    .meta(AT_START)
    .prefault({}),
  publish: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .meta(AT_START)
        .describe('Whether batches go to Kafka; if not, a consumer on this host reads the spool.'),
      stopWaitMsMax: z
        .int()
        .min(0)
        .max(600_000)
        .default(5_000)
        .describe('Milliseconds to send what is left at the end; the next start sends the rest.'),
      retryWaitMsMax: z
        .int()
        .min(1_000)
        .max(3_600_000)
        .default(30_000)
        .describe(
          'Milliseconds between two tries to reach Kafka, at most: each waits a random part of it, so that a fleet comes back evenly over it.',
        ),
      replaySpeedMax: z
        .number()
        .min(0)
        .max(1_000)
        .refine((value) => value === 0 || value > 1, 'must be 0 or more than 1')
        .default(4)
        .describe(
          'A backlog goes out at most so many times as fast as it was recorded: after an outage of an hour 4 needs 20 minutes, 2 an hour. 0 = no limit.',
        ),
    })
    .meta(LIVE)
    .prefault({}),
  kafka: kafkaSection.meta(AT_START),
  process: processKeys.prefault({}),
  privacy: privacyKeys.prefault({}),
  guest: guestSection,
  log: z
    .strictObject({
      level: z
        .enum(LEVELS)
        .default('info')
        .describe('Least weight of a line of the log, once the agent runs.'),
    })
    .meta(LIVE)
    .prefault({}),
  privilege: z
    .strictObject({
      user: z
        .string()
        .max(64)
        .default('tcptrail')
        .describe(
          'User that the agent becomes once it is attached: a name, or uid:gid. Empty = it goes on as it was started.',
        ),
    })
    .meta(AT_START)
    .prefault({}),
  own: z
    .strictObject({
      supervisorPid: z
        .int()
        .min(0)
        .default(0)
        .describe(
          "Process whose children are tcptrail's own parts; 0 = none. 'tcptrail up' sets it in the environment.",
        ),
    })
    .meta(AT_START)
    .prefault({}),
  // What an agent tells of a host is for that host alone.
  metrics: metricsSection({ port: 9480, zero: 'no listener', host: loopback() }).meta(AT_START),
});

export const AGENT_CONFIG = agentKeys
  .refine(({ fold, events }) => !fold.enabled || events.openHoldMs > 0, {
    path: ['events', 'openHoldMs'],
    message:
      'must be 1 or more while connections are folded, as each has an open of its own at 0; or set fold.enabled to false, which profile fleet sets to true',
  })
  .refine(({ fold, batch }) => !fold.enabled || fold.windowMs <= batch.heartbeatMs, {
    path: ['fold', 'windowMs'],
    message: 'must not be above batch.heartbeatMs: a heartbeat closes the batch',
  })
  .refine(
    ({ process, privacy }) => !process.commandLine || (privacy.uid === 'keep' && privacy.peers === 'keep'),
    'a command line names users and peers: set process.commandLine to false, or both privacy.uid and privacy.peers to keep',
  );

export type AgentConfig = ConfigOf<typeof AGENT_CONFIG>;
