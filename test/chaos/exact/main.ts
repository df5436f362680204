/**
 * `make chaos KILLS=1000 [SEED=7]`: the matrix for as long as it takes. Progress goes to stderr, the last line of
 * stdout is a JSON object; the exit code is 1 when a row is lost or doubled, or a tier says
 * otherwise than the rows.
 */
import { startKafka } from '../../harness/kafka.ts';
import { runMatrix } from './matrix.ts';
import { startStoreServer } from './store-server.ts';

const KILLS = Number(process.env['KILLS'] || 100);
const SEED = Number(process.env['SEED'] || 7);

const kafka = await startKafka();
const server = await startStoreServer();
try {
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const result = await runMatrix({ kafka, server }, { kills: KILLS, seed: SEED, tell });
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.lost + result.doubled + result.invented + result.untrue > 0 ? 1 : 0;
} finally {
  await server.stop();
  await kafka.stop();
}
