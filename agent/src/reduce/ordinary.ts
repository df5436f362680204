/** Which connections may be folded: those of which every single one says the same, but for the numbers it adds. */
import { EVENT_KINDS, ROLES, VERDICTS } from '@tcptrail/schemas/enums.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import { ZERO } from './summary-fields.ts';

export interface Ordinary {
  /** Whether the valid record at byte `at` is the end of a short, ordinary connection. */
  is(words: Uint32Array, bytes: Uint8Array, at: number): boolean;
}

export interface OrdinaryConfig {
  /** Connections this old have an `open`, which their `close` must answer. */
  readonly openHoldMs: number;
  /** ns since boot: what began before may have been told by an earlier run. */
  readonly sinceNs: bigint;
}

const CLOSE = EVENT_KINDS.indexOf('close');
const UNKNOWN_ROLE = ROLES.indexOf('unknown');
const CLOSED = VERDICTS.map((verdict) => ['closed_local', 'closed_peer', 'closed_both'].includes(verdict));
const DURATION = RING.duration_us >> 2;
const ESTABLISHED = RING.established_ts >> 2;
const START = RING.start_ts >> 2;
const PID = RING.pid >> 2;

export function createOrdinary({ openHoldMs, sinceNs }: OrdinaryConfig): Ordinary {
  const holdUs = openHoldMs * 1_000;
  const sinceLow = Number(sinceNs & 0xffff_ffffn);
  const sinceHigh = Number(sinceNs >> 32n);

  function isYoung(words: Uint32Array, base: number): boolean {
    const high = words[base + START + 1] as number;
    return high === sinceHigh ? (words[base + START] as number) >= sinceLow : high > sinceHigh;
  }

  return {
    is(words, bytes, at) {
      if (bytes[at + RING.kind] !== CLOSE || !CLOSED[bytes[at + RING.verdict] as number]) return false;
      const base = at >>> 2;
      let nonZero = 0;
      for (let index = 0; index < ZERO.words.length; index++) {
        nonZero |= (words[base + (ZERO.words[index] as number)] as number) & (ZERO.bits[index] as number);
      }
      if (nonZero !== 0 || bytes[at + RING.errno_known] !== 1) return false;
      if (((words[base + ESTABLISHED] as number) | (words[base + ESTABLISHED + 1] as number)) === 0)
        return false;
      if ((words[base + PID] as number) === 0 || bytes[at + RING.role] === UNKNOWN_ROLE) return false;
      return (words[base + DURATION] as number) < holdUs && isYoung(words, base);
    },
  };
}
