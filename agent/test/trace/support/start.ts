/** Starts a trace and prints what it says when it cannot. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { createTrace } from '../../../src/trace/trace.ts';
import { instanceName } from './recorder.ts';

const trace = createTrace(
  { instance: instanceName(), ring: { lifecycleBytes: 65_536, chatterBytes: 65_536 } },
  { nowUs: () => 1 },
);
try {
  trace.start();
  console.log('started');
  trace.close({ forget: 'instance' });
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  console.log(`${error.code} ${error.exitCode} ${error.message}`);
}
