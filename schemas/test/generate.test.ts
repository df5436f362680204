import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const GENERATE = join(import.meta.dirname, '../src/generate.ts');
const root = mkdtempSync(join(tmpdir(), 'tcptrail-generate-'));
after(() => rmSync(root, { recursive: true, force: true }));

function generate(...args: string[]): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, [GENERATE, ...args, root], { encoding: 'utf8' });
}

/** One type changed by hand in each generated file: its text and what it becomes. */
const EDITS: Record<string, [string, string]> = {
  'bpf/event.gen.h': ['__u32 snd_cwnd;', '__u64 snd_cwnd;'],
  'schemas/src/generated/ring.ts': ['snd_cwnd: ', 'snd_cwnd: 1'],
  'schemas/src/generated/envelope.ts': ['readonly pid: number', 'readonly pid: string'],
  'schemas/src/generated/encode-event.ts': ['// snd_cwnd\n', '// snd_cwnd\n  p += 1;\n'],
  'schemas/src/generated/decode-events.ts': [
    'readonly snd_cwnd: Uint32Array',
    'readonly snd_cwnd: Uint16Array',
  ],
  'schemas/src/generated/to-rests.ts': ['const low = 2 * row;', 'const low = row;'],
  'schemas/src/generated/fingerprints.ts': ["FINGERPRINT = '", "FINGERPRINT = '0"],
  'schemas/avro/event-batch.v1.avsc': ['"type": "long"', '"type": "int"'],
  'schemas/clickhouse/migrations/0001_raw.sql': ['`snd_cwnd` UInt32', '`snd_cwnd` UInt16'],
  'schemas/clickhouse/migrations/0005_tiers.sql': ['failures UInt64', 'failures UInt32'],
  'schemas/clickhouse/views/connections_5m.sql': ['failures UInt64', 'failures UInt32'],
  'schemas/clickhouse/views/connections_1h.sql': ['failures UInt64', 'failures UInt32'],
  'schemas/clickhouse/views/edges.sql': ['failures UInt64', 'failures UInt32'],
  'docs/events.md': ['| `snd_cwnd` | UInt32 |', '| `snd_cwnd` | UInt16 |'],
};

test('a fresh tree is written whole and then found in order', () => {
  const written = generate();
  assert.equal(written.status, 0);
  const names = [...written.stderr.matchAll(/^wrote (.*)$/gm)].map((match) => match[1]);
  assert.deepEqual(names.toSorted(), Object.keys(EDITS).toSorted());
  assert.equal(generate('--check').status, 0);
});

for (const [name, [from, to]] of Object.entries(EDITS)) {
  test(`a type changed by hand in ${name} is found`, () => {
    const path = join(root, name);
    const content = readFileSync(path, 'utf8');
    assert.ok(content.includes(from), `${name} holds ${from}`);
    writeFileSync(path, content.replace(from, to));
    const { status, stderr } = generate('--check');
    writeFileSync(path, content);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`${name.replaceAll('.', '\\.')} differs`));
  });
}
