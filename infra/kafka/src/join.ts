/** What a second broker must know of the local Kafka that it joins: read in its data folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { usageError } from './errors.ts';
import { logDirOf } from './storage.ts';

export interface Cluster {
  readonly id: string;
  readonly controllerPort: number;
}

/** Throws when no local Kafka was started there. */
export function clusterOf(dataDir: string): Cluster {
  const id = found(join(logDirOf(dataDir), 'meta.properties'), /^cluster\.id=(.+)$/m);
  const port = found(
    join(dataDir, 'server.properties'),
    /^controller\.quorum\.voters=1@127\.0\.0\.1:(\d+)$/m,
  );
  if (id === undefined || port === undefined)
    throw usageError(
      `--join is ${dataDir}, where no local Kafka runs: start it there, or give its --data folder`,
    );
  return { id, controllerPort: Number(port) };
}

function found(file: string, pattern: RegExp): string | undefined {
  try {
    return pattern.exec(readFileSync(file, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
