/** `tcptrail verify`: whether ClickHouse holds what Kafka, or the runs of the agents, say that it must. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { connectClickHouse } from '@tcptrail/consumer/store/failover.ts';
import { timeText } from '@tcptrail/schemas/time-text.ts';
import { type ConsumerOptions, consumerSettings } from '../consumer-settings.ts';
import { plural } from '../terminal/human.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import { type Column, createTable } from '../terminal/table.ts';
import { type Finding, isProblem, keyOf, type Scope } from './finding.ts';
import { checkTable, type Held, heldIn } from './table.ts';
import { checkTopic } from './topic.ts';

export interface VerifyOptions extends ConsumerOptions {
  /** Age in ms. */
  readonly since: number;
  readonly topic?: string;
  readonly host?: readonly string[];
  readonly json?: boolean;
}

/** What is under way, as rows whose batch follows, is another thing by then. */
const AGAIN_MS = 2_000;

/** Exit code 1 when something is wrong. Throws CONFIG_*, KAFKA_*, CLICKHOUSE_*. */
export async function verifyCommand(options: VerifyOptions): Promise<void> {
  const config = consumerSettings(options);
  const { group, ...kafka } = config.kafka;
  const clickhouse = connectClickHouse(config.clickhouse);
  const scope: Scope = {
    sinceUs: (Date.now() - options.since) * 1000,
    hosts: options.host ?? [],
    topic: options.topic ?? '',
  };
  const isKafka =
    config.transport === 'kafka' && (options.topic ?? kafka.topic.events) === kafka.topic.events;
  const look = async (): Promise<readonly Finding[]> => {
    const inTopic = isKafka ? await checkTopic({ kafka, group, clickhouse, scope }) : [];
    return withoutRepeats([...inTopic, ...(await checkTable(clickhouse, scope))]);
  };
  try {
    let findings = await look();
    if (findings.some(isProblem)) {
      await sleep(AGAIN_MS);
      const again = new Set((await look()).map(keyOf));
      findings = findings.filter((finding) => !isProblem(finding) || again.has(keyOf(finding)));
    }
    await print(findings, { clickhouse, scope, isKafka, json: options.json ?? false });
    if (findings.some(isProblem)) process.exitCode = 1;
  } finally {
    await clickhouse.close();
  }
}

/** A batch whose message is told to be missing is not told again by its number. */
function withoutRepeats(findings: readonly Finding[]): readonly Finding[] {
  const nameOf = (host: string, run: number, seq: number): string => `${host}/${run}/${seq}`;
  const told = new Set(
    findings.flatMap(({ kind, partition, host, run, what }) => {
      const seq = /is batch (\d+) of the run/.exec(what)?.[1];
      return kind === 'gap' && partition !== null && seq ? [nameOf(host, run, Number(seq))] : [];
    }),
  );
  return findings.filter(({ kind, partition, host, run, first, last }) => {
    if (kind !== 'gap' || partition !== null || last - first > told.size) return true;
    for (let seq = first; seq <= last; seq++) if (!told.has(nameOf(host, run, seq))) return true;
    return false;
  });
}

interface Printed {
  readonly clickhouse: ClickHouse;
  readonly scope: Scope;
  readonly isKafka: boolean;
  readonly json: boolean;
}

async function print(findings: readonly Finding[], at: Printed): Promise<void> {
  if (at.json) process.stdout.write(findings.map(lineOf).join(''));
  else {
    const held = await heldIn(at.clickhouse, at.scope);
    const style = styleFor(process.stdout);
    process.stdout.write(tableOf(findings, style) + summaryOf(findings, held, { ...at, style }));
  }
}

function lineOf(finding: Finding): string {
  const { host, run, ...rest } = finding;
  const line = {
    ...rest,
    host_id: host,
    agent_epoch: run === 0 ? null : timeText(run),
    problem: isProblem(finding),
  };
  return `${JSON.stringify(line)}\n`;
}

const text = (name: string): Column => ({ name, type: 'String' });
const number = (name: string): Column => ({ name, type: 'Int64' });
const COLUMNS = [
  text('kind'),
  text('origin'),
  number('partition'),
  number('first'),
  number('last'),
  text('host'),
  text('run'),
  text('what'),
];

function tableOf(findings: readonly Finding[], style: Style): string {
  if (findings.length === 0) return '';
  const table = createTable({ columns: COLUMNS, style });
  const rows = findings.map(({ kind, origin, partition, first, last, host, run, what }) =>
    table.push([
      kind,
      origin || '-',
      partition === null ? '-' : String(partition),
      String(first),
      String(last),
      host || '-',
      run === 0 ? '-' : timeText(run).slice(0, 19),
      what,
    ]),
  );
  return `${rows.join('')}${table.end()}\n`;
}

function summaryOf(
  findings: readonly Finding[],
  held: Held,
  { scope, isKafka, style }: Printed & { readonly style: Style },
): string {
  const problems = findings.filter(isProblem).length;
  const where = isKafka ? 'Kafka and ClickHouse' : 'ClickHouse';
  const looked = `${where} since ${timeText(scope.sinceUs).slice(0, 19)} UTC: ${plural(held.batches, 'batch', 'batches')}, ${plural(held.rows, 'row')} of ${plural(held.hosts, 'host')}`;
  const verdict =
    problems === 0 ? style('green', 'nothing is wrong') : style('red', plural(problems, 'problem'));
  return `${looked}, ${verdict}\n`;
}
