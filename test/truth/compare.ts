/** Every row of a scenario's namespaces against what must be there. */
import { describe, holds } from './check.ts';
import type { Short } from './excuses.ts';
import { type Expectation, isRow } from './expected.ts';
import { isOnlyLate } from './lateness.ts';
import type { Row } from './rows.ts';
import type { Snmp } from './snmp.ts';
import { connectionSums, namespaceSums, type Sum, sumsSoFar } from './sums.ts';
import { NOTHING_UNTOLD, type Untold, withoutUntold } from './untold.ts';

export interface Comparison {
  readonly rows: number;
  readonly fields: number;
  /** One line a row that says something untrue, or a sum that does not come out. */
  readonly wrong: readonly string[];
  /** Rows that are wrong in nothing but what a late one cannot know. */
  readonly late: readonly string[];
  /** Sums that lack something: wrong beyond what the agent tells of skipped runs. */
  readonly short: readonly Short[];
  readonly missing: readonly string[];
  readonly invented: readonly string[];
}

export interface Seen {
  readonly namespace: number;
  readonly rows: readonly Row[];
  /** Undefined: the agent saw only a part of the namespace's life. */
  readonly snmp: Snmp | undefined;
}

const nameOf = (row: Row): string =>
  `${row['kind']} ${row['role']} ${row['local_port']}→${row['peer_port']} cookie ${row['socket_cookie']}/${row['generation']}`;

function wrongFields(row: Row, { fields }: Expectation): readonly string[] {
  return Object.entries(fields)
    .filter(([name, wanted]) => !holds(wanted, row[name] ?? '(absent)', row))
    .map(([name, wanted]) => `${name}: expected ${describe(wanted, row)}, got ${row[name] ?? '(absent)'}`);
}

/** The expectation that the row fits best, of those that have room; of equals, the one that says most. */
function choose(row: Row, candidates: readonly Expectation[]): Expectation | undefined {
  const size = ({ fields, key }: Expectation): number => Object.keys(fields).length + Object.keys(key).length;
  const ranked = candidates.map((one) => ({ one, untrue: wrongFields(row, one).length }));
  return ranked.toSorted((a, b) => a.untrue - b.untrue || size(b.one) - size(a.one))[0]?.one;
}

/** `elsewhere`: rows of the scenario in namespaces that are not its. */
export function compare(
  all: readonly Expectation[],
  seen: readonly Seen[],
  untold: Untold = NOTHING_UNTOLD,
  elsewhere: readonly Row[] = [],
): Comparison {
  const expectations = withoutUntold(all, untold);
  const wrong: string[] = [];
  const late: string[] = [];
  const short: Short[] = [];
  const missing: string[] = [];
  const invented: string[] = [];
  const taken = new Map<Expectation, number>();
  let rows = elsewhere.length;
  let fields = 0;
  for (const row of elsewhere)
    invented.push(`${nameOf(row)} in network namespace ${row['network_namespace']} at ${row['ts']}`);

  const sum = (name: string, namespace: number, { what, wanted, got, lack }: Sum): void => {
    fields += 1;
    if (holds(wanted, got, {})) return;
    const line = `${name}: ${what}: expected ${describe(wanted, {})}, got ${got}`;
    if (lack) short.push({ line, namespace, lack });
    else wrong.push(line);
  };

  for (const { namespace, rows: all, snmp } of seen) {
    const here = expectations.filter((expectation) => expectation.namespace === namespace);
    for (const row of all) {
      rows += 1;
      const room = here.filter((one) => isRow(row, one) && (taken.get(one) ?? 0) < one.most);
      const fit = choose(row, room);
      if (!fit) {
        invented.push(`${nameOf(row)} verdict ${row['verdict']} at ${row['ts']}`);
        continue;
      }
      taken.set(fit, (taken.get(fit) ?? 0) + 1);
      const untrue = wrongFields(row, fit);
      fields += Object.keys(fit.fields).length + Object.keys(fit.key).length;
      if (untrue.length > 0)
        (isOnlyLate(row, fit) ? late : wrong).push(`${nameOf(row)}: ${untrue.join('; ')}`);
      if (snmp && (row['kind'] === 'close' || row['kind'] === 'fail'))
        for (const one of connectionSums(row, all, snmp, untold)) sum(nameOf(row), namespace, one);
      if (snmp && (row['kind'] === 'open' || row['kind'] === 'update'))
        for (const one of sumsSoFar(row, all)) sum(nameOf(row), namespace, one);
    }
    if (snmp)
      for (const one of namespaceSums(all, snmp, untold)) sum(`namespace ${namespace}`, namespace, one);
  }
  for (const expectation of expectations) {
    const lacking = expectation.least - (taken.get(expectation) ?? 0);
    for (let index = 0; index < lacking; index++)
      missing.push(`${expectation.kind} ${JSON.stringify(expectation.key)}`);
  }
  return { rows, fields, wrong, late, short, missing, invented };
}
