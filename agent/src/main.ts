/**
 * The command line of the agent:
 *
 *   node agent/src/main.ts [--config FILE] [--check | --print-config | --end]
 *
 * SIGTERM ends this run: the kernel goes on recording for the next one. SIGINT, or --end, ends the recording too.
 */
import { checkReport } from '@tcptrail/config/check.ts';
import { type ConfigSource, loadFrom } from '@tcptrail/config/load.ts';
import { printConfig } from '@tcptrail/config/print.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { argumentsOf } from './arguments.ts';
import { AGENT_CONFIG } from './config.ts';
import { END } from './end.ts';
import { loadNative } from './load-native.ts';
import { onHangUp } from './reload.ts';
import { isPinned } from './trace/pins.ts';

async function main(): Promise<void> {
  const asked = onHangUp();
  const { file, mode } = argumentsOf(process.argv.slice(2));
  const source: ConfigSource = { part: 'agent', file, env: process.env };
  const { config, again } = loadFrom(AGENT_CONFIG, source);
  if (mode === 'check') process.stdout.write(checkReport(AGENT_CONFIG, source));
  if (mode === 'print') process.stdout.write(printConfig(AGENT_CONFIG, config));
  if (mode === 'check' || mode === 'print' || (mode === 'end' && !isPinned(config.instance))) return;
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGINT', () => stop.abort(END));
  if (mode === 'end') stop.abort(END);
  await loadNative();
  const { runAgent } = await import('./agent.ts');
  const end = await runAgent(config, {
    stop: stop.signal,
    reload: { source: again, asked },
  });
  if (end === 'again' && !stop.signal.aborted) (await import('./guest.ts')).startAgain();
}

await main().catch((error: unknown) => {
  if (!(error instanceof AppError)) throw error;
  process.stderr.write(`tcptrail agent: ${error.message}\n`);
  process.exitCode = error.exitCode;
});
// A broker that does not answer must not hold up the end.
process.exit();
