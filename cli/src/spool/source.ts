/** Which spool the `tcptrail spool` commands read. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AGENT_CONFIG } from '@tcptrail/agent/config.ts';
import type { Environment } from '@tcptrail/config/environment.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { parseSegmentName } from '@tcptrail/spool/segment-name.ts';
import { cliError, reasonOf } from '../errors.ts';
import { placesOf } from '../supervise/places.ts';

export interface SpoolOptions {
  readonly path?: string;
  readonly home?: string;
  readonly instance: string;
}

/** `path`, else the spool of that home or instance, else the one of the agent's configuration. Throws CONFIG_*. */
export function spoolPath(options: SpoolOptions, env: Environment = process.env): string {
  const { path, home, instance } = options;
  if (path !== undefined) return resolve(path);
  if (home !== undefined || instance !== 'default') return placesOf({ home, instance }).spool;
  return loadConfig(AGENT_CONFIG, { part: 'agent', env }).spool.path;
}

/** Its segments in the order of writing. Throws CLI_NO_SPOOL, CLI_SPOOL_UNREADABLE. */
export function segmentsOf(spool: string): readonly string[] {
  try {
    const files = readdirSync(spool);
    const segments = files.filter((file) => parseSegmentName(file) !== undefined).toSorted();
    // Any other folder would look like an empty spool.
    if (segments.length === 0 && !files.includes('cursor')) throw cliError('CLI_NO_SPOOL', [spool]);
    return segments;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw cliError('CLI_NO_SPOOL', [spool], { cause: error });
    if (code === 'CLI_NO_SPOOL') throw error;
    throw unreadable(spool, error);
  }
}

export function unreadable(path: string, cause: unknown): AppError {
  return cliError('CLI_SPOOL_UNREADABLE', [path, reasonOf(cause)], { cause });
}

export const pathIn = (spool: string, file: string): string => join(spool, file);
