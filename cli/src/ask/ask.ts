/** `tcptrail ask`: a question of the library, bound to its window and parameters. */
import { readQuestions } from '@tcptrail/schemas/questions.ts';
import { type ConnectionOptions, createConnection } from '../clickhouse/connection.ts';
import { isMissingTable } from '../clickhouse/sentence.ts';
import { cliError } from '../errors.ts';
import { boundTo, type CommonOptions } from './bound.ts';
import type { FORMATS } from './command.ts';
import { explain } from './explain.ts';
import { listQuestions } from './list.ts';
import { questionOf } from './names.ts';
import { openOutput } from './output.ts';
import { optionOf } from './parameters.ts';
import { writeAnswer } from './write-answer.ts';

export interface AskOptions extends ConnectionOptions, CommonOptions {
  readonly format: (typeof FORMATS)[number];
  readonly output?: string;
  readonly list?: boolean;
  readonly explain?: boolean;
}

/** `rest` is what stood behind the name and is no option of every question: the question's parameters. */
export async function ask(
  name: string | undefined,
  rest: readonly string[],
  options: AskOptions,
): Promise<void> {
  const questions = readQuestions();
  if (options.list || name === undefined) {
    listQuestions(name === undefined ? rest : [name, ...rest], questions);
    return;
  }
  if (name.startsWith('-'))
    throw cliError('CLI_USAGE', [`${name} stands before the question's name; put it behind`, 'tcptrail ask']);
  const question = questionOf(name, questions);
  const bound = boundTo(question, { args: rest, options, nowMs: Date.now() });
  const [first] = bound.missing;
  if (first && !options.explain)
    throw cliError('CLI_PARAMETER_MISSING', [question.name, optionOf(first), first.meaning]);
  const connection = createConnection(options);
  const stop = new AbortController();
  const cancel = (): void => stop.abort();
  process.once('SIGINT', cancel);
  try {
    if (options.explain) await explain(bound, connection);
    else {
      const output = openOutput(options.output, options.format);
      try {
        await writeAnswer(bound, { connection, output, format: options.format, signal: stop.signal });
        await output.finish();
      } catch (error) {
        output.discard();
        throw error;
      }
    }
  } catch (error) {
    if (!stop.signal.aborted) {
      if (isMissingTable(error))
        throw cliError('CLI_NO_TABLES', [connection.url, connection.database], { cause: error });
      throw error;
    }
    process.exitCode = 130;
  } finally {
    process.off('SIGINT', cancel);
    await connection.close();
  }
}
