/** Letters with what became of them, each once, and the choice of those that a command is about. */

import { glance } from '@tcptrail/consumer/consume/glance.ts';
import { toNewest } from '@tcptrail/consumer/consume/schema-versions.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { unframe } from '@tcptrail/schemas/single-object.ts';
import { cliError } from '../errors.ts';
import { type Letter, placeOf } from './letters.ts';
import { type State, statesOf } from './outcomes.ts';
import type { Dlq } from './source.ts';

/** A letter without its bytes: all of them together may be large. */
export interface Listed extends Omit<Letter, 'value'> {
  /** Bytes. */
  readonly size: number;
  readonly state: State;
  /** Host of the batch; '' where it cannot be read. */
  readonly host: string;
}

/** Oldest first. Throws KAFKA_*, CLICKHOUSE_*, CLI_SPOOL_UNREADABLE. */
export async function gather({ box, clickhouse }: Dlq): Promise<readonly Listed[]> {
  const found = new Map<string, Omit<Listed, 'state'>>();
  await box.each(({ value, ...letter }) => {
    // Put twice when the consumer was killed before its commit.
    if (found.has(placeOf(letter))) return;
    found.set(placeOf(letter), { ...letter, size: value?.length ?? 0, host: hostOf({ ...letter, value }) });
  });
  const letters = [...found.values()];
  const states = await statesOf(clickhouse, letters);
  return letters.map((letter) => ({ ...letter, state: states.get(placeOf(letter)) ?? 'parked' }));
}

export interface Choice {
  readonly all?: boolean;
  readonly reason?: string;
}

/** Those named by `ids`, else those still parked that `choice` says. Throws CLI_USAGE, CLI_NO_LETTER. */
export function choose(
  letters: readonly Listed[],
  ids: readonly string[],
  asked: Choice & { readonly place: string; readonly command: string },
): readonly Listed[] {
  const isOpen = ids.length === 0;
  if (isOpen && !asked.all && asked.reason === undefined) {
    throw cliError('CLI_USAGE', ['name letters by their ids, or give --reason or --all', asked.command]);
  }
  if (!isOpen) return ids.map((id) => named(letters, id, asked.place));
  return letters.filter(
    ({ state, reason }) => state === 'parked' && (asked.reason === undefined || asked.reason === reason),
  );
}

export function named(letters: readonly Listed[], id: string, place: string): Listed {
  const letter = letters.find((one) => one.id === id);
  if (!letter) throw cliError('CLI_NO_LETTER', [id, place]);
  return letter;
}

/** The bytes of the chosen ones, each handed out once. */
export async function withBytes(
  { box }: Dlq,
  chosen: readonly Listed[],
  use: (letter: Letter) => void,
): Promise<void> {
  const ids = new Set(chosen.map(({ id }) => id));
  await box.each((letter) => {
    if (ids.delete(letter.id)) use(letter);
  });
}

function hostOf({ form, value }: Pick<Letter, 'form' | 'value'>): string {
  if (value === null || form === 'damage') return '';
  try {
    const { fingerprint, datum } = unframe(value);
    return glance(toNewest(fingerprint, datum))?.identity.hostId ?? '';
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return '';
  }
}
