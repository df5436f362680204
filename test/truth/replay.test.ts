import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureKind } from './failure.ts';
import { AGAIN_MAX, type Played, playAgain } from './replay.ts';
import type { Result } from './result.ts';
import type { Scenario } from './scenario.ts';

const scenarios = new Map<string, Scenario>();

function scenarioOf(name: string): Scenario {
  const known = scenarios.get(name) ?? { name, what: '', run: () => Promise.resolve() };
  scenarios.set(name, known);
  return known;
}

function played(unreached: number | undefined, failures: Readonly<Record<string, FailureKind[]>>): Played {
  const results = Object.entries(failures).map(
    ([name, kinds]): Result => ({
      scenario: scenarioOf(name),
      rows: 1,
      fields: 1,
      seconds: 1,
      failures: kinds.map((kind) => ({ kind, line: kind })),
    }),
  );
  return { results, unreached };
}

/** Plays what comes next, and notes what it was asked for. */
function plays(...next: Played[]) {
  const asked: string[][] = [];
  const said: string[] = [];
  const play = (chosen: readonly Scenario[]): Promise<Played> => {
    asked.push(chosen.map(({ name }) => name));
    const one = next.shift();
    return one ? Promise.resolve(one) : Promise.reject(new Error('played once too often'));
  };
  return { asked, said, run: (first: Played) => playAgain(first, play, (line) => said.push(line)) };
}

const failuresOf = ({ results }: Played): Record<string, FailureKind[]> =>
  Object.fromEntries(
    results.map(({ scenario, failures }) => [scenario.name, failures.map(({ kind }) => kind)]),
  );

test('what is missing, short or late is played again where calls reached no program, and counts as then played', async () => {
  const { asked, said, run } = plays(played(0, { a: [], b: [], c: ['missing'] }));
  const all = await run(played(7, { a: ['missing'], b: ['short'], c: ['late'], d: [] }));
  assert.deepEqual(asked, [['a', 'b', 'c']]);
  assert.deepEqual(failuresOf(all), { a: [], b: [], c: ['missing'], d: [] });
  assert.deepEqual([all.unreached, all.again], [7, { a: 1, b: 1, c: 1 }]);
  assert.match(said.join('\n'), /7 calls .*\n.*: a, b, c$/);
});

test('what lacks more than the calls that reached no program explain is not played again', async () => {
  const { asked, said, run } = plays(played(0, { a: [] }));
  const lacking = (lines: number): FailureKind[] => Array.from({ length: lines }, () => 'missing');
  const { results } = await run(played(1, { a: lacking(4) }));
  assert.deepEqual(asked, []);
  assert.equal(results[0]?.failures.length, 4);
  assert.match(said.join('\n'), /4 lines/);
  await run(played(1, { a: lacking(3) }));
  assert.deepEqual(asked, [['a']]);
});

test('what is wrong, invented, overdue or broken off is never played again, whatever else it lacks', async () => {
  const { asked, run } = plays();
  const first = played(7, {
    a: ['wrong'],
    b: ['missing', 'invented'],
    c: ['missing', 'wrong'],
    d: ['overdue'],
    e: ['failed'],
  });
  const all = await run(first);
  assert.deepEqual([asked, all.again], [[], {}]);
  assert.deepEqual(failuresOf(all), failuresOf(first));
});

test('nothing is played again without evidence, also where there can be none', async () => {
  for (const unreached of [0, undefined]) {
    const { asked, said, run } = plays();
    const all = await run(played(unreached, { a: ['missing'] }));
    assert.deepEqual([asked, said, all.unreached], [[], [], unreached]);
  }
});

test('each time needs its own evidence, and there are three at most', async () => {
  const lacking = (unreached: number) => played(unreached, { a: ['missing'] });
  const once = plays(lacking(0));
  assert.deepEqual((await once.run(lacking(5))).again, { a: 1 });
  const always = plays(...Array.from({ length: AGAIN_MAX }, () => lacking(5)));
  const all = await always.run(lacking(5));
  assert.deepEqual([all.again, all.unreached], [{ a: AGAIN_MAX }, 5 + 5 * AGAIN_MAX]);
});

test('a scenario that turns out wrong when played again stays wrong', async () => {
  const { asked, run } = plays(played(5, { a: ['wrong'] }));
  const all = await run(played(5, { a: ['missing'] }));
  assert.deepEqual([asked, failuresOf(all)], [[['a']], { a: ['wrong'] }]);
});
