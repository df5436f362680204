/**
 * The statements that read an event's fields, in wire order.
 *
 * They use the variables of the generated functions: `datum`, `view`, `last`, `row`, `p`, and `w`, `s` and `x` for what
 * lies between.
 */
import { ENUMS } from '../enums.ts';
import type { Field } from '../fields.ts';
import { ifElse } from './inline-varint.ts';

/** Fields of these share a step: most numbers of most events are below 64, one byte each. */
const AT_ONCE = 4;
/** Four bytes at `p`, or, where there are no four, such as end no number. */
const WORD = 'w = p <= last ? view.getInt32(p, true) : -1;';

/** A field that may be one byte. */
interface Small {
  /** Bits of that byte that are then not set. */
  readonly clear: number;
  /** What else is then true of the byte. */
  condition(byte: string): string | undefined;
  /** Statements that store the byte. */
  store(byte: string): readonly string[];
}

export function decodeSteps(fields: readonly Field[]): string[] {
  const steps: string[] = [];
  let run: Field[] = [];
  for (const field of fields) {
    if (smallOf(field)) {
      run.push(field);
      if (run.length < AT_ONCE) continue;
      steps.push(readRun(run));
    } else {
      steps.push(...run.map(readOne), readOne(field));
    }
    run = [];
  }
  return [...steps, ...run.map(readOne)];
}

/** Undefined for what is no number. */
function smallOf(field: Field): Small | undefined {
  const { name, type } = field;
  if (typeof type === 'object') {
    const values = ENUMS[type.enum].length;
    const condition = (byte: string) => `(${byte}) < ${2 * values}`;
    return { clear: 0x81, condition, store: (byte) => [`${name}[row] = (${byte}) >> 1;`] };
  }
  const condition = () => undefined;
  const store = (byte: string) => [`${name}[row] = (${byte}) >> 1;`];
  switch (type) {
    case 'bool':
      return { clear: 0xfe, condition, store: (byte) => [`${name}[row] = ${byte};`] };
    case 'owner':
      return { clear: 0x81, condition: (byte) => `(${byte}) < 2 * owners`, store };
    case 'u8':
    case 'u16':
    case 'u32':
      return { clear: 0x81, condition, store };
    case 'u64':
      return {
        clear: 0x81,
        condition,
        store: (byte) => [`${name}[2 * row] = (${byte}) >> 1;`, `${name}[2 * row + 1] = 0;`],
      };
    default:
      return undefined;
  }
}

function readRun(run: readonly Field[]): string {
  const smalls = run.map((field, index) => ({
    small: smallOf(field) as Small,
    byte: index === 0 ? 'w & 0xff' : index === 3 ? 'w >>> 24' : `(w >>> ${8 * index}) & 0xff`,
  }));
  const clear = smalls.map(({ small }) => small.clear.toString(16).padStart(2, '0')).toReversed();
  const conditions = [
    `(w & 0x${clear.slice(0, 2).join('')}_${clear.slice(2).join('')}) === 0`,
    ...smalls.flatMap(({ small, byte }) => small.condition(byte) ?? []),
  ];
  return statements(run, [
    WORD,
    ...ifElse(
      conditions.join(' && '),
      [...smalls.flatMap(({ small, byte }) => small.store(byte)), 'p += 4;'],
      run.flatMap((field) => [`// ${field.name}`, ...read(field)]),
    ),
  ]);
}

function readOne(field: Field): string {
  return statements([field], read(field));
}

function statements(fields: readonly Field[], lines: readonly string[]): string {
  return [`// ${fields.map(({ name }) => name).join(', ')}`, ...lines].join('\n  ');
}

function read(field: Field): string[] {
  const { name, type } = field;
  if (typeof type === 'object') {
    return [
      'w = datum[p] as number;',
      `if ((w & 0x81) !== 0 || w > ${2 * (ENUMS[type.enum].length - 1)}) throw range('${name}', p, datum.length);`,
      `${name}[row] = w >>> 1;`,
      'p += 1;',
    ];
  }
  switch (type) {
    case 'bool':
      return [
        'w = datum[p] as number;',
        `if (w !== 0 && w !== 1) throw range('${name}', p, datum.length);`,
        `${name}[row] = w;`,
        'p += 1;',
      ];
    case 'address':
      return [
        `if (p > datum.length - 16) throw range('${name}', datum.length, datum.length);`,
        ...[0, 1, 2, 3].map(
          (index) => `${name}[4 * row + ${index}] = view.getUint32(p + ${4 * index}, true);`,
        ),
        'p += 16;',
      ];
    case 'time':
      return [
        `varint.time(datum, view, p, '${name}');`,
        `${name}[2 * row] = varint.low;`,
        `${name}[2 * row + 1] = varint.high;`,
        'p = varint.next;',
      ];
    case 'u64':
      return readNumber(
        [`${name}[2 * row] = x;`, `${name}[2 * row + 1] = 0;`],
        [
          `varint.read(datum, p, '${name}', HIGH_MAX);`,
          `${name}[2 * row] = varint.low;`,
          `${name}[2 * row + 1] = varint.high;`,
        ],
      );
    case 'u32[]':
      return unlessEmpty(`${name}[row] = EMPTY;`, [
        `${name}[row] = varint.list(datum, p, '${name}');`,
        'p = varint.next;',
      ]);
    case 'name16':
    case 'text':
    case 'string':
      return unlessEmpty(`${name}[row] = 0;`, [
        `s = varint.unsigned(datum, p, '${name}', datum.length);`,
        `${name}[row] = texts.${name}.indexOf(datum, varint.next, s);`,
        'p = varint.next + s;',
      ]);
    case 'u8':
    case 'u16':
    case 'u32':
    case 'owner': {
      const limit = { u8: '0xff', u16: '0xffff', u32: '0xffff_ffff', owner: 'owners - 1' }[type];
      const isWithin = type === 'u32' ? [] : [`x <= ${limit}`];
      return readNumber(
        [`${name}[row] = x;`],
        [`${name}[row] = varint.unsigned(datum, p, '${name}', ${limit});`],
        isWithin,
      );
    }
    default:
      throw new Error(`${name}: ${type} is not read`);
  }
}

/** A number of at most four bytes without a branch on how many: that of one field says nothing about that of the next. */
function readNumber(
  met: readonly string[],
  other: readonly string[],
  isWithin: readonly string[] = [],
): string[] {
  return [
    WORD,
    // The highest bit of the last byte: the first that says that no more follows.
    's = ~w & 0x8080_8080;',
    's &= -s;',
    'w &= s - 1;',
    'x = ((w >>> 1) & 0x3f) | ((w >>> 2) & 0x1fc0) | ((w >>> 3) & 0xf_e000) | ((w >>> 4) & 0x7f0_0000);',
    ...ifElse(
      ['s !== 0', '(w & 1) === 0', ...isWithin].join(' && '),
      [...met, 'p += (32 - Math.clz32(s)) >>> 3;'],
      [...other, 'p = varint.next;'],
    ),
  ];
}

function unlessEmpty(empty: string, other: readonly string[]): string[] {
  return ifElse('datum[p] === 0', [empty, 'p += 1;'], other);
}
