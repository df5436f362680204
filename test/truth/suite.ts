/** Plays scenarios: together, as many at a time as the machine bears, and those that start agents at the end. */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { atOnce } from '../harness/at-once.ts';
import { Overdue } from '../harness/until.ts';
import { CLOSE_WATCH, createTruth, type Finished } from './create-truth.ts';
import { createElsewhere } from './elsewhere.ts';
import { fieldsNotCompared, type NotCompared } from './fields-compared.ts';
import { type Need, probeNeeds } from './needs.ts';
import type { Played } from './replay.ts';
import { type Done, resultOf } from './result.ts';
import type { Row } from './rows.ts';
import type { Scenario } from './scenario.ts';
import { type House, openHouse } from './stage.ts';
import { type Reach, watchReach } from './unreached.ts';

/** They wait more than they work. */
const CONCURRENT = 8 * availableParallelism();
/** An emulated machine is slow. */
const SCENARIO_MS_MAX = 180_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface SuitePlayed extends Played {
  readonly notCompared: readonly NotCompared[];
  readonly skippedRuns: number;
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
    throw new Overdue(`it took more than ${SCENARIO_MS_MAX} ms`);
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

function lackOf(scenario: Scenario, lacking: ReadonlyMap<Need, string>): string {
  const lack = scenario.needs?.filter((need) => lacking.has(need)) ?? [];
  return lack.map((need) => `${need}: ${lacking.get(need)}`).join('; ');
}

/** Tells on stdout what the agents missed and which scenarios this machine cannot play. */
export async function playSuite(chosen: readonly Scenario[]): Promise<SuitePlayed> {
  const opening = openHouse();
  let reach: Reach | undefined;
  const endReach = (): number | undefined => {
    const last = reach;
    reach = undefined;
    return last?.end();
  };
  const close = async (): Promise<void> => {
    try {
      endReach();
    } finally {
      await (await opening).close();
    }
  };
  let ending = false;
  const abort = (signal: NodeJS.Signals): void => {
    if (ending) return;
    ending = true;
    process.stderr.write(`ended by ${signal}; what is there is taken away\n`);
    void close().finally(() => process.exit(1));
  };
  for (const signal of SIGNALS) process.on(signal, abort);
  try {
    const house = await opening;
    const lacking = await probeNeeds(house.stageOf('probes'));
    const rows = await house.startAgent();
    const able = chosen.filter((scenario) => lackOf(scenario, lacking) === '');
    await house.sharedAgent(CLOSE_WATCH);
    reach = watchReach();
    const playEach = (scenarios: readonly Scenario[]): Promise<Done[]> =>
      atOnce(CONCURRENT, scenarios, (scenario) => runOne(scenario, house, rows));
    const together = await playEach(able.filter(({ startsAgent }) => !startsAgent));
    const apart = await playEach(able.filter(({ startsAgent }) => startsAgent));
    const unreached = endReach();
    const done = [...together, ...apart].toSorted(
      (a, b) => able.indexOf(a.scenario) - able.indexOf(b.scenario),
    );
    await house.stopAgents();
    const elsewhere = elsewhereOf(done);
    for (const line of house.confessions()) console.log(`! ${line}`);
    const skippedRuns = house.skippedRuns();
    if (skippedRuns > 0)
      console.log(`! the kernel skipped ${skippedRuns} runs of programs: what is missing may be one of them`);
    for (const scenario of chosen.filter((one) => !able.includes(one)))
      console.log(`- ${scenario.name}: skipped: ${lackOf(scenario, lacking)}`);
    return {
      results: done.map((one) => resultOf(one, (one.finished && elsewhere.get(one.finished)) ?? [])),
      notCompared: fieldsNotCompared(
        done
          .flatMap(({ finished }) => finished ?? [])
          .map(({ expectations, networks, rows }) => ({
            expectations,
            rows: networks.flatMap(({ inode }) => rows.of(inode)),
          })),
      ),
      skippedRuns,
      unreached,
    };
  } finally {
    for (const signal of SIGNALS) process.off(signal, abort);
    await close();
  }
}
