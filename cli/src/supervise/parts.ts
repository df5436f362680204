/** The programs that `up` runs. */
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../../agent/src/node-flags.ts';

export type PartName = 'clickhouse' | 'kafka' | 'agent' | 'consumer';

const PROGRAMS: Readonly<Record<PartName, string>> = {
  clickhouse: '../../../infra/embedded-clickhouse/src/main.ts',
  kafka: '../../../infra/kafka/src/main.ts',
  agent: '../../../agent/src/main.ts',
  consumer: '../../../consumer/src/main.ts',
};

/** For Node.js, before the program. */
export const flagsOf = (part: PartName): readonly string[] => (part === 'agent' ? NODE_FLAGS : []);

export function programOf(part: PartName): string {
  return fileURLToPath(new URL(PROGRAMS[part], import.meta.url));
}
