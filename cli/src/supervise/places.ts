/** Where embedded mode keeps what: the standard folders, or all of it under one. */
import { join, resolve } from 'node:path';

export interface Places {
  /** As a person names it: the home folder, or `this host`. */
  readonly name: string;
  /** Folder all others are in; undefined for the standard ones. */
  readonly home: string | undefined;
  readonly instance: string;
  /** `clickhouse/`, `local-kafka/`, `log/` and `installed.json` are in it. */
  readonly data: string;
  readonly clickhouse: string;
  /** Not `kafka`: there `make kafka` of root keeps its own. */
  readonly kafka: string;
  /** There while Kafka may hold what is not stored; says where that Kafka is. */
  readonly kafkaUnread: string;
  readonly log: string;
  readonly spool: string;
  readonly run: string;
  readonly runFile: string;
  readonly config: string;
  readonly agentConfig: string;
  readonly consumerConfig: string;
}

export function placesOf(options: { readonly home?: string | undefined; readonly instance: string }): Places {
  const { instance } = options;
  const home = options.home === undefined ? undefined : resolve(options.home);
  // The first instance has the plain folders; others stand beside it.
  const suffix = instance === 'default' ? '' : `-${instance}`;
  const folders = home
    ? { data: home, spool: join(home, 'spool'), run: join(home, 'run'), config: join(home, 'config') }
    : {
        data: `/var/lib/tcptrail${suffix}`,
        spool: `/var/spool/tcptrail${suffix}`,
        run: '/run/tcptrail',
        config: '/etc/tcptrail',
      };
  return {
    name: home ?? 'this host',
    home,
    instance,
    ...folders,
    clickhouse: join(folders.data, 'clickhouse'),
    kafka: join(folders.data, 'local-kafka'),
    kafkaUnread: join(folders.data, 'kafka-unread'),
    log: join(folders.data, 'log'),
    runFile: join(folders.run, `${instance}.json`),
    agentConfig: join(folders.config, 'agent.yaml'),
    consumerConfig: join(folders.config, 'consumer.yaml'),
  };
}

/** The file an agent locks for its instance, wherever its home is: one agent an instance and host. */
export function agentLock(instance: string): string {
  return `/run/tcptrail/agent-${instance}.lock`;
}
