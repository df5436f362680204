import { parseCommandLine } from './config.ts';
import { exitWith, PREFIX, startError } from './errors.ts';
import { createKafka } from './kafka.ts';

try {
  const config = parseCommandLine(process.argv.slice(2), process.env);
  const kafka = createKafka(config, { say: (line) => process.stderr.write(`${PREFIX}${line}\n`) });
  process.on('SIGTERM', kafka.stop);
  process.on('SIGINT', kafka.stop);
  const stopped = kafka.ended.then((why) => {
    if (why === undefined) process.exit(0);
  });
  const address = await kafka.start();
  process.stdout.write(`${JSON.stringify({ ready: true, ...address })}\n`);
  await stopped;
  throw startError(`${await kafka.ended}: see what it wrote above, then start again`);
} catch (error) {
  exitWith(error);
}
