/** A body of text as its lines, whatever the chunks. */
import { StringDecoder } from 'node:string_decoder';

/** latin1: one character a byte, for bytes that must come out as they came in. */
export type Encoding = 'utf8' | 'latin1';

/** Yields each line without its line feed; a last line without one counts. */
export async function* linesOf(
  chunks: AsyncIterable<unknown>,
  encoding: Encoding = 'utf8',
): AsyncGenerator<string> {
  const decoder = new StringDecoder(encoding);
  let rest = '';
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.write(chunk as Uint8Array);
    let from = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      yield rest.slice(from, end);
      from = end + 1;
    }
    rest = rest.slice(from);
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}
