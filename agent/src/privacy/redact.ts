/**
 * Command lines without their secrets.
 *
 * All patterns look at the line as it was, so that what one of them hides cannot hide a secret from another. Those of
 * a configuration run in RE2's engine, whose time grows with the text alone, whatever the pattern.
 */
import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';
import { type OfProgram, PROGRAMS, SECRETS } from './secrets.ts';

const REDACTED = '(redacted)';
/** Looked at of a command line. */
const CHARS_MAX = 8_192;

/** From, and before where. */
type Span = readonly [start: number, end: number];
type Find = (text: string) => Iterable<Span>;
type Replace = (args: string) => string;

/** Whether RE2 takes it: no look-around and no back references, which would cost more than linear time. */
export function isPattern(text: string): boolean {
  try {
    engine().compile(text);
    return true;
  } catch {
    return false;
  }
}

/** `further`: each as `isPattern` has it. Gives the line that is recorded of arguments parted by NUL. */
export function createRedaction(further: readonly string[]): Replace {
  const finds = [
    ...SECRETS.map(
      (pattern): Find =>
        (text) =>
          spansOf(pattern, text, 0),
    ),
    ...PROGRAMS.map(
      (one): Find =>
        (text) =>
          spansOfProgram(one, text),
    ),
    ...further.map((text) => byPattern(engine().compile(text))),
  ];
  return (args) => {
    const text = whole(args).replace(/\0+$/, '');
    const spans = finds.flatMap((find) => [...find(text)]);
    return without(spans, text).replaceAll('\0', ' ');
  };
}

/** Spans may overlap. */
function without(spans: readonly Span[], text: string): string {
  let shown = '';
  let from = 0;
  for (const [start, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    if (end <= from) continue;
    if (start >= from) shown += text.slice(from, start) + REDACTED;
    from = end;
  }
  return shown + text.slice(from);
}

/** An argument that was cut off could be half of a secret. */
function whole(args: string): string {
  if (args.length <= CHARS_MAX) return args;
  return args.slice(0, Math.max(0, args.lastIndexOf('\0', CHARS_MAX)));
}

/** Its group, where there is one, stands at the end of the match or before one character. */
function* spansOf(pattern: RegExp, text: string, from: number): Iterable<Span> {
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [all, group] = match;
    const start = match.index + (group === undefined ? 0 : all.lastIndexOf(group));
    yield [start, start + (group ?? all).length];
    // An option that takes no value does not hide the one behind it: --no-password --password …
    if (text[start - 1] === '\0') pattern.lastIndex = Math.max(start, match.index + 1);
  }
}

function* spansOfProgram({ program, secrets }: OfProgram, text: string): Iterable<Span> {
  const found = program.exec(text);
  if (!found) return;
  for (const pattern of secrets) yield* spansOf(pattern, text, found.index + found[0].length);
}

function byPattern(pattern: RE2JS): Find {
  const group = pattern.groupCount() > 0 ? 1 : 0;
  return function* (text) {
    const matcher = pattern.matcher(text);
    while (matcher.find()) {
      const [start, end] = [matcher.start(group), matcher.end(group)];
      // A group that took no part, and a match of nothing.
      if (start >= 0 && end > start) yield [start, end];
    }
  };
}

/** Loaded late: it takes 4 MB, and few need it. */
function engine(): typeof RE2JS {
  return (createRequire(import.meta.url)('re2js') as { RE2JS: typeof RE2JS }).RE2JS;
}
