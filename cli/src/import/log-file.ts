/** A log of any size as its lines, gzip or not, and the hash that names it. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { cliError, reasonOf } from '../errors.ts';

/** A line of Zeek's has some 300 bytes; what follows in a longer one is left out, and it will not be read as a line. */
const LINE_LENGTH_MAX = 1024 * 1024;

/** SHA-256, in hex, of what is in the file once it is unpacked. Throws CLI_FILE_UNREADABLE. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of contentOf(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** Each line without its line feed, the last one too where it has none. Throws CLI_FILE_UNREADABLE. */
export async function* linesOfFile(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of contentOf(path)) {
    const text = rest + decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      yield withoutReturn(text.slice(from, end));
      from = end + 1;
    }
    rest = text.slice(from, from + LINE_LENGTH_MAX);
  }
  rest += decoder.decode();
  if (rest !== '') yield withoutReturn(rest);
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

async function* contentOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    const isPacked = isGzip(path);
    const file = createReadStream(path, { highWaterMark: 256 * 1024 });
    if (!isPacked) yield* file;
    else {
      const unpacked = createGunzip();
      file.on('error', (error) => unpacked.destroy(error));
      yield* file.pipe(unpacked);
    }
  } catch (error) {
    throw cliError('CLI_FILE_UNREADABLE', [path, reasonOf(error)], { cause: error });
  }
}

/** It is read twice, so a pipe is none. */
function isGzip(path: string): boolean {
  if (!statSync(path).isFile()) throw new Error('it is no regular file');
  const head = new Uint8Array(2);
  const file = openSync(path, 'r');
  try {
    readSync(file, head);
  } finally {
    closeSync(file);
  }
  return head[0] === 0x1f && head[1] === 0x8b;
}
