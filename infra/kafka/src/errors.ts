/** A mistake that a person can mend; the message is one sentence: what, the value, the remedy. */
export class MendableError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Started in a wrong way. */
export const usageError = (message: string): MendableError => new MendableError(message, 2);

/** The host lacks something. */
export const hostError = (message: string): MendableError => new MendableError(message, 3);

/** Everything else that keeps Kafka from running. */
export const startError = (message: string): MendableError => new MendableError(message, 1);

/** Begins every line of ours on stderr; Kafka writes there too. */
export const PREFIX = 'local-kafka: ';

/** Tells of a mistake in one sentence, of anything else with its stack, and ends the process. */
export function exitWith(error: unknown): never {
  const mendable = error instanceof MendableError;
  const text = mendable ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${PREFIX}${text}\n`);
  process.exit(mendable ? error.exitCode : 1);
}
