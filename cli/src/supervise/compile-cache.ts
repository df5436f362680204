/**
 * Where Node.js keeps what it compiled (NODE_COMPILE_CACHE, which bin/tcptrail sets for root). A part that is not root's
 * has a folder of its own below it: what root runs, nobody else may write.
 */
import { join } from 'node:path';
import { type Account, ROOT } from './account.ts';

/** undefined: nothing is kept. */
export function compileCacheOf({ uid, name }: Account): string | undefined {
  const folder = process.env['NODE_COMPILE_CACHE'];
  return !folder || uid === ROOT.uid ? folder : join(folder, name);
}
