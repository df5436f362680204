import { open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { ClickHouseException } from './exception.ts';
import { createLz4Decompressor } from './lz4-frame.ts';

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
  lz4: createLz4Decompressor,
};

/** Each write is a way to a thread and back; a socket gives 64 KiB at most. */
const WRITE_BYTES_MIN = 1024 * 1024;

/** The decompressed body of a request, read piece by piece. */
export interface RequestBody {
  /**
   * Up to `bytesMax` bytes from the start, and whether that is all. The bytes stay in the body.
   * All methods throw ClickHouseException when the bytes do not decompress or the client goes away.
   */
  peek(bytesMax: number): Promise<{ readonly head: Buffer; readonly whole: boolean }>;
  /** Writes `before` and the body, its first `skip` bytes left out, to `file`; resolves once it is there in full. */
  save(file: string, part: { readonly before: Buffer; readonly skip: number }): Promise<void>;
}

/** Throws ClickHouseException for an unknown Content-Encoding. */
export function openRequestBody(request: IncomingMessage): RequestBody {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  const decoder = DECODERS[encoding];
  if (decoder === undefined && encoding !== 'identity')
    throw new ClickHouseException('UNKNOWN_COMPRESSION_METHOD', `Unknown compression method: ${encoding}`);
  const source = decoded(request, decoder)[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  let heldBytes = 0;
  let ended = false;

  async function pull(): Promise<void> {
    const next = await source.next().catch((error: unknown) => Promise.reject(bodyError(error, encoding)));
    if (next.done) ended = true;
    else {
      held.push(next.value);
      heldBytes += next.value.length;
    }
  }

  return {
    async peek(bytesMax) {
      while (!ended && heldBytes <= bytesMax) await pull();
      const all = Buffer.concat(held);
      held.splice(0, held.length, all);
      return { head: all.subarray(0, bytesMax), whole: ended && heldBytes <= bytesMax };
    },

    async save(file, { before, skip }) {
      async function* rows(): AsyncGenerator<Buffer> {
        if (before.length > 0) yield before;
        let left = skip;
        for (;;) {
          const chunk = held.shift();
          if (chunk === undefined) {
            if (ended) return;
            await pull();
            continue;
          }
          if (left < chunk.length) yield chunk.subarray(left);
          left = Math.max(0, left - chunk.length);
        }
      }
      const handle = await open(file, 'wx');
      try {
        let waiting: Buffer[] = [];
        let bytes = 0;
        for await (const chunk of rows()) {
          waiting.push(chunk);
          bytes += chunk.length;
          if (bytes < WRITE_BYTES_MIN) continue;
          // Behind what it wrote before.
          await handle.writeFile(Buffer.concat(waiting));
          waiting = [];
          bytes = 0;
        }
        await handle.writeFile(Buffer.concat(waiting));
      } finally {
        await handle.close();
      }
    },
  };
}

async function* decoded(
  request: IncomingMessage,
  decoder: (() => Transform) | undefined,
): AsyncGenerator<Buffer> {
  // A chunked body that breaks off raises ECONNRESET here, so half a body is never taken for a whole one.
  if (decoder === undefined) yield* request;
  else {
    const stream = decoder();
    request.once('error', (error) => stream.destroy(error));
    request.pipe(stream);
    yield* stream;
  }
}

function bodyError(error: unknown, encoding: string): ClickHouseException {
  if (error instanceof ClickHouseException) return error;
  const message = error instanceof Error ? error.message : String(error);
  const gone = error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
  if (gone)
    return new ClickHouseException('NETWORK_ERROR', 'The client closed the connection before its body ended');
  return new ClickHouseException(
    'CANNOT_DECOMPRESS',
    `Cannot decompress the request body as ${encoding}: ${message}`,
  );
}
