/** Letters under a legal hold: of a host, or of everything. Of addresses and users a letter tells nothing before it is stored. */
import { columnsOf } from '@tcptrail/consumer/keep/columns.ts';
import { bindingHolds, type Hold, holdText } from '@tcptrail/consumer/keep/holds.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { cliError } from '../errors.ts';
import type { Listed } from './gather.ts';

/** Throws CLICKHOUSE_*, CLI_LETTER_HELD. */
export async function assertNotHeld(clickhouse: ClickHouse, letters: readonly Listed[]): Promise<void> {
  // A database of before has none.
  if ((await columnsOf(clickhouse, 'holds')).size === 0) return;
  const holds = await bindingHolds(clickhouse);
  for (const letter of letters) {
    const hold = holds.find((each) => binds(each, letter));
    if (hold) throw cliError('CLI_LETTER_HELD', [letter.id, holdText(hold)]);
  }
}

/** The host of what could not be read is told by its spool alone. */
function binds({ kind, value, hostIds = [] }: Hold, { host, origin }: Listed): boolean {
  if (kind !== 'host') return kind === 'all';
  return [value, ...hostIds].some((id) => host === id || origin.startsWith(`spool:${id}:`));
}
