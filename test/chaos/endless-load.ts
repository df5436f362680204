/** Connections without end until told to stop, and the truth of all of them. */
import { runLoad } from '../harness/load.ts';
import type { Truth } from '../load/connections.ts';

export function startEndlessLoad(): { stop(): Promise<readonly Truth[]> } {
  let running = true;
  const done = (async () => {
    const truths: Truth[] = [];
    for (let seed = 1; running; seed++)
      truths.push(...(await runLoad({ count: 400, refused: 20, seed, concurrency: 8, pauseMs: 5 })));
    return truths;
  })();
  // Told by stop: a rejection while nobody waits would end the test before what it started is ended.
  done.catch(() => {});
  return {
    async stop() {
      running = false;
      return await done;
    },
  };
}
