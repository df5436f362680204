/**
 * The truth suite: programs in network namespaces of their own say what truly happened; every row that an agent made
 * of it is compared.
 *
 *   node test/truth/main.ts [NAME…]
 *
 * The last line of its output is one JSON object. WRITE=1 writes docs/accuracy.md; TRUTH_BIN is a folder with a ready
 * program; TRUTH_FOLLOW=1 tells on stderr when each scenario starts and ends.
 */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ActorEnded } from './channel.ts';
import { type Comparison, compare } from './compare.ts';
import { CLOSE_WATCH, createTruth, type Finished } from './create-truth.ts';
import { createElsewhere } from './elsewhere.ts';
import { fieldsNotCompared } from './fields-compared.ts';
import { type Need, probeNeeds } from './needs.ts';
import { checkReport, type Result, writeReport } from './report.ts';
import type { Row } from './rows.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { type House, openHouse } from './stage.ts';
import { type Reach, watchReach } from './unreached.ts';
import { untoldOf } from './untold.ts';

/** They wait more than they work. */
const CONCURRENT = 8 * availableParallelism();

/** An emulated machine is slow. */
const SCENARIO_MS_MAX = 180_000;
/** Times that what failed is played again; each needs its own evidence. */
const AGAIN_MAX = 3;
/** Lines of one kind that are printed of one scenario. */
const LINES_MAX = 12;

interface Done {
  readonly scenario: Scenario;
  readonly finished?: Finished;
  readonly error?: Error;
  readonly seconds: number;
}

/** Whoever ends the suite before it is done must know which scenarios hung. */
function follow(what: 'starts' | 'ends', { name }: Scenario): void {
  if (process.env['TRUTH_FOLLOW'] === '1') process.stderr.write(`${name} ${what}\n`);
}

async function runOne(scenario: Scenario, house: House, rows: Finished['rows']): Promise<Done> {
  follow('starts', scenario);
  const done = await play(scenario, house, rows);
  follow('ends', scenario);
  return done;
}

async function play(scenario: Scenario, house: House, rows: Finished['rows']): Promise<Done> {
  const start = performance.now();
  const { truth, finish } = createTruth({
    stage: house.stageOf(scenario.name),
    rows,
    startAgent: house.startAgent,
    sharedAgent: house.sharedAgent,
  });
  let error: Error | undefined;
  await inTime(scenario.run(truth)).catch((thrown: Error) => {
    error = thrown;
  });
  try {
    const finished = await finish(error !== undefined);
    return { scenario, finished, seconds: seconds(start), ...(error ? { error } : {}) };
  } catch (thrown) {
    return { scenario, error: error ?? (thrown as Error), seconds: seconds(start) };
  }
}

/** A call that never returns must not hold up the suite. */
async function inTime(run: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const late = sleep(SCENARIO_MS_MAX, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`it took more than ${SCENARIO_MS_MAX} ms`);
  });
  await Promise.race([run, late]).finally(() => {
    late.catch(() => {});
    timer.abort();
  });
}

const seconds = (start: number): number => (performance.now() - start) / 1_000;

/** Rows of each scenario that stand outside its namespaces, in the spool of the agent that it compares. */
function elsewhereOf(done: readonly Done[]): ReadonlyMap<Finished, readonly Row[]> {
  const finished = done.flatMap((one) => one.finished ?? []);
  const found = new Map<Finished, Row[]>(finished.map((one) => [one, []]));
  for (const rows of new Set(finished.map((one) => one.rows))) {
    const { ownerOf } = createElsewhere(
      finished.filter((one) => one.rows === rows),
      statSync('/proc/self/ns/net').ino,
    );
    for (const row of rows.all()) {
      const of = ownerOf(row);
      if (of) found.get(of)?.push(row);
    }
  }
  return found;
}

function resultOf({ scenario, finished, error, seconds }: Done, elsewhere: readonly Row[]): Result {
  const nothing: Comparison = { rows: 0, fields: 0, wrong: [], short: [], missing: [], invented: [] };
  if (!finished) return { scenario, ...nothing, missing: [`it failed: ${error?.stack}`], seconds };
  const { expectations, networks, rows } = finished;
  const seen = networks.map(({ inode, snmp }) => ({ namespace: inode, rows: rows.of(inode), snmp }));
  const comparison = compare(expectations, seen, untoldOf(rows.missingPrograms()), elsewhere);
  const missing = error ? [`it failed: ${error.stack}`, ...comparison.missing] : comparison.missing;
  // What the kernel skipped is nobody's row, but the agent tells that it did.
  const wrong = [...comparison.wrong, ...rows.unexcused(comparison.short)];
  return { scenario, ...comparison, wrong, missing, seconds };
}

/** In order, as many at a time as may. */
async function runAll(
  scenarios: readonly Scenario[],
  run: (scenario: Scenario) => Promise<Done>,
): Promise<Done[]> {
  const waiting = [...scenarios];
  const done: Done[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) done.push(await run(next));
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
  return done;
}

function inOrder(scenarios: readonly Scenario[], done: readonly Done[]): readonly Done[] {
  return done.toSorted((a, b) => scenarios.indexOf(a.scenario) - scenarios.indexOf(b.scenario));
}

function choose(names: readonly string[]): readonly Scenario[] {
  const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new Error(`no such scenario: ${unknown.join(', ')}`);
  return names.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => names.includes(name));
}

function lackOf(scenario: Scenario, lacking: ReadonlyMap<Need, string>): string {
  const lack = scenario.needs?.filter((need) => lacking.has(need)) ?? [];
  return lack.map((need) => `${need}: ${lacking.get(need)}`).join('; ');
}

const isClean = ({ wrong, missing, invented }: Result): boolean =>
  wrong.length + missing.length + invented.length === 0;

function print(result: Result): void {
  const { scenario, rows, fields, wrong, missing, invented, seconds } = result;
  console.log(
    `${isClean(result) ? '✔' : '✖'} ${scenario.name}: ${rows} rows, ${fields} fields (${seconds.toFixed(1)} s)`,
  );
  for (const [kind, lines] of Object.entries({ wrong, missing, invented })) {
    for (const line of lines.slice(0, LINES_MAX)) console.log(`    ${kind.padEnd(9)} ${line}`);
    if (lines.length > LINES_MAX) console.log(`    ${kind.padEnd(9)} … and ${lines.length - LINES_MAX} more`);
  }
}

interface Played {
  readonly results: readonly Result[];
  readonly notCompared: readonly string[];
  readonly skippedRuns: number;
  /** 0 where it cannot be known. */
  readonly unreached: number;
}

async function playAll(chosen: readonly Scenario[]): Promise<Played> {
  const house = await openHouse();
  let reach: Reach | undefined;
  const abort = (signal: NodeJS.Signals): void => {
    process.stderr.write(`ended by ${signal}\n`);
    reach?.end();
    void house.close().finally(() => process.exit(1));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, abort);
  try {
    const lacking = await probeNeeds(house.stageOf('probes'));
    const rows = await house.startAgent();
    const able = chosen.filter((scenario) => lackOf(scenario, lacking) === '');
    await house.sharedAgent(CLOSE_WATCH);
    reach = watchReach();
    const together = await runAll(
      able.filter(({ startsAgent }) => !startsAgent),
      (scenario) => runOne(scenario, house, rows),
    );
    const apart = await runAll(
      able.filter(({ startsAgent }) => startsAgent),
      (scenario) => runOne(scenario, house, rows),
    );
    const unreached = reach?.end() ?? 0;
    reach = undefined;
    const done = inOrder(able, [...together, ...apart]);
    await house.stopAgents();
    const elsewhere = elsewhereOf(done);
    for (const line of house.confessions()) console.log(`! ${line}`);
    if (house.skippedRuns() > 0)
      console.log(
        `! the kernel skipped ${house.skippedRuns()} runs of programs: what is missing may be one of them`,
      );
    for (const scenario of chosen.filter((one) => !able.includes(one)))
      console.log(`- ${scenario.name}: skipped: ${lackOf(scenario, lacking)}`);
    return {
      results: done.map((one) => resultOf(one, (one.finished && elsewhere.get(one.finished)) ?? [])),
      notCompared: fieldsNotCompared(done.flatMap(({ finished }) => finished?.expectations ?? [])),
      skippedRuns: house.skippedRuns(),
      unreached,
    };
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, abort);
    reach?.end();
    await house.close();
  }
}

async function main(names: readonly string[]): Promise<void> {
  const chosen = choose(names);
  const isWriting = process.env['WRITE'] === '1';
  // A guest brings a ready program, and no page.
  if (names.length === 0 && !isWriting && !process.env['TRUTH_BIN']) checkReport(SCENARIOS);
  const first = await playAll(chosen);
  for (const result of first.results) print(result);
  let { results, unreached } = first;
  let again = 0;
  for (let last = first; last.unreached > 0 && again < AGAIN_MAX; again += 1) {
    console.log(
      `! ${last.unreached} calls of tracepoints reached no program: the host keeps them away at times`,
    );
    const failed = results.filter((result) => !isClean(result));
    if (failed.length === 0) break;
    console.log('! what failed is played again, as that may be why:');
    last = await playAll(failed.map(({ scenario }) => scenario));
    for (const result of last.results) print(result);
    const { results: newer } = last;
    results = results.map((one) => newer.find(({ scenario }) => scenario === one.scenario) ?? one);
    unreached += last.unreached;
  }
  const total = (of: (result: Result) => number): number => results.reduce((sum, one) => sum + of(one), 0);
  if (names.length === 0 && isWriting) writeReport(results, first.notCompared);
  const summary = {
    scenarios: results.length,
    rows: total((one) => one.rows),
    fields: total((one) => one.fields),
    wrong: total((one) => one.wrong.length),
    missing: total((one) => one.missing.length),
    invented: total((one) => one.invented.length),
    skipped_runs: first.skippedRuns,
    unreached,
    played_again: again,
  };
  if (summary.wrong + summary.missing + summary.invented > 0) process.exitCode = 1;
  console.log(JSON.stringify(summary));
}

// A scenario that failed leaves calls under way, and nobody waits for them: what it failed by is told.
process.on('unhandledRejection', (error) => {
  if (!(error instanceof ActorEnded)) throw error;
});
await main(process.argv.slice(2));
