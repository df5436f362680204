/**
 * What export, hold, forget, backup and restore cost over many events: a made fleet's, through the consumer's store, days
 * closed. Of each step its time, the CPU of both processes and the most memory that each took.
 */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeDaysAlone } from '@tcptrail/consumer/keeping.ts';
import { migrate } from '@tcptrail/consumer/migrate/migrate.ts';
import { createClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { start } from '../../cli/test/run-command.ts';
import { createFleet } from '../fleet/fleet.ts';
import { startServer } from '../harness/server.ts';
import { cpuOf } from './agent/cpu.ts';
import { residentOf } from './agent/memory.ts';
import { fill, settled } from './query/fill.ts';

const ROWS = process.env['QUICK'] ? 300_000 : Number(process.env['ROWS'] ?? 10_000_000);
const DAYS = 4;
const DAY_MS = 86_400_000;
const SEED = 8;
const HOST = 'host-3';
const SAMPLE_MS = 50;

interface Cost {
  readonly wall_s: number;
  readonly server_cpu_s: number;
  readonly server_mb_max: number;
  readonly command_cpu_s: number;
  readonly command_mb_max: number;
}

const untilMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const begun = performance.now();
const say = (text: string): void =>
  console.error(`${Math.round((performance.now() - begun) / 1000)} s: ${text}`);
const folder = await mkdtemp(join(tmpdir(), 'tcptrail-keep-'));
const server = await startServer();
const clickhouse = createClickHouse({
  url: server.url,
  username: 'default',
  password: '',
  database: 'tcptrail',
  requestWaitMsMax: 3_600_000,
});
try {
  await migrate(clickhouse);
  const fleet = createFleet({
    seed: SEED,
    fromUs: (untilMs - DAYS * DAY_MS) * 1000,
    untilUs: untilMs * 1000,
    rows: ROWS,
  });
  const rows = await fill(clickhouse, fleet, () => {});
  await closeDaysAlone(clickhouse, untilMs + DAY_MS / 2);
  await settled(clickhouse);
  say(`${rows} events are stored, merged and summed`);
  const day = new Date(untilMs - DAY_MS).toISOString().slice(0, 10);
  const [of] = await clickhouse.query<{ host: number; day: number }>(
    `SELECT countIf(host_name = '${HOST}') AS host, countIf(day = '${day}') AS day FROM tcptrail.tcp_events`,
  );
  const until = new Date(untilMs + 30 * DAY_MS).toISOString().slice(0, 10);
  const hold = ['--reason', 'bench', '--author', 'bench', '--until', until];
  const [exported, backup] = [join(folder, 'export'), join(folder, 'backup')];
  const costs = {
    export_day: await costOf('export', '--day', day, '--to', exported),
    export_day_again: await costOf('export', '--day', day, '--to', exported),
    hold_host: await costOf('hold', 'add', '--host', 'host-7', ...hold),
    forget_host: await costOf('forget', '--host', HOST, '--yes', '--export', exported),
    backup: await costOf('backup', '--to', backup),
    restore: await costOf('restore', '--from', backup, '--database', 'restored'),
  };
  const [left] = await clickhouse.query<{ n: number; restored: number }>(
    `SELECT countIf(host_name = '${HOST}') AS n, (SELECT count() FROM restored.tcp_events) - count() AS restored FROM tcptrail.tcp_events`,
  );
  if (left?.n !== 0 || left.restored !== 0) throw new Error(`not as it should be: ${JSON.stringify(left)}`);
  console.log(
    JSON.stringify({
      rows,
      rows_of_host: of?.host,
      rows_of_day: of?.day,
      backup_bytes_per_event: Math.round(((await bytesIn(backup)) / (rows - (of?.host ?? 0))) * 100) / 100,
      ...costs,
    }),
  );
} finally {
  await clickhouse.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function costOf(...args: readonly string[]): Promise<Cost> {
  // proc(5): 5 resets the peak of resident memory.
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
  const [beganMs, cpuBefore] = [performance.now(), cpuOf(server.pid)];
  const database = args.includes('--database') ? [] : ['--database', 'tcptrail'];
  const running = start([...args, '--url', server.url, ...database]);
  let [cpu, memory] = [0, 0];
  const sampling = setInterval(() => {
    cpu = Math.max(cpu, cpuOf(running.pid));
    memory = Math.max(memory, peakMbOf(running.pid));
  }, SAMPLE_MS);
  const ended = await running.ended;
  clearInterval(sampling);
  if (ended.code !== 0) throw new Error(`${args.join(' ')}: ${ended.code}: ${ended.stderr}`);
  const cost = {
    wall_s: round((performance.now() - beganMs) * 1000),
    server_cpu_s: round(cpuOf(server.pid) - cpuBefore),
    server_mb_max: peakMbOf(server.pid),
    command_cpu_s: round(cpu),
    command_mb_max: memory,
  };
  say(`${args.slice(0, 2).join(' ')}: ${JSON.stringify(cost)}`);
  return cost;
}

/** 0 when it has ended. */
function peakMbOf(pid: number): number {
  try {
    return residentOf(pid).rssMbMax;
  } catch {
    return 0;
  }
}

async function bytesIn(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  );
}

/** Seconds. */
function round(us: number): number {
  return Math.round(us / 100_000) / 10;
}
