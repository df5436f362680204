/** `make kafka` and `make kafka-stop`: main.ts in the background, on the usual port, in a folder of its own. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { exitWith, PREFIX, startError, usageError } from './errors.ts';
import { fetchJars } from './jars.ts';
import { requireJava } from './java.ts';
import type { Address } from './kafka.ts';
import { isAlive } from './process-name.ts';
import { readRun } from './run-file.ts';

/** More than main.ts gives java. */
const END_MS_MAX = 20_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  const [command, ...args] = process.argv.slice(2);
  const dataDir = dataFolder();
  if (command === 'start') await start(dataDir, args);
  else if (command === 'stop') await stop(dataDir);
  else throw usageError(`'${command ?? ''}' is no command: give start [options of main.ts], or stop`);
} catch (error) {
  exitWith(error);
}

function dataFolder(): string {
  if (process.env.TCPTRAIL_KAFKA_DATA) return process.env.TCPTRAIL_KAFKA_DATA;
  if (process.getuid?.() === 0) return '/var/lib/tcptrail/kafka';
  const state = process.env.XDG_STATE_HOME || join(homedir(), '.local/state');
  return join(state, 'tcptrail/kafka');
}

async function start(dataDir: string, args: readonly string[]): Promise<void> {
  const running = readRun(dataDir);
  if (running) {
    const where = running.port === undefined ? 'starts' : `runs at ${running.host}:${running.port}`;
    return say(`Kafka ${where} already (pid ${running.main.pid}); data in ${dataDir}`);
  }
  // Here, so that a person sees what takes long.
  requireJava();
  await fetchJars(say);
  mkdirSync(dataDir, { recursive: true });
  const logFile = join(dataDir, 'kafka.log');
  const main = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), '--data', dataDir, ...args], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'pipe', openSync(logFile, 'w', 0o640)],
  });
  const { stdout } = main;
  const line = await new Promise<string>((resolve) => {
    if (stdout) createInterface({ input: stdout }).once('line', resolve);
    main.once('exit', () => resolve(''));
  });
  if (line === '') {
    const said = readFileSync(logFile, 'utf8').split('\n');
    const reason = said.findLast((text) => text.startsWith(PREFIX))?.slice(PREFIX.length);
    throw startError(reason ? `${reason} (${logFile})` : `Kafka did not start: see ${logFile}`);
  }
  const { host, port, version } = JSON.parse(line) as Address;
  say(`✔ Kafka ${version} at ${host}:${port} (pid ${main.pid}); data and kafka.log in ${dataDir}`);
  say('  Stop  make kafka-stop');
  stdout?.destroy();
  main.unref();
}

async function stop(dataDir: string): Promise<void> {
  const run = readRun(dataDir);
  if (!run) return say(`no Kafka runs on ${dataDir}`);
  process.kill(run.main.pid, 'SIGTERM');
  const deadline = performance.now() + END_MS_MAX;
  while (isAlive(run.main)) {
    if (performance.now() > deadline)
      throw startError(`Kafka with pid ${run.main.pid} does not end: see ${join(dataDir, 'kafka.log')}`);
    await delay(20);
  }
  say(`✔ Kafka stopped; its data stay in ${dataDir}`);
}
