/**
 * The few libc calls JavaScript has no way to: two clocks, giving freed memory back, a lock that dies with its
 * process, and the rights of a thread. Set-up and once-a-second calls only (about 3 µs each).
 */

import { getSystemErrorName } from 'node:util';
import ffi from 'ffi-napi';
import type { Pointer } from 'ref-napi';
import type { ThreadRights } from './privilege/drop.ts';

const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;
/** malloc.h */
const M_ARENA_MAX = -8;
const LOCK_EX_NB = 2 | 4;
/** linux/prctl.h */
const PR = { setPdeathsig: 1, getPdeathsig: 2, setKeepcaps: 8, setNoNewPrivs: 38 } as const;
/** linux/capability.h: sets of 64 bits, each in two words. */
const CAPABILITY_VERSION_3 = 0x2008_0522;

export interface Libc {
  /** UTC, ns since the epoch. */
  realtimeNs(): bigint;
  /** Since boot, suspend included, ns: the clock of the ring records. */
  boottimeNs(): bigint;
  /** Gives freed memory back to the system; nothing where the C library is not glibc. */
  trim(): void;
  /** Takes the whole-file lock without waiting; false when another process holds it. Released by close or death. */
  lock(fd: number): boolean;
  /** Of the thread that runs JavaScript, as `privilege/drop.ts` says. */
  readonly rights: ThreadRights;
}

export function createLibc(): Libc {
  const libc = ffi.Library(null, {
    clock_gettime: ['int', ['int', 'void *']],
    flock: ['int', ['int', 'int']],
  });
  const trim = openTrim();
  /** struct timespec of 64-bit Linux: seconds, nanoseconds. */
  const time = Buffer.alloc(16);

  function clock(id: number): bigint {
    libc.clock_gettime(id, time as Pointer<void>);
    return time.readBigInt64LE(0) * 1_000_000_000n + time.readBigInt64LE(8);
  }
  return {
    realtimeNs: () => clock(CLOCK_REALTIME),
    boottimeNs: () => clock(CLOCK_BOOTTIME),
    trim: () => void trim(0),
    lock: (fd) => libc.flock(fd, LOCK_EX_NB) === 0,
    rights: openRights(),
  };
}

function openRights(): ThreadRights {
  const libc = ffi.Library(null, {
    prctl: ['int', ['int', 'ulong', 'ulong', 'ulong', 'ulong']],
    capset: ['int', ['void *', 'void *']],
  });
  const get = ffi.Library(null, { prctl: ['int', ['int', 'void *', 'ulong', 'ulong', 'ulong']] }).prctl;
  const check = (name: string, result: number): void => {
    if (result !== 0) throw new Error(`${name}: ${getSystemErrorName(-ffi.errno())}`);
  };
  const set = (name: keyof typeof PR, value: number): void =>
    check(`prctl ${name}`, libc.prctl(PR[name], value, 0, 0, 0));
  return {
    keepCapabilities: () => set('setKeepcaps', 1),
    setCapabilities(capabilities) {
      // struct { u32 version; int pid; }, then twice struct { u32 effective, permitted, inheritable; }.
      const header = Buffer.alloc(8);
      header.writeUInt32LE(CAPABILITY_VERSION_3);
      const data = Buffer.alloc(24);
      for (const word of [0, 1]) {
        const half = Number((capabilities >> BigInt(32 * word)) & 0xffff_ffffn);
        data.writeUInt32LE(half, 12 * word);
        data.writeUInt32LE(half, 12 * word + 4);
      }
      check('capset', libc.capset(header as Pointer<void>, data as Pointer<void>));
    },
    forbidNewRights: () => set('setNoNewPrivs', 1),
    parentDeathSignal() {
      const signal = Buffer.alloc(4);
      check('prctl getPdeathsig', get(PR.getPdeathsig, signal as Pointer<void>, 0, 0, 0));
      return signal.readInt32LE();
    },
    setParentDeathSignal: (signal) => set('setPdeathsig', signal),
  };
}

function openTrim(): (padBytes: number) => number {
  try {
    const malloc = ffi.Library(null, { malloc_trim: ['int', ['size_t']], mallopt: ['int', ['int', 'int']] });
    // The compiler's threads would each keep an arena of their own.
    malloc.mallopt(M_ARENA_MAX, 1);
    return malloc.malloc_trim;
  } catch {
    return () => 0;
  }
}
