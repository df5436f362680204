import { agentError } from './errors.ts';

/**
 * What calls C, to be loaded before the stages: a tree without native modules can then say so, and V8, which ffi-napi
 * makes collect garbage a dozen times, has little of it yet.
 *
 * Throws AGENT_NATIVE_MISSING.
 */
export async function loadNative(): Promise<void> {
  try {
    await import('./library.ts');
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw agentError('AGENT_NATIVE_MISSING', [reason], { cause: error });
  }
}
