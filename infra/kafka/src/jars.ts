import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { runBound } from './bound-child.ts';
import { hostError, startError } from './errors.ts';
import { startOf } from './process-name.ts';

export interface Jars {
  readonly folder: string;
  readonly kafkaVersion: string;
}

const HOME = join(import.meta.dirname, '..');

/**
 * Kafka's jars, fetched by Maven when `dir` has not those of `pomFile` yet.
 *
 * They come into a folder of this process, which gets its name when all are there: an interrupted fetch is
 * begun again, and of two at once one is kept. Throws when Maven is missing or fails.
 */
export async function fetchJars(
  say: (line: string) => void,
  { pomFile = join(HOME, 'pom.xml'), dir = join(HOME, '.jars') } = {},
): Promise<Jars> {
  const pom = readFileSync(pomFile, 'utf8');
  const kafkaVersion = /<kafka\.version>(.*)<\/kafka\.version>/.exec(pom)?.[1] ?? '';
  const folder = join(dir, createHash('sha256').update(pom).digest('hex').slice(0, 12));
  if (existsSync(folder)) return { folder, kafkaVersion };

  if (spawnSync('mvn', ['-version']).error)
    throw hostError('mvn is missing: install Maven, or run infra/deps.sh kafka');
  say(`fetching Apache Kafka ${kafkaVersion} with Maven, once (about 45 MB)`);
  mkdirSync(dir, { recursive: true });
  removeLeftOvers(dir);
  const part = mkdtempSync(join(dir, `part-${process.pid}-`));
  try {
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${part}`];
    const { ok, output } = await runBound('mvn', ['-B', '-q', '-f', pomFile, ...goal]);
    if (!ok) {
      process.stderr.write(output);
      throw startError(`Maven could not fetch Apache Kafka ${kafkaVersion}: see what it wrote above`);
    }
    // mkdtemp made it for this user alone.
    chmodSync(part, 0o755);
    try {
      renameSync(part, folder);
    } catch (error) {
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return { folder, kafkaVersion };
}

/** Of fetches that were killed. */
function removeLeftOvers(dir: string): void {
  for (const name of readdirSync(dir)) {
    const pid = /^part-(\d+)-/.exec(name)?.[1];
    if (pid && startOf(Number(pid)) === '') rmSync(join(dir, name), { recursive: true, force: true });
  }
}
