/** What the command line of the agent asks for. */
import { parseArgs } from 'node:util';
import { CONFIG_OPTIONS } from '@tcptrail/config/arguments.ts';
import { agentError } from './errors.ts';

export interface Arguments {
  readonly file: string | undefined;
  /** `end`: tells what an earlier run left in the kernel, and ends that. */
  readonly mode: 'run' | 'end' | 'check' | 'print';
}

/** Throws AGENT_USAGE. */
export function argumentsOf(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...CONFIG_OPTIONS, end: { type: 'boolean' } },
    });
    const other = values.check ? 'check' : values['print-config'] ? 'print' : undefined;
    return { file: values.config, mode: other ?? (values.end ? 'end' : 'run') };
  } catch (error) {
    const problem = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    throw agentError('AGENT_USAGE', [problem], { cause: error });
  }
}
