/**
 * Makes a consumer an older one: `--import` it, and batches that hold the text TCPTRAIL_UNKNOWN_AGENT are of a schema
 * that it does not know.
 */
import { registerHooks } from 'node:module';

const unknown = process.env['TCPTRAIL_UNKNOWN_AGENT'];
const READS = 'export function toNewest(fingerprint: string, datum: Uint8Array): Uint8Array {';

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith('/consume/schema-versions.ts')) return loaded;
    const source = String(loaded.source);
    if (!source.includes(READS)) throw new Error(`${url} does not read versions as it did`);
    const refuses = `if (Buffer.from(datum).includes('${unknown}')) throw unknown('of a newer release', []);`;
    return { ...loaded, source: source.replace(READS, `${READS} ${refuses}`) };
  },
});
