/** An agent whose configuration changes while it runs. */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { batchesOf } from '../../src/spool/segment-reader.ts';
import { agentHome, runningAgent } from './agent-process.ts';
import { type OracleBatch, readDatum } from './oracle.ts';

const isSection = (value: unknown): value is object => typeof value === 'object' && !Array.isArray(value);

const DEADLINE_MS = 60_000;

export type Row = Record<string, unknown>;

export const ownerOf = (row: Row) => row['ownerOf'] as Row;
export const rowsOf = (batches: readonly OracleBatch[]): Row[] =>
  batches.flatMap(({ events, owners }) =>
    events.map((event) => ({ ...event, ownerOf: owners[Number(event['owner'])] })),
  );

/** Batches of a spool that grows, each read once: the whole machine is recorded. */
function growing(spoolPath: string): () => OracleBatch[] {
  const batches: OracleBatch[] = [];
  /** By segment, where its last batch that was read begins. */
  const lasts = new Map<string, number>();
  return () => {
    const segments = readdirSync(spoolPath).filter((name) => name.endsWith('.avro'));
    for (const segment of segments.sort()) {
      const last = lasts.get(segment);
      for (const { datum, position } of batchesOf(join(spoolPath, segment), last)) {
        if (position === last) continue;
        lasts.set(segment, position);
        batches.push(readDatum(datum));
      }
    }
    return batches;
  };
}

/** Configuration, signals and metrics of one agent, which is another user and reads files that root alone may. */
export async function reloading(t: TestContext, first: object) {
  // Below those that the kernel gives out: nobody takes it meanwhile.
  const metricsPort = 20_000 + (process.pid % 10_000);
  const home = agentHome(t, { further: { privilege: { user: 'daemon' }, ...first }, metricsPort });
  let config = JSON.parse(readFileSync(home.configFile, 'utf8')) as Record<string, unknown>;
  chmodSync(home.configFile, 0o600);
  const agent = await runningAgent(t, home);
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return Number(new RegExp(`^tcptrail_agent_${name}_total (\\d+)$`, 'm').exec(text)?.[1]);
  };
  const signal = async (counter: string): Promise<void> => {
    const before = await metric(counter);
    agent.child.kill('SIGHUP');
    for (const end = performance.now() + DEADLINE_MS; (await metric(counter)) === before; await sleep(20))
      assert.ok(performance.now() < end, `${counter} stays; the agent said: ${agent.stderr()}`);
  };
  const all = growing(home.spoolPath);
  let seen = 0;
  return {
    home,
    agent,
    metric,
    health: async () => (await fetch(`http://127.0.0.1:${metricsPort}/healthz`)).text(),
    /** Lays `part` over the sections that there are, and waits until the agent has taken it. */
    async change(part: Readonly<Record<string, unknown>>): Promise<void> {
      for (const [section, keys] of Object.entries(part))
        config = {
          ...config,
          [section]: isSection(keys) ? { ...(config[section] as object), ...keys } : keys,
        };
      writeFileSync(home.configFile, JSON.stringify(config));
      await signal('config_reloads');
      seen = all().length;
    },
    async give(text: string): Promise<void> {
      writeFileSync(home.configFile, text);
      await signal('config_refusals');
    },
    /** Batches since the last change. */
    since: (): OracleBatch[] => all().slice(seen),
    all,
  };
}
