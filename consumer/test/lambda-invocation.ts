/** One cold start of the Lambda's handler in a process of its own: the event is a file, the answer goes to stdout. */
import { readFileSync } from 'node:fs';
import { handler } from '../src/lambda.ts';

const [file = '', leftMs = '60000'] = process.argv.slice(2);
const event = JSON.parse(readFileSync(file, 'utf8'));
const answer = await handler(event, { getRemainingTimeInMillis: () => Number(leftMs) });
process.stdout.write(`${JSON.stringify(answer)}\n`);
// A container is frozen, not ended.
process.exit();
