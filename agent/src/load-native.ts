import { createRequire } from 'node:module';
import { agentError } from './errors.ts';

// As it is loaded, ffi-napi makes V8 collect garbage a dozen times, which is cheap while there is little of it.
try {
  createRequire(import.meta.url)('./library.ts');
} catch {
  // Told below, when it is needed.
}

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
