/** What one kernel state recorded, read in place: its rings, its account and the names it kept. */
import type { BatchEnvelope } from '@tcptrail/schemas/batch.ts';
import { type Accounts, createAccounts, type KernelAccount } from './accounts.ts';
import { errnoName } from './errno.ts';
import { traceError } from './errors.ts';
import { type KernelState, releaseState } from './kernel-state.ts';
import type { Libbpf, Mapping } from './libbpf.ts';
import { createKernelNames, EXECUTABLE_BYTES, NAMES_BYTES } from './names.ts';
import { skippedRuns } from './programs.ts';
import { parseRecordLayout } from './record-layout.ts';
import { createRingBuffer, type RingBuffer } from './ring-buffer.ts';

/** The kernel's counts at one instant, and how far to drain so that every number up to them is told. */
export interface Sample {
  readonly accounts: readonly KernelAccount[];
  readonly upTo: { readonly lifecycle: number; readonly chatter: number };
}

export interface Recording {
  /** µs since the epoch: when this kernel state was made. */
  readonly kernelEpoch: number;
  /** An earlier run of the agent began it. */
  readonly isResumed: boolean;
  /** Records come as this version lays them out. */
  readonly rings: Readonly<Record<'lifecycle' | 'chatter', RingBuffer>>;
  readonly names: ReturnType<typeof createKernelNames>;
  /** undefined when an event was under way: ask at the next poll. */
  sample(): Sample | undefined;
  failedReserves(): BatchEnvelope['failed_reserves'][number][];
  skippedRuns(): BatchEnvelope['programs'][number][];
  /** State changes of sockets that got no storage. */
  untracked(): number;
  /** Its memory and file descriptors. */
  close(): void;
}

/** struct bpf_map_info up to max_entries. */
const MAP_INFO_BYTES = 20;
const VALUE_BYTES = 12;
const MAX_ENTRIES = 16;

/** Owns the state: `close` lets go of it, and so does an error. Throws TRACE_STATE when nothing can be read of it, TRACE_MAP. */
export function createRecording(
  libbpf: Libbpf,
  state: KernelState,
  { isResumed }: Pick<Recording, 'isResumed'>,
): Recording {
  const mappings: Mapping[] = [];

  function refuse(what: string, code: 'TRACE_MAP' | 'TRACE_STATE' = 'TRACE_MAP'): never {
    for (const mapping of mappings) mapping.unmap();
    releaseState(state);
    throw traceError(code, what);
  }
  function mapFd(name: string): number {
    return state.maps.get(name) ?? refuse(`${name} is not there`, 'TRACE_STATE');
  }
  function infoOf(name: string): { readonly valueBytes: number; readonly entries: number } {
    const info = libbpf.info(mapFd(name), MAP_INFO_BYTES) ?? refuse(`${name} (no information)`);
    return { valueBytes: info.readUInt32LE(VALUE_BYTES), entries: info.readUInt32LE(MAX_ENTRIES) };
  }
  function map(name: string, options: { offset: number; bytes: number; writable: boolean }): Mapping {
    const mapping = libbpf.mmap(mapFd(name), options);
    if (typeof mapping === 'number') refuse(`${name} (${options.bytes} bytes, ${errnoName(mapping)})`);
    mappings.push(mapping);
    return mapping;
  }

  const text = Buffer.alloc(infoOf('layout').valueBytes);
  if (!libbpf.lookup(mapFd('layout'), Buffer.alloc(4), text)) refuse('layout (no content)');
  const layout =
    parseRecordLayout(text.toString('latin1').replace(/\0.*$/s, '')) ??
    refuse('its layout is not understood', 'TRACE_STATE');

  function ring(name: 'lifecycle' | 'chatter'): RingBuffer {
    const page = libbpf.pageBytes;
    const size = infoOf(name).entries;
    const consumer = map(name, { offset: 0, bytes: page, writable: true });
    const producer = map(name, { offset: page, bytes: page + size, writable: false });
    const buffer = createRingBuffer({
      consumer: new BigUint64Array(consumer.memory, consumer.offset, 1),
      producer: new BigUint64Array(producer.memory, producer.offset, 1),
      words: new Uint32Array(producer.memory, producer.offset + page, size / 4),
      bytes: new Uint8Array(producer.memory, producer.offset + page, size),
      size,
      recordBytes: layout.recordBytes,
      translated: layout.translated,
    });
    return buffer;
  }

  const cpus = infoOf('accounts').entries;
  const accountBytes = infoOf('accounts').valueBytes;
  const memory = map('accounts', { offset: 0, bytes: cpus * accountBytes, writable: false });
  const words = new BigUint64Array(memory.memory, memory.offset, (cpus * accountBytes) / 8);
  const accounts: Accounts = createAccounts(words, { cpus, bytes: accountBytes });
  const rings = { lifecycle: ring('lifecycle'), chatter: ring('chatter') };
  /** What another version laid out otherwise is not looked at. */
  const lookUp = (name: string, valueBytes: number) => {
    const fd = mapFd(name);
    const isOurs = infoOf(name).valueBytes === valueBytes;
    return (key: Buffer, value: Buffer): boolean => isOurs && libbpf.lookup(fd, key, value);
  };

  return {
    kernelEpoch: state.kernelEpoch,
    isResumed,
    rings,
    names: createKernelNames({
      executables: lookUp('executables', EXECUTABLE_BYTES),
      cgroups: lookUp('cgroup_names', NAMES_BYTES),
    }),
    sample() {
      const sampled = accounts.sample();
      // Positions after the counts: what is counted was in its ring before.
      return (
        sampled && {
          accounts: sampled,
          upTo: { lifecycle: rings.lifecycle.producerPosition(), chatter: rings.chatter.producerPosition() },
        }
      );
    },
    failedReserves: () => accounts.failedReserves(),
    skippedRuns: () =>
      skippedRuns(libbpf, state.programs, { recovered: accounts.recovered(), absent: accounts.absent() }),
    untracked: () => accounts.untracked(),
    close() {
      for (const mapping of mappings) mapping.unmap();
      releaseState(state);
    },
  };
}
