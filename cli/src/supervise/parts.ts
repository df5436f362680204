/** The programs that `up` runs. */
import { fileURLToPath } from 'node:url';

export type PartName = 'clickhouse' | 'kafka' | 'agent' | 'consumer';

const PROGRAMS: Readonly<Record<PartName, string>> = {
  clickhouse: '../../../infra/embedded-clickhouse/src/main.ts',
  kafka: '../../../infra/kafka/src/main.ts',
  agent: '../../../agent/src/main.ts',
  consumer: '../../../consumer/src/main.ts',
};

export function programOf(part: PartName): string {
  return fileURLToPath(new URL(PROGRAMS[part], import.meta.url));
}
