/** BTF made by hand (kernel docs, "BPF Type Format"). */

export interface BtfType {
  readonly kind: number;
  readonly name?: string;
  /** Words behind the type. */
  readonly behind?: readonly number[];
  /** Words of each member. */
  readonly members?: readonly (readonly number[])[];
}

export function createBtf(): {
  /** Offset of the text. */
  text(text: string): number;
  type(type: BtfType): void;
  blob(options?: { readonly headerBytes?: number }): Buffer;
} {
  const types: number[] = [];
  let strings = '\0';

  function text(value: string): number {
    const offset = strings.length;
    strings += `${value}\0`;
    return offset;
  }
  return {
    text,
    type({ kind, name, behind = [], members = [] }) {
      types.push(name === undefined ? 0 : text(name), ((kind << 24) | members.length) >>> 0, 4);
      types.push(...behind, ...members.flat());
    },
    blob({ headerBytes = 24 } = {}) {
      const blob = Buffer.alloc(headerBytes + types.length * 4 + strings.length);
      blob.writeUInt16LE(0xeb9f, 0);
      blob.writeUInt8(1, 2);
      const lengths = [headerBytes, 0, types.length * 4, types.length * 4, strings.length];
      for (const [index, word] of lengths.entries()) blob.writeUInt32LE(word, 4 + index * 4);
      for (const [index, word] of types.entries()) blob.writeUInt32LE(word, headerBytes + index * 4);
      blob.write(strings, headerBytes + types.length * 4, 'latin1');
      return blob;
    },
  };
}
