/** `tcptrail spool cat`: the rows of the spool as lines of JSON, oldest batch first. */
import { once } from 'node:events';
import { eventLines } from './event-lines.ts';
import { type SpoolOptions, segmentsOf, spoolPath } from './source.ts';
import { type Found, walkSegment } from './walk.ts';
import { isWritten } from './writer.ts';

/** Exit code 1 when something was damaged: it is told, and the rest printed. Throws CLI_NO_SPOOL, CLI_SPOOL_UNREADABLE. */
export async function cat(options: SpoolOptions): Promise<void> {
  const spool = spoolPath(options);
  const segments = segmentsOf(spool);
  const isGrowing = isWritten(spool);
  for (const name of segments) {
    const walked = walkSegment(spool, name, { isGrowing: isGrowing && name === segments.at(-1) });
    for (const found of walked?.found ?? []) await print(name, found);
  }
}

async function print(segment: string, found: Found): Promise<void> {
  if (found.kind === 'unfinished') return;
  if (found.kind === 'damage') {
    const { from, bytes, why } = found;
    process.stderr.write(`tcptrail: ${segment}: passed over ${bytes} bytes at byte ${from}: ${why}\n`);
    process.exitCode = 1;
    return;
  }
  if (!process.stdout.write(eventLines(found.datum).join(''))) await once(process.stdout, 'drain');
}
