/** Connections without end until told to stop. */
import { runLoad } from '../harness/load.ts';

export function startEndlessLoad(): { stop(): Promise<void> } {
  let running = true;
  const done = (async () => {
    for (let seed = 1; running; seed++) {
      await runLoad({ count: 400, refused: 20, seed, concurrency: 8, pauseMs: 5 });
    }
  })();
  return {
    async stop() {
      running = false;
      await done;
    },
  };
}
