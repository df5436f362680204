import { agentError } from './errors.ts';

/**
 * What calls into libraries of the system, loaded late: a tree without native modules can still say so.
 * Throws AGENT_NATIVE_MISSING.
 */
export async function loadNative() {
  try {
    const [{ createLibc }, { createTrace }] = await Promise.all([
      import('./libc.ts'),
      import('./trace/trace.ts'),
    ]);
    return { createLibc, createTrace };
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw agentError('AGENT_NATIVE_MISSING', [reason], { cause: error });
  }
}
