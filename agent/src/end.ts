/** The end of a run: what the rings hold goes into the spool, and from the kernel goes what no later run needs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import { agentError } from './errors.ts';

/** Reason of a stop that ends the recording too. */
export const END = 'end';

export interface EndDeps {
  readonly trace: {
    readonly recording: { readonly kernelEpoch: number };
    readonly isDetached: boolean;
    detach(): void;
  };
  readonly cycle: { finish(): boolean };
  readonly ended: { tell(currentEpoch: number): void };
  readonly previous: { readonly left: readonly number[]; tell(): Promise<void> };
  readonly telling: { readonly shipped: readonly CpuAccount[] };
  readonly spool: {
    readonly dropped: unknown;
    noteEnded(kernelEpoch: number, cpus: readonly CpuAccount[]): boolean;
    stop(): void;
  };
}

export interface End {
  /** What the next run does not need: nothing of it, the state, all of the instance. */
  readonly forget: 'nothing' | 'state' | 'instance';
  /** What was to go and stays for the next start. */
  readonly left: AppError | undefined;
}

/** `isEnd`: of the recording too; else the kernel goes on. */
export async function endRun({ isEnd }: { readonly isEnd: boolean }, deps: EndDeps): Promise<End> {
  const { trace, spool, previous, telling } = deps;
  const { kernelEpoch } = trace.recording;
  if (isEnd) trace.detach();
  let settled = false;
  // A batch that pushes another out of a full spool cannot count that in its own account: then one more.
  for (let dropped: unknown; dropped !== spool.dropped; ) {
    dropped = spool.dropped;
    deps.ended.tell(kernelEpoch);
    settled = deps.cycle.finish();
  }
  const cpus = telling.shipped;
  if (isEnd && previous.left.length > 0) await previous.tell();
  try {
    spool.stop();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { forget: 'nothing', left: error };
  }
  const isOver = trace.isDetached && settled && spool.noteEnded(kernelEpoch, cpus);
  const untold = [...previous.left, ...(isOver ? [] : [kernelEpoch])];
  const left = isEnd && untold.length > 0 ? agentError('AGENT_STATES_LEFT', [untold.join(', ')]) : undefined;
  if (!isOver) return { forget: 'nothing', left };
  return { forget: isEnd && !left ? 'instance' : 'state', left };
}

/** `send`: sends what is in the spool then, where something is to be sent. What the kernel records meanwhile is in the spool, too, when it resolves. */
export async function endRunAndSend(
  { isEnd, send }: { readonly isEnd: boolean; readonly send: () => Promise<void> | undefined },
  deps: EndDeps & { readonly cycle: { turn(): number } },
): Promise<End> {
  const end = await endRun({ isEnd }, deps);
  const sent = send();
  if (isEnd) await sent;
  else if (sent && (await readUntil(sent, deps.cycle))) return await endRun({ isEnd }, deps);
  return end;
}

/** Long enough for a Kafka that is well. */
const READ_MS = 100;

/**
 * What is left is sent, which may take seconds, and the kernel records on: the rings, which hold one second of a busy
 * host, are read meanwhile. True when they were; then the run is to be ended anew.
 */
export async function readUntil(
  sent: Promise<void>,
  cycle: { /** Gives how long to wait for the next, ms. */ turn(): number },
): Promise<boolean> {
  let isSent = false;
  const end = sent.then(() => {
    isSent = true;
  });
  let waitMs = READ_MS;
  for (let isRead = false; ; isRead = true) {
    await Promise.race([end, sleep(waitMs, undefined, { ref: false })]);
    if (isSent) return isRead;
    waitMs = cycle.turn();
  }
}
