/**
 * Compression of messages for kafkajs: zstd, of which it knows the number but not the codec, and gzip with a limit.
 * Registers once for the process.
 *
 * kafkajs reads the CRC of a set of messages and does not check it; the checksum in our frames is checked instead.
 */
import { promisify } from 'node:util';
import { constants, gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { PLAIN_BYTES_MAX, plainBytesOf } from './zstd-frame.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;
export const ZSTD_LEVEL = 3;

/** A small message must not decompress to any size; what is larger ends in ERR_BUFFER_TOO_LARGE. */
const limit = { maxOutputLength: PLAIN_BYTES_MAX };
const params = { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
const [compress, decompress] = [promisify(zstdCompress), promisify(zstdDecompress)];
const [deflate, inflate] = [promisify(gzip), promisify(gunzip)];

type Encoder = { readonly buffer: Buffer };

export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }: Encoder) => compress(buffer, { params }),
    // In one piece: by default zlib goes to a thread and back for each 16 KiB, and copies them together. The byte
    // more tells it that nothing follows.
    decompress: (bytes: Buffer) => decompress(bytes, { chunkSize: plainBytesOf(bytes) + 1, ...limit }),
  });
  CompressionCodecs[CompressionTypes.GZIP] = () => ({
    compress: ({ buffer }: Encoder) => deflate(buffer),
    decompress: (bytes: Buffer) => inflate(bytes, limit),
  });
}
