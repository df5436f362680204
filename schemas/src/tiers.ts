/**
 * What is kept longer than the events (docs/decisions/0029): which sums, by which keys. The migration's tables and
 * projections, the views and the consumer's closing of days are all written from here.
 */
import { type Column, eventTableColumns } from './stored.ts';

/** A column of a tier. */
export interface TierColumn extends Column {
  /** What it is over rows of tcp_events; absent: the column of that name. */
  readonly of?: string;
}

export interface Sum extends TierColumn {
  readonly of: string;
  /** What adds such sums up to one of the same kind. */
  readonly again: string;
}

export interface Tier {
  /** As `tier_days` names it; its table is `tier_<name>`. */
  readonly name: '5m' | '1h' | 'edges';
  /** The view that has all days. */
  readonly view: string;
  /** How long its rows' time is, and how that is said: an hour. */
  readonly binSeconds: number;
  readonly binLength: string;
  readonly keys: readonly TierColumn[];
  readonly sums: readonly Sum[];
  readonly orderBy: readonly string[];
  /** Of tcp_events; its keys in the order in which it is sorted. Absent: made of the projection of a finer tier. */
  readonly projection?: { readonly name: string; readonly groupBy: readonly string[] };
  readonly partitionBy: string;
  /** As an INTERVAL. */
  readonly kept: string;
  readonly tableComment: string;
  readonly viewComment: string;
  /** The bin of a tier that is made of a finer one's rows. */
  readonly binOfFiner?: string;
}

const EVENT_COLUMNS = new Map(eventTableColumns().map((column) => [column.name, column]));

function eventColumn(name: string): TierColumn {
  const column = EVENT_COLUMNS.get(name);
  if (!column) throw new Error(`tcp_events has no column ${name}`);
  return { ...column, codec: 'ZSTD(1)' };
}

const DAY: TierColumn = { name: 'day', type: 'Date', codec: 'ZSTD(1)', comment: 'Day of the events.' };
const SERVICE_PORT: TierColumn = {
  name: 'service_port',
  type: 'UInt16',
  codec: 'ZSTD(1)',
  comment: 'Port of the service: that of the peer for a client, the own one for a server.',
  of: "if(role = 'client', peer_port, local_port)",
};

const bin = (comment: string): TierColumn => ({
  name: 'bin',
  type: "DateTime('UTC')",
  codec: 'Delta(4), ZSTD(1)',
  comment,
  of: 'toStartOfFiveMinutes(ts)',
});

const count = (name: string, of: string, comment: string): Sum => ({
  name,
  type: 'UInt64',
  codec: 'T64, ZSTD(1)',
  comment,
  of,
  again: 'sum',
});

const time = (name: string, of: 'min' | 'max', comment: string): Sum => ({
  name,
  type: "DateTime64(6, 'UTC')",
  codec: 'Delta(8), ZSTD(1)',
  comment,
  of: `${of}(ts)`,
  again: of,
});

/** Of connections that ended, folded ones too: only their rows count any. */
const ENDED = 'connections > 0';

const EVENTS = count('events', 'count()', 'Rows of tcp_events of all kinds. Unit: rows.');
const CONNECTIONS = [
  count('connections', 'sum(connections)', 'Connections that ended, folded ones counted. Unit: connections.'),
  count('failures', "sumIf(connections, kind = 'fail')", 'Of these never established. Unit: connections.'),
];
const BYTES = [
  count(
    'bytes_sent',
    `sumIf(bytes_sent, ${ENDED})`,
    'Payload that ended connections had handed to the network at least once. Unit: bytes.',
  ),
  count(
    'bytes_received',
    `sumIf(bytes_received, ${ENDED})`,
    'Payload that they had received in order. Unit: bytes.',
  ),
];

const BIN_SUMS: readonly Sum[] = [
  EVENTS,
  ...CONNECTIONS,
  count(
    'half_open',
    "countIf(kind = 'half_open')",
    'Handshakes that did not complete, as reported. Unit: events.',
  ),
  count('resets', "countIf(kind = 'reset')", 'Resets sent or received. Unit: events.'),
  ...BYTES,
  count(
    'data_segs_out',
    `sumIf(data_segs_out, ${ENDED})`,
    'Segments with payload that they had sent: what the retransmit rate is a share of. Unit: segments.',
  ),
  count(
    'total_retrans',
    `sumIf(total_retrans, ${ENDED})`,
    'Segments that they had sent again. Unit: segments.',
  ),
  count('duration_us', `sumIf(duration_us, ${ENDED})`, 'Time that they lived, summed. Unit: us.'),
  count(
    'handshake_us',
    'sumIf(handshake_us * connections, handshake_us > 0)',
    'Time that their handshakes took, summed. Unit: us.',
  ),
  count(
    'handshakes',
    'sumIf(connections, handshake_us > 0)',
    'Connections of which that is known. Unit: connections.',
  ),
  {
    name: 'rtt_histogram',
    type: 'Array(UInt64)',
    codec: 'ZSTD(1)',
    comment:
      'Connections by smoothed round-trip time: the first of 1 us, the next of 2 to 3, of 4 to 7, and so on; sum it with sumForEach. Unit: connections.',
    of: `sumForEach(multiIf(kind = 'summary', rtt_histogram, ${ENDED} AND rtt_us > 0, arrayPushBack(arrayWithConstant(toUInt8(log2(rtt_us)), 0), 1), []))`,
    again: 'sumForEach',
  },
  {
    name: 'peers',
    type: 'AggregateFunction(uniqCombined(12), IPv6)',
    codec: 'ZSTD(1)',
    comment: 'Distinct peers: uniqCombinedMerge(12)(peers).',
    of: `uniqCombinedStateIf(12)(peer_address, ${ENDED})`,
    again: 'uniqCombinedMergeState(12)',
  },
];

const HOST_AND_PROGRAM = ['host_id', 'host_name', 'executable', 'role'].map(eventColumn);
const OWN = eventColumn('own');
const VERDICT: TierColumn = {
  ...eventColumn('verdict'),
  comment: 'Who closed first, or why it failed; unknown for events that end nothing.',
};
const BIN_KEYS = [DAY, ...HOST_AND_PROGRAM, SERVICE_PORT, OWN, VERDICT, eventColumn('errno')];
const BIN_ORDER = ['day', 'host_id', 'executable', 'role', 'service_port', 'bin'];

const FIVE_MINUTES: Tier = {
  name: '5m',
  view: 'connections_5m',
  binSeconds: 300,
  binLength: 'five minutes',
  keys: [bin('Start of the five minutes in which it happened.'), ...BIN_KEYS],
  sums: BIN_SUMS,
  orderBy: BIN_ORDER,
  projection: { name: 'five_minutes', groupBy: ['day', 'bin', ...BIN_KEYS.slice(1).map(({ name }) => name)] },
  partitionBy: 'day',
  kept: '30 DAY',
  tableComment: 'One row per five minutes and key, of days that are over; connections_5m has all days.',
  viewComment:
    'Ended connections by five minutes, host, program, role, service port and verdict; sum over its rows. Kept 30 days.',
};

const HOUR: Tier = {
  name: '1h',
  view: 'connections_1h',
  binSeconds: 3_600,
  binLength: 'an hour',
  keys: [bin('Start of the hour in which it happened.'), ...BIN_KEYS],
  sums: BIN_SUMS,
  orderBy: BIN_ORDER,
  partitionBy: 'toStartOfMonth(day)',
  kept: '13 MONTH',
  tableComment: 'One row per hour and key, of days that are over; connections_1h has all days.',
  viewComment:
    'Ended connections by hour, host, program, role, service port and verdict; sum over its rows. Kept 13 months.',
  binOfFiner: 'toStartOfHour(bin)',
};

const EDGES: Tier = {
  name: 'edges',
  view: 'edges',
  binSeconds: 86_400,
  binLength: 'a day',
  keys: [DAY, ...HOST_AND_PROGRAM, eventColumn('peer_address'), SERVICE_PORT, OWN],
  sums: [
    time('first_ts', 'min', 'First event of the day. Unit: us.'),
    time('last_ts', 'max', 'Last event of the day. Unit: us.'),
    EVENTS,
    ...CONNECTIONS,
    ...BYTES,
  ],
  orderBy: ['peer_address', 'service_port', 'role', 'host_id', 'executable', 'day'],
  projection: {
    name: 'edges',
    groupBy: ['peer_address', 'service_port', 'role', 'host_id', 'host_name', 'executable', 'own', 'day'],
  },
  partitionBy: 'toStartOfMonth(day)',
  kept: '13 MONTH',
  tableComment: 'One row per day and pair of host and peer, of days that are over; edges has all days.',
  viewComment:
    'Who talked to whom: host, program and role with peer and service port, by day. Kept 13 months.',
};

export const TIERS: readonly Tier[] = [FIVE_MINUTES, HOUR, EDGES];

export const columnsOf = ({ keys, sums }: Tier): readonly TierColumn[] => [...keys, ...sums];
