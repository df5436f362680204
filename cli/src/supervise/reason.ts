/** The sentence in what a part wrote last. */

const ERROR_LEVEL = 50;

/** A JSON log line of level error or above, or plain text; undefined for lines that explain nothing. */
export function reasonIn(line: string): string | undefined {
  const text = line.trim();
  if (text === '' || /^(at |Node\.js v|\^|\{$|\}$)/.test(text)) return undefined;
  if (!text.startsWith('{')) return /^(?:tcptrail[\w -]*|local-kafka): (.*)$/.exec(text)?.[1] ?? text;
  try {
    const entry = JSON.parse(text) as { level?: unknown; msg?: unknown; err?: { message?: unknown } };
    if (typeof entry.level !== 'number' || entry.level < ERROR_LEVEL) return undefined;
    const cause = typeof entry.err?.message === 'string' ? entry.err.message : '';
    const message = typeof entry.msg === 'string' ? entry.msg : '';
    return [message, cause]
      .filter((part, index, all) => part !== '' && all.indexOf(part) === index)
      .join(': ');
  } catch {
    return text;
  }
}
