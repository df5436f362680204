/** Keys of what becomes no row of its own: folding, filters, the byte budget. */
import { MIB } from '@tcptrail/config/value.ts';
import { z } from 'zod';
import { networkOf } from './network.ts';

export const foldSection = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Fold short, ordinary, repeated connections of one program, role, peer and service port into one row; the others stay single.',
      ),
    windowMs: z
      .int()
      .min(1_000)
      .max(20_000)
      .default(10_000)
      .describe(
        'Milliseconds a batch stays open while connections are folded, instead of batch.flushMs; not above batch.heartbeatMs.',
      ),
  })
  .prefault({});

const CONDITIONS = ['ports', 'peers', 'uids', 'cgroups'] as const;
/** Names that folding and the steps of the budget are counted under. */
const RESERVED = /^(fold$|budget-|ceiling-)/;

const filterRule = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
      .refine((name) => !RESERVED.test(name), 'must not be fold, nor begin with budget- or ceiling-')
      .meta({ rule: '1 to 32 of a-z, 0-9 and -, not beginning with -; not fold, budget-… or ceiling-…' })
      .describe('Names the rule in the count of what it left out.'),
    ports: z
      .array(z.int().min(1).max(65_535))
      .min(1)
      .optional()
      .describe("Ports of the service: the local one of a server or listener, the peer's of a client."),
    peers: z
      .array(
        z
          .string()
          .refine((text) => networkOf(text) !== undefined, 'must be an address or a network as 10.0.0.0/8')
          .meta({ rule: 'an address or a network as 10.0.0.0/8' }),
      )
      .min(1)
      .optional()
      .describe('Addresses of the other end; listeners have none.'),
    uids: z
      .array(z.int().min(0).max(0xffff_ffff))
      .min(1)
      .optional()
      .describe('Users of the process; of the socket where the process is not known.'),
    cgroups: z
      .array(
        z.string().regex(/^\/./).meta({ rule: 'a path in the cgroup tree, as /system.slice/cron.service' }),
      )
      .min(1)
      .optional()
      .describe('cgroups of the process, those below them too.'),
  })
  .refine((rule) => CONDITIONS.some((condition) => rule[condition] !== undefined), {
    message: `must have a condition: one of ${CONDITIONS.join(', ')}`,
  });

export const filterRules = z
  .array(filterRule)
  .refine(
    (rules) => new Set(rules.map(({ name }) => name)).size === rules.length,
    'must have names that differ',
  )
  .default([])
  .describe(
    'Events left out: those that meet all conditions of one of these rules. Each is still numbered, and counted by rule.',
  );

export const budgetSection = z
  .strictObject({
    bytesPerDay: z
      .int()
      .min(0)
      .max(1024 * 1024 * MIB)
      .default(0)
      .describe(
        'Bytes of this host a day, compressed, as they go into the spool; near it, more is folded and left out, step by step. Heartbeats alone take about 11 MB. 0 = no limit.',
      ),
  })
  .prefault({});
