/** What the load's own log says of each side of each connection, and what SQL says, as lines to compare. */
import assert from 'node:assert/strict';
import type { Truth } from '../load/connections.ts';

interface Row {
  readonly side: string;
  readonly pid: number;
  readonly comm: string;
  readonly executable: string;
  readonly local_address: string;
  readonly local_port: number;
  readonly peer_address: string;
  readonly peer_port: number;
  readonly bytes_sent: string;
  readonly bytes_received: string;
  readonly errno: number;
}

type Rows = <T>(query: string, params?: Record<string, unknown>) => Promise<T[]>;

export interface Look {
  /** As the agent of this host saw it; absent: any. */
  readonly host?: string;
  /** False leaves out the executable: an agent looks it up too late when the process was short. */
  readonly executable?: boolean;
}

/** One line for each side that ended, of the load's processes. */
export async function sidesStored(
  rows: Rows,
  truths: readonly Truth[],
  { host = '', executable: isTold = true }: Look = {},
): Promise<string[]> {
  const found = await rows<Row>(
    `SELECT if(kind = 'fail', 'refused', toString(role)) AS side, pid, comm, executable, local_address, local_port,
            peer_address, peer_port, bytes_sent, bytes_received, errno
     FROM tcp_events
     WHERE pid IN {pids:Array(UInt32)} AND kind IN ('close', 'fail') AND ({host:String} = '' OR host_id = {host:String})`,
    { pids: [...new Set(truths.map((truth) => truth.pid))], host },
  );
  return found
    .map((row) => {
      const { side, pid, comm, executable, bytes_sent: sent, bytes_received: received, errno } = row;
      const ends = `${row.local_address}:${row.local_port} > ${row.peer_address}:${row.peer_port}`;
      return `${side} ${ends} ${pid} ${comm} ${isTold ? executable : ''} sent ${sent} received ${received} errno ${errno}`;
    })
    .toSorted();
}

const mapped = (address: string): string => (address.includes('.') ? `::ffff:${address}` : address);

export function sidesTrue(truths: readonly Truth[], { executable: isTold = true }: Look = {}): string[] {
  return truths
    .map((truth) => {
      const { side, pid, comm, bytesSent: sent, bytesReceived: received, errno } = truth;
      const ends = `${mapped(truth.localAddress)}:${truth.localPort} > ${mapped(truth.peerAddress)}:${truth.peerPort}`;
      return `${side} ${ends} ${pid} ${comm} ${isTold ? process.execPath : ''} sent ${sent} received ${received} errno ${errno}`;
    })
    .toSorted();
}

/** Says what is missing and what is too much, a few lines of each: thousands would hide it. */
export function assertSameLines(found: readonly string[], expected: readonly string[]): void {
  const [missing, extra] = [without(expected, found), without(found, expected)];
  const first = (lines: readonly string[]): string => lines.slice(0, 3).join('\n  ');
  assert.ok(
    missing.length + extra.length === 0,
    `${missing.length} missing:\n  ${first(missing)}\n${extra.length} too many:\n  ${first(extra)}`,
  );
}

/** Of `lines`, each as often as it stands there more than in `others`. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of others) counts.set(line, (counts.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const left = counts.get(line) ?? 0;
    counts.set(line, left - 1);
    return left <= 0;
  });
}
