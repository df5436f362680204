/** The statements of `encodeEvent`, in wire order. */
import type { Field } from '../fields.ts';
import { byteAt, halfAt, offsetOf, wordAt } from './ring-access.ts';

/** An unsigned number: its two 32-bit halves, as expressions. */
interface Halves {
  readonly low: string;
  readonly high?: string;
}

/** Fields of these share a step: most numbers of most events are below 64, one byte each. */
const AT_ONCE = 4;
const SMALL = '~63';

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
  const highs = all.flatMap(({ high }) => (high === undefined ? [] : [`(${high})`]));
  const bytes = names.map((name, index) => (index === 0 ? name : `(${name} << ${8 * index})`));
  const each = run.map((field, index) => {
    const { high } = all[index] ?? {};
    return `    // ${field.name}\n    ${writeMaybeSmall(field, names[index] ?? '', high)}`;
  });
  return `  // ${run.map(({ name }) => name).join(', ')}
${all.map(({ low }, index) => `  ${names[index]} = (${low}) | 0;`).join('\n')}
  if (${[`((${names.join(' | ')}) & ${SMALL})`, ...highs].join(' | ')}) {
${each.join('\n')}
  } else {
    out.setUint32(p, (${bytes.join(' | ')}) << 1, true);
    p += 4;
  }`;
}

function writeOne(field: Field): string {
  const halves = halvesOf(field);
  const text = halves ? write(field, `(${halves.low}) | 0`, halves.high) : writeOther(field);
  return `  // ${field.name}\n  ${text}`;
}

function write({ type }: Field, low: string, high?: string): string {
  if (typeof type === 'object') return `out.setUint8(p++, (${low}) << 1);`;
  return `p = writeWords(out, p, ${low}, ${high === undefined ? '0' : `(${high}) | 0`});`;
}

function writeMaybeSmall(field: Field, low: string, high?: string): string {
  if (typeof field.type === 'object') return write(field, low);
  const isLarge = high === undefined ? `${low} & ${SMALL}` : `(${low} & ${SMALL}) | (${high})`;
  return `if (${isLarge}) ${write(field, low, high)}\n    else out.setUint8(p++, ${low} << 1);`;
}

function writeOther(field: Field): string {
  if (field.stage === 'agent') return writeAgents(field);
  const offset = offsetOf(field);
  switch (field.type) {
    case 'bool':
      return `out.setUint8(p++, ${byteAt(offset)});`;
    case 'time':
      return `p = writeTime(out, p, (${wordAt(offset)}) | 0, (${wordAt(offset + 4)}) | 0, agent.clock_offset_us);`;
    case 'address':
      return [0, 4, 8, 12]
        .map((more) => `out.setUint32(p${more ? ` + ${more}` : ''}, ${wordAt(offset + more)}, true);`)
        .concat('p += 16;')
        .join('\n  ');
    case 'name16':
      return `p = writeName(out, p, bytes, at + ${offset});`;
    default:
      throw new Error(`${field.name}: ${String(field.type)} is not in the ring`);
  }
}

function writeAgents({ name, type }: Field): string {
  const value = `agent.${name}`;
  switch (type) {
    case 'bool':
      return `out.setUint8(p++, ${value} ? 1 : 0);`;
    case 'address':
      return `p = writeAddress(out, p, ${value});`;
    case 'text':
      return `p = writeText(out, p, ${value});`;
    case 'u32[]':
      return `p = writeList(out, p, ${value});`;
    default:
      throw new Error(`${name}: ${String(type)} is not the agent's`);
  }
}
