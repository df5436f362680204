/** The statements of `encodeEvent`, in wire order. */
import type { Field } from '../fields.ts';
import { ifElse, writeMicroseconds, writeUnsigned } from './inline-varint.ts';
import { byteAt, halfAt, offsetOf, wordAt } from './ring-access.ts';

/** An unsigned number: its two 32-bit halves, as expressions. */
interface Halves {
  readonly low: string;
  readonly high?: string;
}

/** Fields of these share a step: most numbers of most events are below 64, one byte each. */
const AT_ONCE = 4;
const SMALL = '~63';

/** Bits of the types that are no words. */
const BITS: Partial<Record<string, number>> = { u8: 8, u16: 16 };

export function encodeSteps(fields: readonly Field[]): string[] {
  const steps: string[] = [];
  let run: Field[] = [];
  for (const field of fields) {
    if (halvesOf(field)) {
      run.push(field);
      if (run.length < AT_ONCE) continue;
      steps.push(writeRun(run));
    } else {
      steps.push(...run.map(writeOne), writeOne(field));
    }
    run = [];
  }
  return [...steps, ...run.map(writeOne)];
}

/** undefined for what is not written as a number. */
function halvesOf(field: Field): Halves | undefined {
  const isEnum = typeof field.type === 'object';
  if (field.stage === 'agent') {
    const isNumber = isEnum || ['u8', 'u16', 'u32', 'owner'].includes(String(field.type));
    return isNumber ? { low: `agent.${field.name}` } : undefined;
  }
  const offset = offsetOf(field);
  if (isEnum || field.type === 'u8') return { low: byteAt(offset) };
  switch (field.type) {
    case 'u16':
      return { low: halfAt(offset) };
    case 'u32':
      return { low: wordAt(offset) };
    case 'u64':
      return { low: wordAt(offset), high: wordAt(offset + 4) };
    default:
      return undefined;
  }
}

function writeRun(run: readonly Field[]): string {
  const names = ['a', 'b', 'c', 'd'];
  const all = run.map((field) => halvesOf(field) ?? { low: '0' });
  const highs = all.flatMap(({ high }) => (high === undefined ? [] : [high]));
  const bytes = names.map((name, index) => (index === 0 ? name : `(${name} << ${8 * index})`));
  const each = run.flatMap((field, index) => [
    `// ${field.name}`,
    ...writeNumber(field, names[index] ?? '', all[index]?.high),
  ]);
  return statements(run, [
    ...all.map(({ low }, index) => `${names[index]} = ${low} | 0;`),
    ...ifElse([`((${names.join(' | ')}) & ${SMALL})`, ...highs].join(' | '), each, [
      `out.setUint32(p, (${bytes.join(' | ')}) << 1, true);`,
      'p += 4;',
    ]),
  ]);
}

function writeOne(field: Field): string {
  const halves = halvesOf(field);
  const number = halves && [`a = ${halves.low} | 0;`, ...writeNumber(field, 'a', halves.high)];
  return statements([field], number ?? (field.stage === 'agent' ? writeAgents(field) : writeKernels(field)));
}

function statements(fields: readonly Field[], lines: readonly string[]): string {
  return [`// ${fields.map(({ name }) => name).join(', ')}`, ...lines].map((line) => `  ${line}`).join('\n');
}

/** `low`: a variable. */
function writeNumber({ type }: Field, low: string, high?: string): string[] {
  if (typeof type === 'object') return [`out.setUint8(p++, ${low} << 1);`];
  return writeUnsigned(low, BITS[String(type)] ?? 32, high);
}

function writeKernels(field: Field): string[] {
  const offset = offsetOf(field);
  const [low, high] = [wordAt(offset), wordAt(offset + 4)];
  switch (field.type) {
    case 'bool':
      return [`out.setUint8(p++, ${byteAt(offset)});`];
    case 'time':
      return ifElse(
        `${low} | ${high}`,
        [`t = microseconds(${low}, ${high}) + agent.clock_offset_us;`, ...writeMicroseconds('t')],
        ['out.setUint8(p++, 0);'],
      );
    case 'address':
      return writeFourWords([0, 4, 8, 12].map((more) => wordAt(offset + more)));
    case 'name16':
      return [`p = writeName(out, p, bytes, at + ${offset});`];
    default:
      throw new Error(`${field.name}: ${String(field.type)} is not in the ring`);
  }
}

function writeAgents({ name, type }: Field): string[] {
  const value = `agent.${name}`;
  const unlessEmpty = (write: string): string[] =>
    ifElse(`${value}.length === 0`, ['out.setUint8(p++, 0);'], [`p = ${write}(out, p, ${value});`]);
  switch (type) {
    case 'bool':
      return [`out.setUint8(p++, ${value} ? 1 : 0);`];
    case 'address':
      return writeFourWords([0, 1, 2, 3].map((word) => `(${value}[${word}] as number)`));
    case 'text':
      return unlessEmpty('writeText');
    case 'u32[]':
      return unlessEmpty('writeList');
    default:
      throw new Error(`${name}: ${String(type)} is not the agent's`);
  }
}

function writeFourWords(words: readonly string[]): string[] {
  return [
    ...words.map((word, index) => `out.setUint32(${index === 0 ? 'p' : `p + ${4 * index}`}, ${word}, true);`),
    'p += 16;',
  ];
}
