/** Ring records of connections that ended, any field given by its name in the field table. */
import { ENUMS } from '@tcptrail/schemas/enums.ts';
import { EVENT_FIELDS, type Field, OWNER_FIELDS } from '@tcptrail/schemas/fields.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';

/** Enums by symbol, addresses as text. */
export type Values = Readonly<Record<string, number | bigint | boolean | string>>;

const FIELDS = new Map(
  [...EVENT_FIELDS, ...OWNER_FIELDS]
    .filter(({ stage }) => stage === 'kernel')
    .map((field) => [field.name, field]),
);
const BYTES: Readonly<Record<string, number>> = { u8: 1, u16: 2, u32: 4, u64: 8, time: 8 };
/** ns since boot. */
export const SINCE_NS = 5_000_000_000n;

/** A short, ordinary connection of a server. */
export const CLOSE: Values = {
  kind: 'close',
  ts: SINCE_NS + 2_000_000_000n,
  cpu: 0,
  seq: 1,
  socket_cookie: 1,
  role: 'server',
  family: 'ipv4',
  local_address: '10.0.0.1',
  local_port: 443,
  peer_address: '10.0.0.2',
  peer_port: 40_000,
  network_namespace: 7,
  owner_source: 'first_io',
  socket_uid: 33,
  state: 'last_ack',
  start_ts: SINCE_NS + 1_000_000_000n,
  established_ts: SINCE_NS + 1_000_000_100n,
  handshake_us: 40,
  duration_us: 20_000,
  verdict: 'closed_peer',
  errno_known: true,
  bytes_sent: 1_000,
  bytes_received: 100,
  segs_out: 5,
  segs_in: 6,
  rtt_us: 300,
  min_rtt_us: 200,
  congestion_control: 'cubic',
  pid: 100,
  process_start_ts: 1_000_000_000n,
  uid: 33,
  comm: 'nginx',
};

export interface Place {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly at: number;
}

const AT = 16;
const ORDINARY = fill(Buffer.alloc(AT + RING_EVENT_BYTES), CLOSE);

/** `CLOSE` with `change`, somewhere in memory as in a ring. */
export function closeOf(change: Values = {}): Place {
  const bytes = Buffer.from(new ArrayBuffer(ORDINARY.length));
  bytes.set(ORDINARY);
  return { words: new Uint32Array(bytes.buffer), bytes: fill(bytes, change), at: AT };
}

function fill(bytes: Buffer, values: Values): Buffer {
  for (const [name, value] of Object.entries(values)) {
    const field = FIELDS.get(name);
    if (!field) throw new Error(`${name} is not in the ring`);
    write(bytes, AT + RING[name as keyof typeof RING], field, value);
  }
  return bytes;
}

function write(bytes: Buffer, at: number, { type }: Field, value: Values[string]): void {
  if (typeof type === 'object') {
    bytes[at] = (ENUMS[type.enum] as readonly unknown[]).indexOf(value);
  } else if (type === 'bool') {
    bytes[at] = value ? 1 : 0;
  } else if (type === 'address') {
    bytes.set(addressBytes(String(value)), at);
  } else if (type === 'name16') {
    bytes.write(String(value), at, 'latin1');
  } else {
    for (let i = 0; i < (BYTES[type] ?? 0); i++)
      bytes[at + i] = Number((BigInt(value) >> BigInt(8 * i)) & 0xffn);
  }
}

/** IPv4 as mapped, IPv6 with all of its groups or as `::` and one group. */
export function addressBytes(text: string): Buffer {
  if (text.includes('.'))
    return Buffer.from([...new Array(10).fill(0), 0xff, 0xff, ...text.split('.').map(Number)]);
  const groups = text.startsWith('::') ? [...new Array(7).fill('0'), text.slice(2)] : text.split(':');
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
