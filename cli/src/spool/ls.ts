/** `tcptrail spool ls`: one line a segment, oldest first. */
import { statSync } from 'node:fs';
import { bootTime, readAges } from '@tcptrail/spool/ages.ts';
import { parseSegmentName } from '@tcptrail/spool/segment-name.ts';
import { bytes, count, duration, plural } from '../terminal/human.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import { type Column, createTable } from '../terminal/table.ts';
import { type Reader, readersOf } from './readers.ts';
import { pathIn, type SpoolOptions, segmentsOf, spoolPath } from './source.ts';
import { walkSegment } from './walk.ts';
import { isWritten } from './writer.ts';

export interface LsOptions extends SpoolOptions {
  readonly json?: boolean;
}

/** A segment as `--json` prints it; a batch that is not there is null. */
export interface Listed {
  readonly segment: string;
  /** Start of the agent that wrote it, µs. */
  readonly agent_epoch: number;
  readonly batches: number;
  readonly rows: number;
  readonly bytes: number;
  /** Since it was finished; 0 while an agent writes it. */
  readonly age_ms: number;
  readonly writing: boolean;
  readonly first_batch: number | null;
  readonly last_batch: number | null;
  /** Bytes that are no batch. */
  readonly damaged_bytes: number;
  readonly readers: readonly ReaderThere[];
}

interface ReaderThere {
  readonly name: string;
  /** Bytes of this segment that it has read. */
  readonly position: number;
  readonly passed: boolean;
}

/** Throws CLI_NO_SPOOL, CLI_SPOOL_UNREADABLE. */
export function ls(options: LsOptions): void {
  const spool = spoolPath(options);
  const listed = listSpool(spool);
  process.stdout.write(
    options.json
      ? listed.map((segment) => `${JSON.stringify(segment)}\n`).join('')
      : tableOf(spool, listed, styleFor(process.stdout)),
  );
}

export function listSpool(spool: string): readonly Listed[] {
  const segments = segmentsOf(spool);
  const readers = readersOf(spool);
  const ages = readAges(spool, bootTime());
  const isGrowing = isWritten(spool);
  return segments.flatMap((name) => {
    const writing = isGrowing && name === segments.at(-1);
    const walked = walkSegment(spool, name, { isGrowing: writing });
    if (!walked) return [];
    const numbers: number[] = [];
    let rows = 0;
    let damaged = 0;
    let unfinished = 0;
    for (const found of walked.found) {
      if (found.kind === 'unfinished') unfinished = found.bytes;
      else if (found.kind === 'damage') damaged += found.bytes;
      else {
        rows += found.rows;
        numbers.push(found.envelope.batch_seq);
      }
    }
    const size = walked.bytes + unfinished;
    const there = readers.map((reader) => readerIn(reader, name, size));
    const listed: Listed = {
      segment: name,
      agent_epoch: parseSegmentName(name)?.agentEpoch ?? 0,
      batches: numbers.length,
      rows,
      bytes: size,
      age_ms: writing ? 0 : Math.round(ages.get(name) ?? sinceMs(pathIn(spool, name))),
      writing,
      first_batch: numbers[0] ?? null,
      last_batch: numbers.at(-1) ?? null,
      damaged_bytes: damaged,
      readers: there,
    };
    return [listed];
  });
}

/** Where the agent keeps no age of it: by the file, and the wall clock. */
function sinceMs(file: string): number {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? Math.max(0, Date.now() - stat.mtimeMs) : 0;
}

function readerIn({ name, place }: Reader, segment: string, size: number): ReaderThere {
  const isBehind = !place || place.segment < segment;
  const position = isBehind ? 0 : place.segment === segment ? Math.min(place.position, size) : size;
  return { name, position, passed: !isBehind && position === size };
}

const text = (name: string): Column => ({ name, type: 'String' });
const number = (name: string): Column => ({ name, type: 'Int64' });
const COLUMNS = [
  text('segment'),
  ...['batches', 'rows', 'bytes', 'age', 'first batch', 'last batch'].map(number),
  text('passed by'),
];

function tableOf(spool: string, listed: readonly Listed[], style: Style): string {
  const table = createTable({ columns: COLUMNS, style });
  for (const { segment, batches, rows, bytes: size, readers, ...more } of listed) {
    const age = more.writing ? 'writing' : duration(more.age_ms * 1_000);
    const numbers = [more.first_batch, more.last_batch].map((batch) =>
      batch === null ? '-' : String(batch),
    );
    const passed = readers.map((reader) => readerText(reader, size)).filter((one) => one !== '');
    table.push([
      segment,
      count(batches),
      count(rows),
      bytes(size),
      age,
      ...numbers,
      passed.join(', ') || '-',
    ]);
  }
  const rows = listed.reduce((sum, segment) => sum + segment.rows, 0);
  const size = listed.reduce((sum, segment) => sum + segment.bytes, 0);
  const damaged = listed.filter((segment) => segment.damaged_bytes > 0).length;
  const warning =
    damaged === 0
      ? ''
      : `${style('yellow', '!')} ${plural(damaged, 'segment')} with damage; 'tcptrail spool verify' says where\n`;
  return `${table.end()}\n${spool}: ${plural(listed.length, 'segment')}, ${plural(rows, 'row')}, ${bytes(size)}\n${warning}`;
}

/** Its name where it has passed, how far it is where it stands, nothing before. */
function readerText({ name, position, passed }: ReaderThere, size: number): string {
  if (passed) return name;
  return position === 0 ? '' : `${name} (${Math.floor((100 * position) / size)} %)`;
}
