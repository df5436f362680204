/** The body of an answer as lines, and the error that may stand at its end. */
import { cliError } from '../errors.ts';
import { linesOf } from './lines.ts';
import { oneSentence, sentence } from './sentence.ts';

const MARK = '__exception__';
const LATE_ERROR = /^Code: (\d+)\. DB::Exception: .*\(version [\d.]+/;

/**
 * Lines of an answer without line feeds.
 *
 * Throws CLI_QUERY_FAILED for an error that ClickHouse met after it had begun to answer: its text is the end
 * of the body, behind a mark since 25.11.
 */
export async function* answerLines(body: AsyncIterable<unknown>, url: string): AsyncGenerator<string> {
  let held: string | undefined;
  let marked = '';
  try {
    for await (const line of linesOf(body)) {
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
  const late = LATE_ERROR.exec(held ?? '');
  if (marked !== '') {
    const text = marked.replaceAll(MARK, '').replace(/^\s*\S+\s/, '');
    throw cliError('CLI_QUERY_FAILED', [
      oneSentence(text.trim()),
      /Code: (\d+)/.exec(text)?.[1] ?? 'unknown',
    ]);
  }
  if (late) throw cliError('CLI_QUERY_FAILED', [oneSentence(held ?? ''), late[1] ?? 'unknown']);
  if (held !== undefined && held !== '') yield held;
}
