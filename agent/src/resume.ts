/**
 * Where the run before this one left a recording: its rows are those of the last batch in the spool, and the rings are
 * read from behind them. What a run had read and not spooled is still there.
 */
import type { RINGS } from '@tcptrail/schemas/enums.ts';
import { type Account, createAccount } from './encode/account.ts';
import type { SpoolTail } from './spool/spool.ts';

export interface ResumedRecording {
  readonly kernelEpoch: number;
  /** Else nothing of it is in the spool yet. */
  readonly isResumed: boolean;
  readonly rings: Readonly<
    Record<
      (typeof RINGS)[number],
      { readonly released: number; skipTo(position: number): void; release(): void }
    >
  >;
}

export interface ResumeDeps {
  readonly spool: { tail(kernelEpoch: number): SpoolTail | undefined };
  readonly notices: { accountLost(kernelEpoch: number): void };
}

type Spool = ResumeDeps['spool'];

/** Gives the account to go on with. */
export function resume(recording: ResumedRecording, deps: ResumeDeps): Account {
  const { kernelEpoch, isResumed, rings } = recording;
  if (!isResumed) return createAccount();
  const tail = deps.spool.tail(kernelEpoch);
  for (const { ring, position } of tail?.ring_positions ?? []) {
    // Killed between the spool and the ring: what is in both was told.
    rings[ring].skipTo(position);
    rings[ring].release();
  }
  if (!isLost(recording, deps.spool)) return createAccount(tail?.cpus);
  deps.notices.accountLost(kernelEpoch);
  return createAccount([], { isLost: true });
}

/** A run gave something of it back to the kernel, which was in the spool then, and no account of it is. */
export function isLost({ kernelEpoch, rings }: Omit<ResumedRecording, 'isResumed'>, spool: Spool): boolean {
  return Object.values(rings).some(({ released }) => released > 0) && !spool.tail(kernelEpoch)?.cpus.length;
}
