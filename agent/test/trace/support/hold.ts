/** Runs a trace of the instance given until it is killed; prints the epoch, then a line for each line it hears. */
import { createInterface } from 'node:readline';
import { startRecorder } from './recorder.ts';

const recorder = await startRecorder({ instance: process.argv[2] ?? '' });
console.log(recorder.trace.recording.kernelEpoch);
for await (const _ of createInterface({ input: process.stdin })) {
  const { seq } = await recorder.drain();
  console.log(JSON.stringify({ seq, rows: recorder.records.length }));
}
