/** The way of batches from the agent to the consumer, as `up` decides it: whatever the files of the parts say. */

export type Route =
  | { readonly kind: 'spool' }
  | {
      readonly kind: 'kafka';
      readonly brokers: readonly string[];
      /** One node of `up`'s own, which nobody else uses. */
      readonly isLocal: boolean;
    };

type Variables = Readonly<Record<string, string>>;

/** What suits a topic on one node for one host, and overrules what the files say of other brokers. */
const LOCAL: Variables = {
  TCPTRAIL_KAFKA_TLS_ENABLED: 'false',
  TCPTRAIL_KAFKA_SASL_MECHANISM: 'none',
  TCPTRAIL_KAFKA_TOPIC_CREATE: 'true',
  TCPTRAIL_KAFKA_TOPIC_PARTITIONS: '1',
  TCPTRAIL_KAFKA_TOPIC_REPLICATION_FACTOR: '1',
};

/** The node of a killed `up` takes its consumer for alive so long; the next one must not wait for half a minute. */
const LOCAL_CONSUMER: Variables = { TCPTRAIL_KAFKA_SESSION_MS: '6000' };

/** Variables of the `kafka` section, the same for every part. */
export function kafkaVariables(route: Route): Variables {
  if (route.kind === 'spool') return {};
  return { TCPTRAIL_KAFKA_BROKERS: route.brokers.join(','), ...(route.isLocal ? LOCAL : {}) };
}

export function agentVariables(route: Route): Variables {
  return { TCPTRAIL_PUBLISH_ENABLED: String(route.kind === 'kafka'), ...kafkaVariables(route) };
}

export function consumerVariables(route: Route): Variables {
  const local = route.kind === 'kafka' && route.isLocal ? LOCAL_CONSUMER : {};
  return { TCPTRAIL_TRANSPORT: route.kind, ...kafkaVariables(route), ...local };
}
