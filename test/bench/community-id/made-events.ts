/** Events as a fleet sends them: short connections of many hosts to few services, a third of them long enough to be opened too. */
import { encodeBatch } from '@tcptrail/schemas/batch.ts';
import { EVENT_KINDS, FAMILIES, ROLES, VERDICTS } from '@tcptrail/schemas/enums.ts';
import { EVENT_BYTES_MAX, encodeEvent } from '@tcptrail/schemas/generated/encode-event.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { plainAgent } from '../../plain-agent.ts';
import { createRandom } from '../../random.ts';
import { SAMPLE_OWNER, sampleEnvelope } from '../../sample-batch.ts';

const HOSTS = 50;
const PEERS = 20_000;
const SERVICES = [443, 443, 443, 80, 5432, 6379, 9092, 53];
const ROWS = 2_000;
/** Connections a second of one host. */
const RATE = 50;
const AGENT = plainAgent();

/** Batches of `ROWS` events, one host after another, the same ones for the same seed, from `fromUs` on. */
export function* madeBatches(rows: number, fromUs: number): Generator<Uint8Array> {
  const random = createRandom(26);
  const ring = Buffer.from(new ArrayBuffer(RING_EVENT_BYTES));
  const words = new Uint32Array(ring.buffer);
  const out = new Uint8Array(ROWS * EVENT_BYTES_MAX);
  const view = new DataView(out.buffer);
  /** Few are asked often, most hardly ever. */
  const peer = (): number => Math.floor(PEERS ** (random.below(1_000_000) / 1_000_000));

  for (let batch = 0; batch * ROWS < rows; batch++) {
    const host = batch % HOSTS;
    const turn = Math.floor(batch / HOSTS);
    const startUs = fromUs + Math.floor((turn * ROWS * 1e6) / RATE);
    let position = 0;
    for (let row = 0; row < ROWS; ) {
      fill(host, turn * ROWS + row, startUs + Math.floor((row * 1e6) / RATE));
      const isLong = random.below(3) === 0 && row + 1 < ROWS;
      for (const kind of isLong ? (['open', 'close'] as const) : (['close'] as const)) {
        ring[RING.kind] = EVENT_KINDS.indexOf(kind);
        ring.writeBigUInt64LE(BigInt(turn * ROWS + row + 1), RING.seq);
        position = encodeEvent(words, ring, 0, view, position, AGENT);
        row++;
      }
    }
    const envelope = sampleEnvelope({
      host_id: String(host).padStart(32, '0'),
      host_name: `web-${host}`,
      batch_seq: batch + 1,
      batch_ts: startUs + Math.floor((ROWS * 1e6) / RATE),
      owners: [SAMPLE_OWNER],
    });
    yield encodeBatch(envelope, { bytes: out.subarray(0, position), count: ROWS });
  }

  function fill(host: number, cookie: number, tsUs: number): void {
    ring.fill(0);
    ring[RING.role] = ROLES.indexOf('client');
    ring[RING.family] = FAMILIES.indexOf('ipv4');
    ring[RING.verdict] = VERDICTS.indexOf('closed_local');
    ring.writeBigUInt64LE(BigInt(tsUs) * 1000n, RING.ts);
    ring.writeBigUInt64LE(BigInt(tsUs - random.below(900_000)) * 1000n, RING.start_ts);
    ring.writeBigUInt64LE(BigInt(cookie + 1), RING.socket_cookie);
    address(RING.local_address, 0x0a00_0000 + host);
    address(RING.peer_address, 0x0a80_0000 + peer());
    ring.writeUInt16LE(32_768 + random.below(28_000), RING.local_port);
    ring.writeUInt16LE(random.pick(SERVICES), RING.peer_port);
    ring.writeUInt32LE(random.below(900_000), RING.duration_us);
    ring.writeUInt32LE(200 + random.below(2_000), RING.bytes_sent);
    ring.writeUInt32LE(random.below(60_000), RING.bytes_received);
    ring.writeUInt32LE(100 + random.below(30_000), RING.rtt_us);
    ring.writeUInt32LE(100 + random.below(3_000), RING.min_rtt_us);
    ring.writeUInt32LE(4 + random.below(60), RING.segs_out);
    ring.writeUInt32LE(4 + random.below(60), RING.segs_in);
  }

  function address(at: number, ipv4: number): void {
    ring.writeUInt16LE(0xffff, at + 10);
    ring.writeUInt32BE(ipv4, at + 12);
  }
}
