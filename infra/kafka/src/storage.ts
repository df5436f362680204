import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBound } from './bound-child.ts';
import type { Config, Passwords } from './config.ts';
import { startError, usageError } from './errors.ts';
import { serverProperties } from './server-properties.ts';

/** Passwords the SCRAM users were made with; Kafka itself keeps only what they are checked with. */
const USERS = 'tcptrail-users.json';

export const logDirOf = (dataDir: string): string => join(dataDir, 'log');

/**
 * Makes Kafka's log folder of a new data folder: a cluster id and, with SASL, the SCRAM users.
 *
 * It gets its name when it is whole. Throws when the folder has other users than `config` asks for.
 */
export async function formatStorage(
  config: Config,
  javaOptions: readonly string[],
  clusterId = newClusterId(),
): Promise<void> {
  const logDir = logDirOf(config.dataDir);
  if (existsSync(logDir)) return assertUsers(config, join(logDir, USERS));

  const newDir = `${logDir}.new`;
  const propertiesFile = `${newDir}.properties`;
  const argumentsFile = `${newDir}.arguments`;
  rmSync(newDir, { recursive: true, force: true });
  try {
    // Formatting looks at no port, but wants to see one.
    const ports = Object.fromEntries(config.listeners.map(({ name }, index) => [name, index + 3]));
    const addresses = { host: config.host, port: 1, controllerPort: 2, ports, logDir: newDir };
    writeSecret(propertiesFile, serverProperties(config, addresses));
    // In a file, as everybody sees a command line.
    // The users are the cluster's, so a second broker finds them there.
    const scram = config.passwords && !config.join ? scramUsers(config.passwords) : [];
    const args = ['format', '--config', propertiesFile, '--cluster-id', clusterId, ...scram];
    writeSecret(argumentsFile, args.join('\n'));
    const tool = [...javaOptions, 'kafka.tools.StorageTool', `@${argumentsFile}`];
    const { ok, output } = await runBound('java', tool);
    if (!ok) {
      process.stderr.write(output);
      throw startError(`Kafka could not format ${logDir}: see what it wrote above`);
    }
    if (config.passwords) writeSecret(join(newDir, USERS), JSON.stringify(config.passwords));
    renameSync(newDir, logDir);
  } finally {
    rmSync(propertiesFile, { force: true });
    rmSync(argumentsFile, { force: true });
  }
}

export function writeSecret(file: string, text: string): void {
  rmSync(file, { force: true });
  writeFileSync(file, text, { mode: 0o600 });
}

function scramUsers(passwords: Passwords): string[] {
  return Object.entries(passwords).flatMap(([name, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  );
}

function assertUsers({ dataDir, passwords }: Config, file: string): void {
  if (!passwords) return;
  const made = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (made === JSON.stringify(passwords)) return;
  throw usageError(
    made === undefined
      ? `data folder ${dataDir} was made without --sasl: choose another --data folder`
      : `data folder ${dataDir} has users with other passwords: give those, or choose another --data folder`,
  );
}

/** A UUID as Kafka writes it; its tools take a leading - for an option. */
function newClusterId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}
