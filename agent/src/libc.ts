/**
 * The few libc calls JavaScript has no way to: two clocks, giving freed memory back, a lock that dies with its process,
 * the place in the disk's queue, and the rights of a thread. Set-up and once-a-second calls only (about 3 µs each).
 */

import { constants } from 'node:os';
import ffi from 'ffi-napi';
import type { Pointer } from 'ref-napi';
import { openLibrary } from './library.ts';
import type { ThreadRights } from './privilege/drop.ts';
import { createThreadRights } from './privilege/thread-rights.ts';

const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;
/** malloc.h */
const M_ARENA_MAX = -8;
const LOCK_EX_NB = 2 | 4;
const IOPRIO_WHO_PROCESS = 1;
const IOPRIO_CLASS_SHIFT = 13;
/** The C library has no function for it. */
const IOPRIO_SET: Partial<Record<string, number>> = { x64: 251, arm64: 30 };

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
  /** ioprio_set(2) of one thread: 0 or the errno. */
  setIoPriority(threadId: number, of: { readonly ioClass: number; readonly level: number }): number;
}

export function createLibc(): Libc {
  const libc = openLibrary(null, {
    clock_gettime: ['int', ['int', 'void *']],
    flock: ['int', ['int', 'int']],
    syscall: ['long', ['long', 'long', 'long', 'long']],
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
    setIoPriority(threadId, { ioClass, level }) {
      const number = IOPRIO_SET[process.arch];
      if (number === undefined) return constants.errno.ENOSYS;
      const priority = (ioClass << IOPRIO_CLASS_SHIFT) | level;
      return Number(libc.syscall(number, IOPRIO_WHO_PROCESS, threadId, priority)) === 0 ? 0 : ffi.errno();
    },
    rights: createThreadRights(),
  };
}

function openTrim(): (padBytes: number) => number {
  try {
    const malloc = openLibrary(null, { malloc_trim: ['int', ['size_t']], mallopt: ['int', ['int', 'int']] });
    // The compiler's threads would each keep an arena of their own.
    malloc.mallopt(M_ARENA_MAX, 1);
    return malloc.malloc_trim;
  } catch {
    return () => 0;
  }
}
