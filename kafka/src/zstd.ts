/** zstd for kafkajs, which knows the codec's number but not the codec. Registers once for the process. */
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { plainBytesOf } from './zstd-frame.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;
export const ZSTD_LEVEL = 3;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export function registerZstd(): void {
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: (encoder: { readonly buffer: Buffer }) =>
      compress(encoder.buffer, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } }),
    // In one piece: by default zlib goes to a thread and back for each 16 KiB, and copies them together. The byte
    // more tells it that nothing follows.
    decompress: (bytes: Buffer) => decompress(bytes, { chunkSize: plainBytesOf(bytes) + 1 }),
  });
}
