/** `tcptrail dlq discard`: gives letters up for good, and leaves who did, when and why. */
import { join } from 'node:path';
import { cliError } from '../errors.ts';
import { ask } from '../terminal/ask.ts';
import { bytes, plural } from '../terminal/human.ts';
import { type Choice, choose, gather, withBytes } from './gather.ts';
import { assertNoneHeld, heldLetters } from './held.ts';
import type { Letter } from './letters.ts';
import { parkedIn, record } from './outcomes.ts';
import { type DlqOptions, withDlq } from './source.ts';

export interface DiscardOptions extends DlqOptions, Choice {
  readonly why: string;
  readonly exceptHeld?: boolean;
  readonly yes?: boolean;
}

/** Throws CONFIG_*, KAFKA_*, CLICKHOUSE_*, CLI_LETTER_STORED, CLI_LETTER_HELD, CLI_NOT_CONFIRMED. */
export async function discardCommand(ids: readonly string[], options: DiscardOptions): Promise<void> {
  await withDlq(options, async (dlq) => {
    const { box, clickhouse } = dlq;
    const at = { ...options, place: box.place, command: 'tcptrail dlq discard' };
    const asked = choose(await gather(dlq), ids, at).filter(({ state }) => state !== 'discarded');
    const stored = asked.find(({ state }) => state === 'stored');
    if (stored) throw cliError('CLI_LETTER_STORED', [stored.id]);
    const held = await heldLetters(clickhouse, asked);
    if (!options.exceptHeld) assertNoneHeld(held);
    const chosen = asked.filter((letter) => !held.has(letter));
    if (chosen.length > 0 && !(await confirmed(options, chosen))) {
      process.stdout.write('nothing was discarded\n');
      return;
    }
    const letters: Letter[] = [];
    await withBytes(dlq, chosen, ({ value, ...letter }) => letters.push({ ...letter, value: null }));
    // The trace first: killed in between, the letter is there and known as discarded.
    for (const letter of letters) {
      const places = await parkedIn(clickhouse, letter, join(box.place, letter.id));
      await record(clickhouse, places, { outcome: 'discarded', why: options.why });
      box.remove(letter);
    }
    const staying =
      held.size === 0
        ? ''
        : `; ${plural(held.size, 'letter')} under a legal hold ${held.size === 1 ? 'stays' : 'stay'}`;
    process.stdout.write(
      `${plural(letters.length, 'letter')} discarded; 'completeness' counts their rows${staying}\n`,
    );
  });
}

async function confirmed(
  options: DiscardOptions,
  chosen: readonly { readonly size: number }[],
): Promise<boolean> {
  if (options.yes || process.env['YES'] === '1') return true;
  if (!process.stdin.isTTY) throw cliError('CLI_NOT_CONFIRMED', ['dlq discard']);
  const size = chosen.reduce((sum, letter) => sum + letter.size, 0);
  return await ask(`Give up ${plural(chosen.length, 'letter')}, ${bytes(size)}, for good?`);
}
