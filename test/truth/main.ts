/**
 * The truth suite: programs in network namespaces of their own say what truly happened; every row that an agent made
 * of it is compared.
 *
 *   node test/truth/main.ts [NAME…]
 *
 * The last line of its output is one JSON object. WRITE=1 writes docs/accuracy.md; TRUTH_BIN is a folder with a ready
 * program; TRUTH_FOLLOW=1 tells on stderr when each scenario starts and ends.
 */
import { ActorEnded } from './channel.ts';
import { FAILURE_KINDS } from './failure.ts';
import { playAgain } from './replay.ts';
import { checkReport, writeReport } from './report.ts';
import { count, type Result } from './result.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { playSuite, type SuitePlayed } from './suite.ts';

/** Lines of one kind that are printed of one scenario. */
const LINES_MAX = 12;

function choose(names: readonly string[]): readonly Scenario[] {
  const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new Error(`no such scenario: ${unknown.join(', ')}`);
  return names.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => names.includes(name));
}

function print({ scenario, rows, fields, failures, seconds }: Result): void {
  const mark = failures.length === 0 ? '✔' : '✖';
  console.log(`${mark} ${scenario.name}: ${rows} rows, ${fields} fields (${seconds.toFixed(1)} s)`);
  for (const kind of FAILURE_KINDS) {
    const lines = failures.filter((failure) => failure.kind === kind).map(({ line }) => line);
    for (const line of lines.slice(0, LINES_MAX)) console.log(`    ${kind.padEnd(9)} ${line}`);
    if (lines.length > LINES_MAX) console.log(`    ${kind.padEnd(9)} … and ${lines.length - LINES_MAX} more`);
  }
}

async function main(names: readonly string[]): Promise<void> {
  const chosen = choose(names);
  const isWriting = process.env['WRITE'] === '1';
  // A guest brings a ready program, and no page.
  if (names.length === 0 && !isWriting && !process.env['TRUTH_BIN']) checkReport(SCENARIOS);
  const all: SuitePlayed[] = [];
  const play = async (scenarios: readonly Scenario[]): Promise<SuitePlayed> => {
    const played = await playSuite(scenarios);
    all.push(played);
    for (const result of played.results) print(result);
    return played;
  };
  const first = await play(chosen);
  const { results, unreached, again } = await playAgain(first, play, console.log);
  if (unreached === undefined)
    console.log('! how many calls reached no program is unknown: see unreached.ts');
  if (names.length === 0 && isWriting) writeReport({ results, unreached, again }, first.notCompared);
  const total = (of: (result: Result) => number): number => results.reduce((sum, one) => sum + of(one), 0);
  const summary = {
    scenarios: results.length,
    rows: total((one) => one.rows),
    fields: total((one) => one.fields),
    wrong: total((one) => count(one, 'wrong')),
    missing: total((one) => count(one, 'missing')),
    invented: total((one) => count(one, 'invented')),
    skipped_runs: all.reduce((sum, { skippedRuns }) => sum + skippedRuns, 0),
    // null: it cannot be known here.
    unreached: unreached ?? null,
    // A scenario → how many times.
    played_again: again,
  };
  if (results.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
  console.log(JSON.stringify(summary));
}

// A scenario that failed leaves calls under way, and nobody waits for them: what it failed by is told.
process.on('unhandledRejection', (error) => {
  if (!(error instanceof ActorEnded)) throw error;
});
await main(process.argv.slice(2));
