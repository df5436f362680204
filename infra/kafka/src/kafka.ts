import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endOf, spawnBound } from './bound-child.ts';
import { type ClassData, classData } from './class-data.ts';
import type { Config } from './config.ts';
import { startError } from './errors.ts';
import { fetchJars } from './jars.ts';
import { javaOptions, requireJava } from './java.ts';
import { clusterOf } from './join.ts';
import { assertFree, freePort } from './port.ts';
import { nameOf } from './process-name.ts';
import { type Claim, claim } from './run-file.ts';
import { type Addresses, serverProperties } from './server-properties.ts';
import { formatStorage, logDirOf, writeSecret } from './storage.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** By the name of a further listener. */
  readonly ports: Readonly<Record<string, number>>;
  /** Of Kafka. */
  readonly version: string;
  /** Of java. */
  readonly pid: number;
}

export interface Kafka {
  /** Resolves when Kafka answers; rejects with what a person can mend. */
  start(): Promise<Address>;
  /** Resolves when java is gone: nothing to say after `stop`, else what happened. */
  readonly ended: Promise<string | undefined>;
  /** SIGTERM, and SIGKILL when that takes too long. */
  stop(): void;
}

const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 10_000;
/** Its last line at the start: broker and controller run, and the one has taken the other in. */
const READY = 'Kafka Server started';

export function createKafka(config: Config, deps: { readonly say: (line: string) => void }): Kafka {
  const over = Promise.withResolvers<string | undefined>();
  let java: ChildProcess | undefined;
  let stopping = false;

  return {
    ended: over.promise,
    async start() {
      const javaVersion = requireJava();
      const { folder, kafkaVersion } = await fetchJars(deps.say);
      const classes = classData(folder, javaVersion);
      const options = [...javaOptions(folder), ...keySources(config), ...classes.use];
      const cluster = config.join === undefined ? undefined : clusterOf(config.join);
      const held = await claim(config.dataDir);
      // However this process ends by itself, the folder is free again.
      process.once('exit', () => held.release());
      const { host } = config;
      if (config.port) await assertFree(host, config.port);
      await formatStorage(config, options, cluster?.id);
      const port = config.port || (await freePort(host));
      const ports: Record<string, number> = {};
      for (const listener of config.listeners)
        ports[listener.name] = listener.port || (await freePort(host, port));
      const controllerPort = cluster?.controllerPort ?? (await freePort('127.0.0.1', port));
      const at = { host, port, ports, controllerPort };
      const pid = await launch([...options, ...classes.make], at, { held, classes });
      return { host, port, ports, version: kafkaVersion, pid };
    },
    stop() {
      stopping = true;
      if (!java) return over.resolve(undefined);
      java.kill('SIGTERM');
      setTimeout(() => java?.kill('SIGKILL'), STOP_MS_MAX).unref();
    },
  };

  /** Gives java's pid when Kafka answers. */
  async function launch(
    options: readonly string[],
    at: Omit<Addresses, 'logDir'>,
    { held, classes }: { held: Claim; classes: ClassData },
  ): Promise<number> {
    const { dataDir } = config;
    const propertiesFile = join(dataDir, 'server.properties');
    const addresses = { ...at, logDir: logDirOf(dataDir) };
    writeSecret(propertiesFile, serverProperties(config, addresses));
    // java's stdout has only what the virtual machine complains of.
    const child = spawnBound('java', [...options, 'kafka.Kafka', propertiesFile], {
      cwd: dataDir,
      stdio: ['ignore', 2, 'pipe'],
    });
    const pid = child.pid ?? 0;
    java = child;
    const gone = endOf(child);
    held.update({ java: nameOf(pid), host: at.host, port: at.port });
    const ready = new Promise<void>((resolve) => {
      if (!child.stderr) return;
      createInterface({ input: child.stderr }).on('line', (line) => {
        process.stderr.write(`${line}\n`);
        if (line.endsWith(READY)) resolve();
      });
    });
    const timer = setTimeout(() => {
      deps.say(`Kafka did not answer within ${READY_MS_MAX / 1_000} s`);
      child.kill('SIGKILL');
    }, READY_MS_MAX);
    void gone.then((ended) => {
      classes.keep(ended);
      const { code, signal } = ended;
      over.resolve(stopping ? undefined : `java ended with ${signal ?? `code ${code}`}`);
    }, over.reject);
    try {
      await Promise.race([ready, over.promise.then(failedStart)]);
    } finally {
      clearTimeout(timer);
    }
    return pid;
  }
}

/** Where the brokers may get the keys of tokens from must be said twice: to Kafka, and to its virtual machine. */
function keySources({ set }: Config): string[] {
  const urls = Object.entries(set).filter(([key]) => key.endsWith('sasl.oauthbearer.jwks.endpoint.url'));
  return urls.length === 0
    ? []
    : [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${urls.map(([, url]) => url).join(',')}`];
}

function failedStart(why: string | undefined): never {
  throw startError(
    why === undefined
      ? 'stopped before Kafka answered'
      : `${why} before Kafka answered: see what it wrote above`,
  );
}
