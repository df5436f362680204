/** What the running parts say of themselves: /healthz of each, whose text is the sentence in its log, and whether it is stopped. */
import type { RunFile } from '../supervise/run-file.ts';
import { type Check, fail, ok, warn } from './check.ts';

const ANSWER_MS_MAX = 3_000;
const PARTS = ['agent', 'consumer'] as const;

/** A part without a known port is not asked. */
export async function healthChecks(run: RunFile | undefined): Promise<readonly Check[]> {
  if (!run) return [];
  const checks: Check[] = [];
  for (const part of PARTS) {
    const port = run.metrics?.[part] ?? 0;
    if (port !== 0) checks.push(await healthCheck(`health of the ${part}`, port));
  }
  return checks;
}

async function healthCheck(name: string, port: number): Promise<Check> {
  const url = `http://127.0.0.1:${port}/healthz`;
  try {
    const answer = await ask(url);
    const text = (await answer.text()).trim();
    if (answer.ok && text === 'ok') return ok(name, 'says ok');
    const [found = '', ...remedy] = text.split('; ');
    // Starting it again would not help, so healthz does not ask for that.
    const metrics = await (await ask(`http://127.0.0.1:${port}/metrics`)).text();
    const isStopped = /^tcptrail_consumer_stopped 1$/m.test(metrics);
    return (answer.ok && !isStopped ? warn : fail)(name, found, remedy.join('; ') || 'see its log');
  } catch {
    return warn(name, `${url} does not answer`, 'see its log');
  }
}

function ask(url: string): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
}
