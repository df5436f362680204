/** Letters under a legal hold: of a host, or of everything. Of addresses and users a letter tells nothing before it is stored. */
import { columnsOf } from '@tcptrail/consumer/keep/columns.ts';
import { bindingHolds, type Hold, holdText } from '@tcptrail/consumer/keep/holds.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { cliError } from '../errors.ts';
import type { Listed } from './gather.ts';

/** Those under a hold, each with the first that binds it. Throws CLICKHOUSE_*. */
export async function heldLetters(
  clickhouse: ClickHouse,
  letters: readonly Listed[],
): Promise<ReadonlyMap<Listed, Hold>> {
  // A database of before has none.
  if ((await columnsOf(clickhouse, 'holds')).size === 0) return new Map();
  const holds = await bindingHolds(clickhouse);
  const held = new Map<Listed, Hold>();
  for (const letter of letters) {
    const hold = holds.find((each) => binds(each, letter));
    if (hold) held.set(letter, hold);
  }
  return held;
}

/** Throws CLI_LETTER_HELD where any is. */
export function assertNoneHeld(held: ReadonlyMap<Listed, Hold>): void {
  const [letter] = held.keys();
  if (!letter) return;
  const holds = new Set([...held.values()].map(holdText));
  throw cliError('CLI_LETTER_HELD', [
    held.size === 1 ? `letter ${letter.id} is` : `${held.size} letters are`,
    [...holds].join(', '),
  ]);
}

/** The host of what could not be read is told by the key of its message, or by its spool. */
function binds({ kind, value, hostIds = [] }: Hold, { host, key, origin }: Listed): boolean {
  if (kind !== 'host') return kind === 'all';
  return [value, ...hostIds].some((id) => host === id || key === id || origin.startsWith(`spool:${id}:`));
}
