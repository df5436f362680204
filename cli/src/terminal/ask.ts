/** One yes-or-no question on the terminal. */
import { createInterface } from 'node:readline/promises';

/** true only for y or yes; no is the default. */
export async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    // Ctrl-C or Ctrl-D at the question.
    return false;
  } finally {
    terminal.close();
  }
}
