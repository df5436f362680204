import { Transform } from 'node:stream';
import { ClickHouseException } from './exception.ts';

const MAGIC = 0x184d2204;
const WINDOW_BYTES = 65_536;
const BLOCK_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Decompresses the LZ4 frame format, block by block.
 *
 * Frame: magic · FLG · BD · [content size 8] · [dictionary 4] · header checksum · blocks · 0 · [checksum 4];
 * block: size (top bit: stored as it is) · bytes · [checksum 4]. Several frames may follow one another.
 * Checksums are skipped: the bytes come over TCP. Fails with CANNOT_DECOMPRESS, also for a frame cut short.
 */
export function createLz4Decompressor(): Transform {
  let pending: Buffer = Buffer.alloc(0);
  let window: Buffer = Buffer.alloc(0);
  let frame: { readonly blockChecksum: number; readonly contentChecksum: number } | undefined;

  const corrupt = (what: string): ClickHouseException =>
    new ClickHouseException('CANNOT_DECOMPRESS', `LZ4 frame in the request body: ${what}`);

  /** Bytes of `pending` used up, 0 when it does not hold a whole piece yet. */
  function step(stream: Transform): number {
    if (frame === undefined) {
      if (pending.length < 7) return 0;
      if (pending.readUInt32LE(0) !== MAGIC) throw corrupt('wrong magic number');
      const flags = pending.readUInt8(4);
      const headerBytes = 7 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
      if (pending.length < headerBytes) return 0;
      if (flags >> 6 !== 1) throw corrupt('unknown version');
      if (flags & 1) throw corrupt('dictionaries are not supported');
      frame = { blockChecksum: flags & 16 ? 4 : 0, contentChecksum: flags & 4 ? 4 : 0 };
      window = Buffer.alloc(0);
      return headerBytes;
    }
    if (pending.length < 4) return 0;
    const head = pending.readUInt32LE(0);
    if (head === 0) {
      const endBytes = 4 + frame.contentChecksum;
      if (pending.length < endBytes) return 0;
      frame = undefined;
      return endBytes;
    }
    const size = head & 0x7fffffff;
    if (size > BLOCK_BYTES_MAX) throw corrupt(`a block of ${size} bytes`);
    const whole = 4 + size + frame.blockChecksum;
    if (pending.length < whole) return 0;
    const body = pending.subarray(4, 4 + size);
    const plain = head >>> 31 ? Buffer.from(body) : inflateBlock(body, window, corrupt);
    window = Buffer.concat([window, plain]).subarray(-WINDOW_BYTES);
    stream.push(plain);
    return whole;
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      try {
        for (let used = step(this); used > 0; used = step(this)) pending = pending.subarray(used);
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
    flush(done) {
      done(frame === undefined && pending.length === 0 ? null : corrupt('the frame is cut short'));
    },
  });
}

/** One LZ4 block; matches may reach back into `window`, the plain bytes before it. */
function inflateBlock(body: Buffer, window: Buffer, corrupt: (what: string) => Error): Buffer {
  const out = Buffer.allocUnsafe(window.length + BLOCK_BYTES_MAX);
  window.copy(out);
  let to = window.length;
  let at = 0;
  const byte = (): number => {
    const value = body[at++];
    if (value === undefined) throw corrupt('a block is cut short');
    return value;
  };
  const length = (nibble: number): number => {
    let total = nibble;
    if (nibble === 15) {
      let more: number;
      do {
        more = byte();
        total += more;
      } while (more === 255);
    }
    return total;
  };
  while (at < body.length) {
    const token = byte();
    const literals = length(token >> 4);
    if (at + literals > body.length || to + literals > out.length) throw corrupt('literals beyond the block');
    body.copy(out, to, at, at + literals);
    at += literals;
    to += literals;
    if (at === body.length) break;
    const offset = byte() | (byte() << 8);
    const matched = length(token & 15) + 4;
    if (offset === 0 || offset > to || to + matched > out.length) throw corrupt('a match beyond the block');
    if (offset >= matched) out.copyWithin(to, to - offset, to - offset + matched);
    else for (let i = 0; i < matched; i++) out[to + i] = out[to + i - offset] ?? 0;
    to += matched;
  }
  return Buffer.from(out.subarray(window.length, to));
}
