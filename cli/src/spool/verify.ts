/** `tcptrail spool verify`: reads every block of the spool, and every cursor, and says what is damaged. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { createEventColumns, type EventColumns } from '@tcptrail/schemas/event-columns.ts';
import { bytes, plural } from '../terminal/human.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import { readersOf } from './readers.ts';
import { type SpoolOptions, segmentsOf, spoolPath } from './source.ts';
import { type Damage, type Found, walkSegment } from './walk.ts';
import { isWritten } from './writer.ts';

export interface VerifyOptions extends SpoolOptions {
  readonly json?: boolean;
}

/** What was read of a file, as `--json` prints it. */
export interface Verified {
  /** Path within the spool. */
  readonly file: string;
  readonly batches: number;
  readonly rows: number;
  readonly bytes: number;
  /** A block that an agent is writing: no damage. */
  readonly unfinished_bytes: number;
  readonly damages: readonly Omit<Damage, 'kind'>[];
}

/** Exit code 1 when something is damaged. Throws CLI_NO_SPOOL, CLI_SPOOL_UNREADABLE. */
export function verify(options: VerifyOptions): void {
  const spool = spoolPath(options);
  const style = styleFor(process.stdout);
  const all: Verified[] = [];
  for (const verified of verifySpool(spool)) {
    all.push(verified);
    process.stdout.write(options.json ? `${JSON.stringify(verified)}\n` : textOf(verified, style));
  }
  const damages = all.flatMap((verified) => verified.damages);
  if (damages.length > 0) process.exitCode = 1;
  if (!options.json) process.stdout.write(summaryOf(spool, all, style));
}

export function* verifySpool(spool: string): Generator<Verified> {
  const columns = createEventColumns();
  const segments = segmentsOf(spool);
  const isGrowing = isWritten(spool);
  for (const name of segments) {
    const walked = walkSegment(spool, name, { isGrowing: isGrowing && name === segments.at(-1) });
    if (!walked) continue;
    const damages: Omit<Damage, 'kind'>[] = [];
    let [batches, rows, unfinished] = [0, 0, 0];
    for (const found of walked.found) {
      const read = decoded(columns, found);
      if (read.kind === 'unfinished') unfinished = read.bytes;
      else if (read.kind === 'batch') [batches, rows] = [batches + 1, rows + read.rows];
      else {
        const { kind, ...damage } = read;
        damages.push(damage);
      }
    }
    const size = walked.bytes + unfinished;
    yield { file: name, batches, rows, bytes: size, unfinished_bytes: unfinished, damages };
  }
  for (const { name, place } of readersOf(spool)) {
    const why = 'it names no segment and position; its reader sets it aside and begins anew';
    const damage = { reason: 'CURSOR_DAMAGED', from: 0, bytes: 0, why };
    const damages = place ? [] : [damage];
    yield { file: `cursor/${name}.json`, batches: 0, rows: 0, bytes: 0, unfinished_bytes: 0, damages };
  }
}

/** Decodes its events as the consumer does, which looks at every value. */
function decoded(columns: EventColumns, found: Found): Found {
  if (found.kind !== 'batch') return found;
  const { from, bytes: size } = found;
  try {
    columns.append(found.datum, { origin: '', origin_partition: 0, origin_offset: 0 });
    return found;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return {
      kind: 'damage',
      reason: error.code,
      from,
      bytes: size,
      why: `a block is no batch: ${error.message}`,
    };
  } finally {
    columns.reset();
  }
}

function textOf(verified: Verified, style: Style): string {
  const { file, damages, unfinished_bytes: unfinished } = verified;
  const isWhole = damages.length === 0;
  const mark = isWhole ? style('green', '✔') : style('red', '✘');
  const writing = unfinished > 0 ? `, and ${bytes(unfinished)} that are being written` : '';
  const held = file.endsWith('.json')
    ? ''
    : `: ${plural(verified.batches, 'batch', 'batches')}, ${plural(verified.rows, 'row')}, ${bytes(verified.bytes)}${writing}`;
  const lines = damages.map(({ reason, from, bytes: size, why }) => {
    const where = reason === 'CURSOR_DAMAGED' ? '' : `byte ${from}, ${plural(size, 'byte')}: `;
    return `  ${style('red', reason)} ${where}${why}\n`;
  });
  return `${mark} ${file}${held}\n${lines.join('')}`;
}

function summaryOf(spool: string, all: readonly Verified[], style: Style): string {
  const sum = (of: (verified: Verified) => number): number =>
    all.reduce((total, verified) => total + of(verified), 0);
  const damages = sum((verified) => verified.damages.length);
  const batches = plural(
    sum((verified) => verified.batches),
    'batch',
    'batches',
  );
  const held = `${spool}: ${batches}, ${plural(
    sum((verified) => verified.rows),
    'row',
  )}`;
  if (damages === 0) return `\n${held}, ${style('green', 'nothing is damaged')}\n`;
  const lost = bytes(sum(({ damages: of }) => of.reduce((total, damage) => total + damage.bytes, 0)));
  return `\n${held}, ${style('red', `${plural(damages, 'damage')} of ${lost}`)}; readers pass over it and keep it in set-aside/\n`;
}
