/** Parts that have a configuration, as `docs/config.md` shows them. */
import { AGENT_CONFIG } from '@tcptrail/agent/config.ts';
import type { ConfigSchema } from '@tcptrail/config/keys.ts';
import { CONSUMER_CONFIG } from '@tcptrail/consumer/config.ts';

export interface ConfigPart {
  readonly name: string;
  readonly schema: ConfigSchema;
  /** A file as an operator may have it; a test loads it. */
  readonly example: string;
}

export const CONFIG_PARTS: readonly ConfigPart[] = [
  {
    name: 'agent',
    schema: AGENT_CONFIG,
    example: `labels:
  region: eu-central-1
  environment: production
spool:
  path: /var/spool/tcptrail
  bytesMax: 2147483648 # 2 GiB: what a long outage may take
filters: # left out, and counted
  - name: scrapes
    ports: [9100]
    peers: [10.0.0.0/8]
process:
  commandLine: true
`,
  },
  {
    name: 'consumer',
    schema: CONSUMER_CONFIG,
    example: `clickhouse:
  url: https://clickhouse.example:8443
  username: tcptrail
  # passwordFile: /etc/tcptrail/clickhouse.password
spool:
  path: /var/spool/tcptrail
batch:
  flushMs: 2000
metrics:
  host: 0.0.0.0
`,
  },
];
