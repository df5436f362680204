import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const BPF = join(import.meta.dirname, '../../../bpf');

function build(folder: string): Buffer {
  cpSync(BPF, folder, { recursive: true });
  rmSync(join(folder, 'tcptrail.bpf.o'));
  execFileSync('make', ['-C', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  return readFileSync(join(folder, 'tcptrail.bpf.o'));
}

test('the committed BPF object is what its source builds, byte for byte, in any folder', () => {
  const home = mkdtempSync(join(tmpdir(), 'tcptrail-bpf-'));
  try {
    const committed = readFileSync(join(BPF, 'tcptrail.bpf.o'));
    assert.ok(build(join(home, 'a')).equals(committed));
    assert.ok(build(join(home, 'another/deeper folder')).equals(committed));
  } finally {
    rmSync(home, { recursive: true });
  }
});
