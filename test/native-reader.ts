/** Reads a Native block of tcp_events as ClickHouse does: written for tests from the format's description alone. */
import assert from 'node:assert/strict';

export type Cell = bigint | string | readonly bigint[];

/** Column → its values; columns that the block leaves out are not there. */
export function readNativeBlock(block: Uint8Array): ReadonlyMap<string, readonly Cell[]> {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  let at = 0;

  function varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
  function text(): string {
    const length = varint();
    at += length;
    return bytes.toString('utf8', at - length, at);
  }
  function address(): string {
    at += 16;
    return bytes.toString('hex', at - 16, at);
  }
  function unsigned(width: number): bigint {
    at += width;
    return width === 8 ? bytes.readBigUInt64LE(at - 8) : BigInt(bytes.readUIntLE(at - width, width));
  }
  const times = <T>(count: number, read: () => T): T[] => Array.from({ length: count }, read);

  function lowCardinality(rows: number): string[] {
    assert.equal(unsigned(8), 1n, 'version of the dictionary');
    const flags = unsigned(8);
    const keys = times(Number(unsigned(8)), text);
    assert.equal(Number(unsigned(8)), rows);
    return times(
      rows,
      () => keys[Number(unsigned(2 ** Number(flags & 0xffn)))] ?? assert.fail('no such key'),
    );
  }
  function lists(rows: number): bigint[][] {
    const ends = times(rows, () => Number(unsigned(8)));
    return ends.map((end, row) => times(end - (ends[row - 1] ?? 0), () => unsigned(4)));
  }
  function column(type: string, rows: number): readonly Cell[] {
    const width = /^UInt(\d+)$/.exec(type)?.[1];
    if (width) return times(rows, () => unsigned(Number(width) / 8));
    const bits = Number(/^Int(\d+)$/.exec(type)?.[1] ?? 0);
    if (bits) return times(rows, () => BigInt.asIntN(bits, unsigned(bits / 8)));
    if (type === 'Bool' || type.startsWith('Enum8')) return times(rows, () => unsigned(1));
    if (type === 'Date') return times(rows, () => unsigned(2));
    if (type.startsWith('DateTime64')) return times(rows, () => unsigned(8));
    if (type === 'IPv6') return times(rows, address);
    if (type === 'String') return times(rows, text);
    if (type === 'LowCardinality(String)') return lowCardinality(rows);
    if (type === 'Array(UInt32)') return lists(rows);
    assert.fail(`type ${type}`);
  }
  const columns = varint();
  const rows = varint();
  const read = new Map<string, readonly Cell[]>();
  for (let index = 0; index < columns; index++) {
    const name = text();
    read.set(name, column(text(), rows));
  }
  assert.equal(at, bytes.length, 'bytes after the block');
  return read;
}
