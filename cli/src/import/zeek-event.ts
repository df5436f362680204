/**
 * A record of conn.log as the event that tells of its connection: the same ring record that the kernel writes, so that
 * everything behind it is the agent's own way. Pure.
 */
import {
  COUNTERS_SINCE,
  EVENT_KINDS,
  FAMILIES,
  ROLES,
  TCP_STATES,
  VERDICTS,
} from '@tcptrail/schemas/enums.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { writeAddress } from './address-bytes.ts';
import type { ZeekRecord } from './zeek-log.ts';
import { endingOf } from './zeek-state.ts';

export type ZeekEvent =
  | { readonly kind: 'event'; readonly tsUs: number }
  /** Of another protocol. */
  | { readonly kind: 'other' }
  /** What is wrong, as the end of a sentence. */
  | { readonly kind: 'bad'; readonly problem: string };

export interface EventWriter {
  /** Holds the event of the last `write` that gave one. */
  readonly ring: Buffer;
  /** `seq`: number of the line. */
  write(record: ZeekRecord, seq: number): ZeekEvent;
}

/** A field that cannot be what it must; its message is the sentence. */
class Wrong extends Error {
  constructor(name: string, text: string | undefined, why: string) {
    super(text === undefined ? `${name} is missing` : `${name} is ${quoted(text)}, ${why}`);
  }
}

/** Days of a table end in 2149. */
const TS_S_MAX = 5_600_000_000;
/** Larger ones are milliseconds (JSON::TS_MILLIS): as seconds they were of the year 5138. */
const TS_MILLIS_MIN = 100_000_000_000;
const OTHER: ZeekEvent = { kind: 'other' };

export function createEventWriter(): EventWriter {
  const ring = Buffer.from(new ArrayBuffer(RING_EVENT_BYTES));
  const u64 = (at: number, value: number): void => {
    ring.writeUInt32LE(value % 2 ** 32, at);
    ring.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
  };
  const time = (at: number, us: number): void => void ring.writeBigUInt64LE(BigInt(us) * 1000n, at);

  function fill(get: ZeekRecord, seq: number): number {
    ring.fill(0);
    const startUs = timeOf(get);
    const durationUs = Math.round(secondsOf(get, 'duration') * 1e6);
    const tsUs = startUs + durationUs;
    const state = get('conn_state') ?? 'OTH';
    const ending = endingOf(state, get('history') ?? '');
    if (!ending) throw new Wrong('conn_state', state, 'which Zeek does not have');
    addressOf(get, 'id.orig_h', RING.local_address);
    addressOf(get, 'id.resp_h', RING.peer_address);
    ring.writeUInt16LE(portOf(get, 'id.orig_p'), RING.local_port);
    ring.writeUInt16LE(portOf(get, 'id.resp_p'), RING.peer_port);
    const isIpv4 = get('id.orig_h')?.includes(':') === false;
    ring[RING.family] = FAMILIES.indexOf(isIpv4 ? 'ipv4' : 'ipv6');
    ring[RING.kind] = EVENT_KINDS.indexOf(ending.kind);
    ring[RING.role] = ROLES.indexOf('client');
    ring[RING.state] = TCP_STATES.indexOf('unknown');
    ring[RING.verdict] = VERDICTS.indexOf(ending.verdict);
    ring[RING.late] = ending.late ? 1 : 0;
    ring[RING.counters_since] = COUNTERS_SINCE.indexOf(ending.countersSince ?? 'birth');
    time(RING.ts, tsUs);
    time(RING.start_ts, startUs);
    u64(RING.seq, seq);
    u64(RING.socket_cookie, seq);
    u64(RING.duration_us, durationUs);
    u64(RING.bytes_sent, wholeOf(get, 'orig_bytes'));
    u64(RING.bytes_received, wholeOf(get, 'resp_bytes'));
    ring.writeUInt32LE(segmentsOf(get, 'orig_pkts'), RING.segs_out);
    ring.writeUInt32LE(segmentsOf(get, 'resp_pkts'), RING.segs_in);
    return tsUs;
  }

  function addressOf(get: ZeekRecord, name: string, at: number): void {
    const text = get(name);
    if (text === undefined || !writeAddress(text, ring, at)) throw new Wrong(name, text, 'no address');
  }

  return {
    ring,
    write(record, seq) {
      const proto = record('proto');
      if (proto === undefined) return { kind: 'bad', problem: 'proto is missing' };
      if (proto !== 'tcp') return OTHER;
      try {
        return { kind: 'event', tsUs: fill(record, seq) };
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        return { kind: 'bad', problem: error.message };
      }
    },
  };
}

/** µs since the epoch: of seconds, of milliseconds, of ISO 8601 (JSON::TS_ISO8601). */
function timeOf(get: ZeekRecord): number {
  const text = get('ts');
  const [, date, fraction = ''] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text ?? '') ?? [];
  if (date !== undefined) return Date.parse(`${date}Z`) * 1000 + Math.round(Number(`0.${fraction}`) * 1e6);
  const seconds = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  const us = Math.round(seconds >= TS_MILLIS_MIN ? seconds * 1e3 : seconds * 1e6);
  if (us >= 0 && us <= TS_S_MAX * 1e6) return us;
  throw new Wrong('ts', text, 'no time before 2147');
}

/** 0 where it is not set. */
function secondsOf(get: ZeekRecord, name: string): number {
  const text = get(name);
  if (text === undefined) return 0;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0 && value < 2 ** 32) return value;
  throw new Wrong(name, text, 'no number of seconds');
}

function wholeOf(get: ZeekRecord, name: string): number {
  const text = get(name);
  if (text === undefined) return 0;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new Wrong(name, text, 'no whole number');
}

/** The column ends at 2^32 - 1. */
function segmentsOf(get: ZeekRecord, name: string): number {
  return Math.min(wholeOf(get, name), 0xffff_ffff);
}

function portOf(get: ZeekRecord, name: string): number {
  const text = get(name);
  const port = /^\d{1,5}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (port <= 0xffff) return port;
  throw new Wrong(name, text, 'no port from 0 to 65535');
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
