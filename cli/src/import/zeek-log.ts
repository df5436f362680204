/**
 * Lines of Zeek's conn.log to records: its TSV, whose header names the columns, and its JSON lines. Pure.
 *
 * Header: `#separator \x09`, then `#set_separator`, `#empty_field`, `#unset_field`, `#path`, `#open`, `#fields`,
 * `#types`, each followed by its values behind the separator (Zeek manual, "Log files"). Logs that were put together
 * have several.
 */

/** A field of the record by Zeek's name, as text; undefined where it is not set. */
export type ZeekRecord = (name: string) => string | undefined;

export type ZeekLine =
  | { readonly kind: 'header' }
  | { readonly kind: 'record'; readonly record: ZeekRecord }
  /** What is wrong with it, as the end of a sentence. */
  | { readonly kind: 'bad'; readonly problem: string };

export interface ZeekLog {
  read(line: string): ZeekLine;
}

const HEADER: ZeekLine = { kind: 'header' };
const bad = (problem: string): ZeekLine => ({ kind: 'bad', problem });

export function createZeekLog(): ZeekLog {
  let separator = '\t';
  let unset = '-';
  let empty = '(empty)';
  let path = 'conn';
  let columns: ReadonlyMap<string, number> | undefined;
  let width = 0;

  function readHeader(line: string): ZeekLine {
    if (line.startsWith('#separator ')) {
      separator = unescaped(line.slice('#separator '.length));
      columns = undefined;
      return HEADER;
    }
    const [key = '', ...values] = line.slice(1).split(separator);
    if (key === 'unset_field') unset = values[0] ?? unset;
    else if (key === 'empty_field') empty = values[0] ?? empty;
    else if (key === 'path') path = values[0] ?? path;
    else if (key === 'fields') {
      columns = new Map(values.map((name, index) => [name, index]));
      width = values.length;
    }
    return HEADER;
  }

  function readValues(line: string): ZeekLine {
    if (!columns)
      return bad('it stands behind no #fields line, which names the columns; give the log with its header');
    if (path !== 'conn') return bad(`it is of Zeek's ${path}.log; give a conn.log`);
    const values = line.split(separator);
    if (values.length !== width) return bad(`it has ${values.length} fields, and #fields names ${width}`);
    const at = columns;
    const record: ZeekRecord = (name) => {
      const index = at.get(name);
      const value = index === undefined ? undefined : values[index];
      return value === unset || value === empty ? undefined : value;
    };
    return { kind: 'record', record };
  }

  return {
    read(line) {
      if (line.startsWith('#')) return readHeader(line);
      if (line.startsWith('{')) return readJson(line);
      return line.trim() === '' ? HEADER : readValues(line);
    },
  };
}

function readJson(line: string): ZeekLine {
  let object: Readonly<Record<string, unknown>>;
  try {
    object = JSON.parse(line) as typeof object;
  } catch (error) {
    return bad(`it is no JSON object (${error instanceof Error ? error.message : String(error)})`);
  }
  const record: ZeekRecord = (name) => {
    const value = object[name];
    return value === undefined || value === null ? undefined : String(value);
  };
  return { kind: 'record', record };
}

/** `\x09` → tab. */
function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
