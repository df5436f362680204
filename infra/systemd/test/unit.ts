/** Unit files as systemd reads them, as far as the tests ask. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const folder = join(import.meta.dirname, '..');
const CHECKOUT = join(folder, '../..');
const INSTALLED = /\/opt\/tcptrail(?=\/)/g;

/** Values by `Section.Key`, in the order of the file. */
export function unit(name: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let section = '';
  for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const header = /^\[(\w+)\]$/.exec(line)?.[1];
    if (header) section = header;
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (!header && key === undefined) throw new Error(`${name}: ${line}`);
    if (key !== undefined)
      found.set(`${section}.${key}`, [...(found.get(`${section}.${key}`) ?? []), value ?? '']);
  }
  return found;
}

function hasAnalyze(): boolean {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export const installs = {
  skip: hasAnalyze() ? false : 'no systemd-analyze on this machine',
  /** What systemd says against the unit, installed from this checkout with `more` in its last section but one. */
  verify(name: string, more = ''): string {
    const temp = mkdtempSync(join(tmpdir(), 'tcptrail-units-'));
    try {
      const text = readFileSync(join(folder, name), 'utf8').replace(INSTALLED, CHECKOUT);
      writeFileSync(join(temp, name), text.replace('\n[Install]', `${more}\n[Install]`));
      const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(temp, name)], {
        encoding: 'utf8',
      });
      return `${stdout}${stderr}`
        .split('\n')
        .filter((line) => line.includes(name))
        .join('\n');
    } finally {
      rmSync(temp, { recursive: true });
    }
  },
};
