/** One event of one connection as one line, the way `tail` and `up` print it. */
import { basename } from 'node:path';
import { endpoint } from './address.ts';
import { bytes, duration } from './human.ts';
import type { Colour, Style } from './style.ts';
import { cut, pad, printable } from './width.ts';

/** Columns of `tcp_events` that a line shows, as JSONEachRow gives them. */
export interface ConnectionRow {
  readonly kind: string;
  /** UTC, `2026-01-02 03:04:05.678901`. */
  readonly ts: string;
  readonly host_name: string;
  readonly role: string;
  readonly local_address: string;
  readonly local_port: number;
  readonly peer_address: string;
  readonly peer_port: number;
  readonly peer_name: string;
  readonly pid: number;
  readonly comm: string;
  readonly executable: string;
  readonly verdict: string;
  readonly errno: number;
  readonly retransmit_cause: string;
  readonly bytes_sent: number;
  readonly bytes_received: number;
  readonly duration_us: number;
  readonly rtt_us: number;
  readonly total_retrans: number;
  readonly connections: number;
  readonly reset_direction: string;
  readonly reset_reason: string;
  readonly attempts: number;
  readonly accept_queue: number;
  readonly accept_queue_max: number;
  readonly listen_drops: number;
}

export interface LineOptions {
  readonly style: Style;
  /** Shows the host in front of the process. */
  readonly host?: boolean;
  /** For a narrow terminal: whole seconds, the local port without its address, no round-trip time. */
  readonly narrow?: boolean;
  /** Minutes east of UTC; default: this machine's at that instant. */
  readonly offsetMinutes?: number;
}

const VERDICT_COLOURS: Readonly<Record<string, Colour>> = {
  closed_local: 'green',
  closed_peer: 'green',
  closed_both: 'green',
  unknown: 'dim',
  cancelled: 'yellow',
  unaccepted: 'yellow',
  fin_wait_2_orphan: 'yellow',
  disconnected: 'yellow',
  reset_sent: 'yellow',
  reset_received: 'yellow',
};
const ENDPOINT_COLUMNS = 21;
const PORT_COLUMNS = 6;
const PROCESS_COLUMNS = 22;
/** Terminals with fewer columns get the narrow form. */
export const WIDE_COLUMNS = 168;

export function connectionLine(row: ConnectionRow, options: LineOptions): string {
  const { style } = options;
  const isSummary = row.kind === 'summary';
  const ended = row.kind === 'close' || row.kind === 'fail' || isSummary;
  const what = ended ? row.verdict : row.kind;
  const colour = ended ? (VERDICT_COLOURS[row.verdict] ?? 'red') : 'blue';
  // A summary of several processes names none, and no port but the service's.
  const pid = `[${isSummary && row.pid === 0 ? '*' : row.pid}]`;
  const port = (number: number): number | '*' => (isSummary && number === 0 ? '*' : number);
  const process =
    row.pid === 0 && !isSummary ? '-' : `${cut(printable(nameOf(row)), PROCESS_COLUMNS - pid.length)}${pid}`;
  const local = options.narrow
    ? `:${port(row.local_port)}`
    : endpoint(row.local_address, port(row.local_port));
  const localColumns = options.narrow ? PORT_COLUMNS : ENDPOINT_COLUMNS;
  const peer = endpoint(row.peer_address, port(row.peer_port));
  const arrow = row.role === 'server' ? '←' : '→';
  const name = row.peer_name === '' ? '' : ` ${style('cyan', printable(row.peer_name))}`;
  const line = [
    style('dim', clock(row.ts, options)),
    style(colour, pad(what, 14)),
    ...(options.host ? [style('magenta', pad(cut(printable(row.host_name), 20), 12))] : []),
    style('bold', pad(process, PROCESS_COLUMNS)),
    `${pad(local, localColumns, 'right')} ${style('cyan', arrow)} ${pad(peer, ENDPOINT_COLUMNS)}${name}`,
    ...(WITHOUT_BYTES.includes(row.kind)
      ? []
      : [
          `${style('dim', '↑')} ${pad(bytes(row.bytes_sent), 8, 'right')}`,
          `${style('dim', '↓')} ${pad(bytes(row.bytes_received), 8, 'right')}`,
          pad(
            isSummary ? `ø ${duration(row.duration_us / row.connections)}` : duration(row.duration_us),
            9,
            'right',
          ),
        ]),
    details(row, options),
  ].join('  ');
  return line.trimEnd();
}

/** Kinds that are of no connection with bytes and a duration. */
const WITHOUT_BYTES = ['reset', 'half_open', 'listen', 'unlisten', 'listener'];

/** What such a line has instead. */
function tidings(row: ConnectionRow): string {
  if (row.kind === 'reset') return `${row.reset_direction} ${row.reset_reason}`.trimEnd();
  if (row.kind === 'half_open') return `SYN-ACKs ${row.attempts}`;
  const drops = row.listen_drops > 0 ? `  drops ${row.listen_drops}` : '';
  return `queue ${row.accept_queue} of ${row.accept_queue_max}${drops}`;
}

/** What only some lines have: retransmits, cause, folded connections; where there is room, the round-trip time. */
function details(row: ConnectionRow, { style, narrow }: LineOptions): string {
  const parts: string[] = [];
  if (WITHOUT_BYTES.includes(row.kind)) return style('yellow', printable(tidings(row)));
  if (row.rtt_us > 0 && !narrow) parts.push(style('dim', `rtt ${duration(row.rtt_us)}`));
  if (row.kind === 'retransmit') parts.push(style('yellow', row.retransmit_cause));
  else if (row.total_retrans > 0) parts.push(style('yellow', `retransmits ${row.total_retrans}`));
  if (row.connections > 1) parts.push(`${row.connections} connections`);
  if (row.kind === 'fail' && row.errno !== 0) parts.push(style('dim', `errno ${row.errno}`));
  return parts.join('  ');
}

/** Time of day in this machine's zone. */
function clock(ts: string, { offsetMinutes, narrow }: LineOptions): string {
  const utc = Date.parse(`${ts.slice(0, 23).replace(' ', 'T')}Z`);
  if (Number.isNaN(utc)) return pad(printable(ts), 12);
  const offset = offsetMinutes ?? -new Date(utc).getTimezoneOffset();
  return new Date(utc + offset * 60_000).toISOString().slice(11, narrow ? 19 : 23);
}

/** The head that names the columns of `connectionLine`. */
export function connectionHead(options: Omit<LineOptions, 'offsetMinutes'>): string {
  const head = [
    pad('time', options.narrow ? 8 : 12),
    pad('verdict', 14),
    ...(options.host ? [pad('host', 12)] : []),
    pad('process', PROCESS_COLUMNS),
    `${pad('local', options.narrow ? PORT_COLUMNS : ENDPOINT_COLUMNS, 'right')}   ${pad('peer', ENDPOINT_COLUMNS)}`,
    pad('sent', 10, 'right'),
    pad('received', 10, 'right'),
    pad('duration', 9, 'right'),
  ].join('  ');
  return options.style('dim', head);
}

/** The program rather than the kernel's short name: that is the main thread's, and runtimes rename theirs. */
function nameOf(row: Pick<ConnectionRow, 'comm' | 'executable'>): string {
  return basename(row.executable) || row.comm || 'process';
}
