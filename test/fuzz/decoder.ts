/** `make fuzz [MESSAGES=10000000] [SEED=1]`: see fuzz-decoder.ts. The last line is a JSON object. */
import { fuzzDecoder } from './fuzz-decoder.ts';

const MESSAGES = Number(process.env['MESSAGES'] || 10_000_000);
const SEED = Number(process.env['SEED'] || 1);
const TELL_EVERY = 100_000;

const fuzzed = fuzzDecoder({ messages: MESSAGES, seed: SEED }, ({ messages, stored, parked, rows }) => {
  if (messages % TELL_EVERY > 0) return;
  console.error(
    `${messages} messages: ${stored} stored with ${rows} rows as avsc reads them, ${parked} parked`,
  );
});
console.log(JSON.stringify({ seed: SEED, ...fuzzed }));
