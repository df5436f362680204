/** The body of an answer as lines, and the error that may stand at its end. */
import { cliError } from '../errors.ts';
import { type Encoding, linesOf } from './lines.ts';
import { oneSentence, sentence } from './sentence.ts';

const MARK = '__exception__';
const LATE_ERROR = /^Code: (\d+)\. DB::Exception: .*\(version [\d.]+/;

/**
 * Lines of an answer without line feeds; in latin1 they are its bytes, whatever these are.
 *
 * Throws CLI_QUERY_FAILED for an error that ClickHouse met after it had begun to answer: its text is the end
 * of the body, behind a mark since 25.11.
 */
export async function* answerLines(
  body: AsyncIterable<unknown>,
  url: string,
  encoding: Encoding = 'utf8',
): AsyncGenerator<string> {
  let held: string | undefined;
  let marked = '';
  try {
    for await (const line of linesOf(body, encoding)) {
      if (marked !== '') marked += ` ${line.trim()}`;
      else if (line.trim() === MARK) marked = MARK;
      else {
        if (held !== undefined) yield held;
        held = line;
      }
    }
  } catch (error) {
    throw sentence(error, { url });
  }
  if (marked !== '') throw lateError(Buffer.from(marked, encoding).toString());
  if (held !== undefined && LATE_ERROR.test(held)) throw lateError(Buffer.from(held, encoding).toString());
  if (held !== undefined && held !== '') yield held;
}

const PARQUET_END = 'PAR1';
const TAIL_BYTES = 16_384;

/**
 * Chunks of a Parquet file as they come.
 *
 * Throws CLI_QUERY_FAILED behind the last one where they do not end as such a file does.
 */
export async function* parquetChunks(body: AsyncIterable<unknown>, url: string): AsyncGenerator<Uint8Array> {
  let tail = Buffer.alloc(0);
  try {
    for await (const each of body) {
      const chunk = each as Uint8Array;
      yield chunk;
      tail = Buffer.concat([tail, chunk.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
    }
  } catch (error) {
    throw sentence(error, { url });
  }
  if (tail.toString('latin1').endsWith(PARQUET_END)) return;
  throw lateError(tail.toString().replace(/\s+/g, ' '));
}

/** `text`, on one line, holds what ClickHouse wrote behind the rows, with or without its marks. */
function lateError(text: string): Error {
  const [, message, code] = /(Code: (\d+)\. DB::Exception: .*)$/.exec(text.replaceAll(MARK, '')) ?? [];
  return cliError('CLI_QUERY_FAILED', [
    message === undefined ? 'the answer is not whole' : oneSentence(message.trim()),
    code ?? 'unknown',
  ]);
}
