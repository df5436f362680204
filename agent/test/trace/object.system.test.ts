import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const BPF = join(import.meta.dirname, '../../../bpf');

const BUILT = ['tcptrail.bpf.o', 'storage.layout'];

function build(folder: string): readonly Buffer[] {
  cpSync(BPF, folder, { recursive: true });
  for (const built of BUILT) rmSync(join(folder, built));
  execFileSync('make', ['-C', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  return read(folder);
}

const read = (folder: string): readonly Buffer[] => BUILT.map((file) => readFileSync(join(folder, file)));

test('the committed BPF object is what its source builds, byte for byte, in any folder', () => {
  const home = mkdtempSync(join(tmpdir(), 'tcptrail-bpf-'));
  try {
    const committed = read(BPF);
    assert.deepEqual(build(join(home, 'a')), committed);
    assert.deepEqual(build(join(home, 'another/deeper folder')), committed);
  } finally {
    rmSync(home, { recursive: true });
  }
});
