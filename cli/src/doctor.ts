/** `tcptrail doctor`: what works on this machine, what does not, and what to do. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { type ConnectionOptions, createConnection } from './clickhouse/connection.ts';
import { type Check, refused } from './doctor/check.ts';
import { folderChecks } from './doctor/folders.ts';
import { healthChecks } from './doctor/health.ts';
import { hostChecks } from './doctor/host.ts';
import { kafkaChecks } from './doctor/kafka.ts';
import { programChecks } from './doctor/programs.ts';
import { runningChecks } from './doctor/running.ts';
import { storeChecks } from './doctor/store.ts';
import { kafkaUseOf } from './kafka/use.ts';
import { disabledBy } from './supervise/disabled.ts';
import { type Places, placesOf } from './supervise/places.ts';
import { type RunFile, readRunFile } from './supervise/run-file.ts';
import { plural } from './terminal/human.ts';
import { type Colour, styleFor } from './terminal/style.ts';
import { pad } from './terminal/width.ts';

export interface DoctorOptions extends ConnectionOptions {
  readonly home?: string;
  readonly instance: string;
  readonly brokers?: readonly string[];
  readonly json?: boolean;
}

const MARKS: Readonly<Record<Check['status'], readonly [string, Colour]>> = {
  ok: ['✔', 'green'],
  warn: ['!', 'yellow'],
  fail: ['✘', 'red'],
};
const NAME_COLUMNS = 26;

/** Exit code 0 all well (warnings too), 1 something failed, 3 the agent cannot run here. */
export async function doctor(options: DoctorOptions): Promise<void> {
  const places = placesOf(options);
  const run = readRunFile(places);
  const url = options.url ?? process.env['TCPTRAIL_CLICKHOUSE_URL'] ?? (run?.url || undefined);
  const connection = createConnection({ ...options, url });
  const style = styleFor(process.stdout);
  const all: Check[] = [];
  const print = (checks: readonly Check[]): void => {
    for (const check of checks) {
      all.push(check);
      const [mark, colour] = MARKS[check.status];
      const remedy =
        check.remedy === '' ? '' : `\n${pad('', NAME_COLUMNS + 3)}${style('dim', '→')} ${check.remedy}`;
      const line = `${style(colour, mark)} ${pad(check.name, NAME_COLUMNS)} ${check.found}${remedy}`;
      process.stdout.write(`${options.json ? JSON.stringify(check) : line}\n`);
    }
  };
  try {
    const disabledFile = disabledBy(places, process.env);
    const host = hostChecks(disabledFile);
    print(host);
    const unsupported = host.some((check) => check.unsupported);
    print(await programChecks({ unsupported, disabled: disabledFile !== undefined }));
    print(folderChecks(places));
    print(runningChecks(places, run));
    print(await healthChecks(run));
    print(await inUse(places, run, options.brokers));
    print(await storeChecks(connection, url !== undefined));
  } finally {
    await connection.close();
  }
  const failed = all.filter(({ status }) => status === 'fail').length;
  const warned = all.filter(({ status }) => status === 'warn').length;
  if (!options.json) {
    const summary =
      failed > 0
        ? style('red', plural(failed, 'problem'))
        : style('green', warned > 0 ? 'works' : 'all well');
    process.stdout.write(`\n${summary}${warned > 0 ? `, ${plural(warned, 'warning')}` : ''}\n`);
  }
  process.exitCode = all.some((check) => check.unsupported) ? 3 : failed > 0 ? 1 : 0;
}

/** A configuration that nobody can read is a failure of its own. */
async function inUse(
  places: Places,
  run: RunFile | undefined,
  brokers: readonly string[] | undefined,
): Promise<readonly Check[]> {
  try {
    return await kafkaChecks(kafkaUseOf(places, { run, brokers, env: process.env }));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [refused('configuration', error)];
  }
}
