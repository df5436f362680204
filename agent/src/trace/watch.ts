/**
 * What no hook tells, looked for again and again: iterators walk the kernel's maps and put what they find into the
 * rings.
 *
 * A read of 4 KiB returns after at most 512 events, and none is made while a ring is half full: a hundred thousand
 * connections do not flood it.
 */
import { closeSync, readSync } from 'node:fs';
import type { Libbpf } from './libbpf.ts';

export interface Watch {
  /** Goes on with the pass under way, or begins one when it is due, as long as there is `room`. */
  turn(now: { readonly nowMs: number; readonly room: () => boolean }): void;
  /** Passes that looked at everything to the end. */
  readonly passes: number;
  /** Time between the beginnings of two passes, from the next on. */
  setEveryMs(everyMs: number): void;
  close(): void;
}

const READ_BYTES = 4_096;

/** `links`: iterators, as file descriptors that stay the caller's. */
export function createWatch(
  config: { readonly everyMs: number; readonly links: readonly number[] },
  libbpf: Pick<Libbpf, 'iterate'>,
): Watch {
  const { links } = config;
  let { everyMs } = config;
  const output = Buffer.alloc(READ_BYTES);
  let dueMs = 0;
  /** Links that this pass has not walked yet. */
  let waiting: number[] = [];
  let fd: number | undefined;
  let passes = 0;
  /** Nothing of the pass under way was refused. */
  let whole = false;

  function next(): void {
    const link = waiting.shift();
    if (link === undefined) return;
    const made = libbpf.iterate(link);
    if (made < 0) whole = false;
    else fd = made;
  }

  function read(from: number): 'more' | 'later' | 'end' {
    try {
      return readSync(from, output) > 0 ? 'more' : 'end';
    } catch (error) {
      // A long way without finding anything, or no room: the kernel wants to be asked again.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 'later';
      whole = false;
      return 'end';
    }
  }

  return {
    get passes() {
      return passes;
    },
    turn({ nowMs, room }) {
      if (fd === undefined && waiting.length === 0) {
        if (nowMs < dueMs) return;
        dueMs = nowMs + everyMs;
        waiting = [...links];
        whole = true;
      }
      while (room()) {
        if (fd === undefined) next();
        if (fd === undefined) return;
        const found = read(fd);
        if (found === 'later') return;
        if (found === 'more') continue;
        closeSync(fd);
        fd = undefined;
        if (whole && waiting.length === 0) passes += 1;
      }
    },
    setEveryMs(next) {
      everyMs = next;
      dueMs = 0;
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}
