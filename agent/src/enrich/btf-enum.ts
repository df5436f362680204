/**
 * One enum out of BTF, the kernel's own type information. Pure.
 *
 * Format: kernel docs, "BPF Type Format". Header: u16 magic, u8 version, u8 flags, u32 hdr_len, then offset and
 * length of the types and of the strings, counted from the header's end. Type: u32 name, u32 info (bits 0-15 vlen,
 * 24-28 kind), u32 size or type; behind it what its kind asks for.
 */

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const TYPE_BYTES = 12;
const ENUM = 6;
const ENUM64 = 19;

/** By kind: bytes behind the type, and for each of its `vlen` members. */
const BEHIND: readonly (readonly [fixed: number, perMember: number] | undefined)[] = [
  undefined,
  [4, 0], // INT
  [0, 0], // PTR
  [12, 0], // ARRAY
  [0, 12], // STRUCT
  [0, 12], // UNION
  [0, 8], // ENUM: u32 name, s32 value
  [0, 0], // FWD
  [0, 0], // TYPEDEF
  [0, 0], // VOLATILE
  [0, 0], // CONST
  [0, 0], // RESTRICT
  [0, 0], // FUNC
  [0, 8], // FUNC_PROTO
  [4, 0], // VAR
  [0, 12], // DATASEC
  [0, 0], // FLOAT
  [4, 0], // DECL_TAG
  [0, 0], // TYPE_TAG
  [0, 12], // ENUM64: u32 name, u32 low, s32 high
];

/**
 * Value → enumerator of the enum called `name`. undefined when there is none, or when the blob is no BTF this reader
 * knows: another byte order, a damaged one, a kind that is newer than it.
 */
export function btfEnum(btf: Buffer, name: string): Map<number, string> | undefined {
  if (btf.length < HEADER_BYTES || btf.readUInt16LE(0) !== MAGIC) return undefined;
  const word = (at: number): number => btf.readUInt32LE(at);
  const base = word(4);
  const strings = base + word(16);
  const stringsEnd = strings + word(20);
  const end = base + word(8) + word(12);
  if (end > btf.length || stringsEnd > btf.length) return undefined;
  const wanted = Buffer.from(`${name}\0`);
  const isWanted = (at: number): boolean =>
    at + wanted.length <= stringsEnd && btf.compare(wanted, 0, wanted.length, at, at + wanted.length) === 0;
  const textAt = (at: number): string => {
    const stop = btf.indexOf(0, at);
    return at < stringsEnd && stop >= 0 && stop < stringsEnd ? btf.toString('utf8', at, stop) : '';
  };

  for (let at = base + word(8); at + TYPE_BYTES <= end; ) {
    const info = word(at + 4);
    const kind = (info >>> 24) & 0x1f;
    const members = info & 0xffff;
    const behind = BEHIND[kind];
    if (!behind) return undefined;
    const [fixed, perMember] = behind;
    const next = at + TYPE_BYTES + fixed + members * perMember;
    if (next > end) return undefined;
    if ((kind === ENUM || kind === ENUM64) && isWanted(strings + word(at))) {
      const values = new Map<number, string>();
      for (let member = at + TYPE_BYTES; member < next; member += perMember) {
        const low = btf.readInt32LE(member + 4);
        const value = kind === ENUM ? low : btf.readInt32LE(member + 8) * 0x1_0000_0000 + (low >>> 0);
        values.set(value, textAt(strings + word(member)));
      }
      return values;
    }
    at = next;
  }
  return undefined;
}
