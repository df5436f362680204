/**
 * `ages.json`: how long ago each finished segment of the spool was finished, by a clock that nobody sets.
 *
 * Ages grow with the time since boot, suspend included. Over a reboot they go on from what was kept, so the time that
 * the machine was off, and at most SAVE_MS before that, do not count: a segment is never older than it is said to be.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BootTime {
  readonly bootId: string;
  /** Since boot, suspend included, ms. */
  readonly ms: number;
}

export interface Ages {
  /** 0 for a segment it has not yet seen finished, ms. */
  ofMs(segment: string): number;
  /** Keeps the ages of `finished` and of no other. A disk that refuses costs at most what a reboot would. */
  keep(finished: readonly string[]): void;
}

interface Content {
  readonly boot_id: string;
  readonly boot_ms: number;
  /** Segment → its age at `boot_ms`, ms. */
  readonly ages_ms: Readonly<Record<string, number>>;
}

const SAVE_MS = 600_000;

export function bootTime(): BootTime {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const [seconds] = readFileSync('/proc/uptime', 'utf8').split(' ');
  return { bootId, ms: Number(seconds) * 1_000 };
}

/** Ages as they are now by the file of `spool`; empty when there is none that can be read. */
export function readAges(spool: string, now: BootTime): ReadonlyMap<string, number> {
  try {
    const { boot_id, boot_ms, ages_ms } = JSON.parse(readFileSync(fileOf(spool), 'utf8')) as Content;
    const grownMs = Math.max(0, now.ms - (boot_id === now.bootId ? boot_ms : 0));
    const ages = Object.entries(ages_ms).filter(([, ms]) => Number.isFinite(ms) && ms >= 0);
    return new Map(ages.map(([segment, ms]) => [segment, ms + (Number.isFinite(grownMs) ? grownMs : 0)]));
  } catch {
    return new Map();
  }
}

export function createAges(spool: string, deps: { readonly now: () => BootTime } = { now: bootTime }): Ages {
  /** Segment → when it was finished, on the clock of this boot; below 0 for one of an earlier boot. */
  let since: Map<string, number> | undefined;
  let savedMs = 0;

  function load(): Map<string, number> {
    if (since) return since;
    const now = deps.now();
    since = new Map([...readAges(spool, now)].map(([segment, ms]) => [segment, now.ms - ms]));
    return since;
  }

  return {
    ofMs(segment) {
      const nowMs = deps.now().ms;
      return Math.max(0, nowMs - (load().get(segment) ?? nowMs));
    },
    keep(finished) {
      const before = load();
      const now = deps.now();
      since = new Map(finished.map((segment) => [segment, before.get(segment) ?? now.ms]));
      const isSame = since.size === before.size && finished.every((segment) => before.has(segment));
      if (isSame && now.ms - savedMs < SAVE_MS) return;
      if (save(spool, now, since)) savedMs = now.ms;
      // Then the next call tries again.
      else savedMs = now.ms - SAVE_MS;
    },
  };
}

function save(spool: string, now: BootTime, since: ReadonlyMap<string, number>): boolean {
  const ages = [...since].map(([segment, ms]) => [segment, Math.max(0, Math.round(now.ms - ms))]);
  const content: Content = {
    boot_id: now.bootId,
    boot_ms: Math.round(now.ms),
    ages_ms: Object.fromEntries(ages),
  };
  const file = fileOf(spool);
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(content)}\n`, { mode: 0o640, flush: true });
    renameSync(`${file}.new`, file);
    return true;
  } catch {
    return false;
  }
}

const fileOf = (spool: string): string => join(spool, 'ages.json');
