/**
 * Debian's kernels through apt, with lists and downloads of its own: the machine's configuration stays as it is.
 *
 * Packages are verified by Debian's archive keys, whatever distribution runs here.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KernelPackage, parsePackages } from './choose-package.ts';

const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
const SUITES = [
  'debian bullseye',
  'debian-security bullseye-security',
  'debian bookworm',
  'debian-security bookworm-security',
  'debian bookworm-backports',
  'debian trixie',
  'debian-security trixie-security',
  'debian trixie-backports',
  'debian sid',
];
const LISTS_AGE_MS_MAX = 24 * 3600 * 1000;

export interface Apt {
  /** Every kernel of the suites. */
  packages(): KernelPackage[];
  /** Files of the package and its parts, from the cache or the archive. */
  download(kernel: KernelPackage): string[];
}

/** Lists and packages are kept in `folder`, lists for a day. */
export function createApt(folder: string): Apt {
  const lists = join(folder, 'lists');
  const options = [
    `Dir::Etc::sourcelist=${join(folder, 'sources.list')}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${lists}`,
    `Dir::Cache=${join(folder, 'apt')}`,
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    // Suites past their support are no longer signed anew.
    'Acquire::Check-Valid-Until=false',
    'APT::Architecture=amd64',
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, [...options, ...args], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 });

  function update(): void {
    mkdirSync(join(lists, 'partial'), { recursive: true });
    mkdirSync(join(folder, 'apt/archives/partial'), { recursive: true });
    const lines = SUITES.map((suite) => `deb [signed-by=${KEYS}] http://deb.debian.org/${suite} main`);
    writeFileSync(join(folder, 'sources.list'), `${lines.join('\n')}\n`);
    const stamp = join(folder, 'updated');
    if (existsSync(stamp) && Date.now() - statSync(stamp).mtimeMs < LISTS_AGE_MS_MAX) return;
    try {
      run('apt-get', '-q', 'update');
      writeFileSync(stamp, '');
    } catch {
      // A suite that went to the archive fails it, the lists of the others are there: a missing kernel is told later.
    }
  }

  return {
    packages() {
      update();
      const names = run('apt-cache', 'search', '--names-only', '^linux-image-[0-9].*-cloud-amd64$')
        .split('\n')
        .flatMap((line) => line.split(' ')[0] || []);
      return names.length === 0 ? [] : parsePackages(run('apt-cache', 'show', ...names));
    },
    download(kernel) {
      return [kernel.name, ...kernel.parts].map((name) => {
        // apt names the file <package>_<version>_<architecture>, with the colon of an epoch written as %3a.
        const find = (): string | undefined =>
          readdirSync(folder).find((file) => file.startsWith(`${name}_${kernel.version}_`));
        if (!find()) run('apt-get', '-q', 'download', `${name}=${kernel.version}`);
        const file = find();
        if (!file) throw new Error(`apt-get downloaded no ${name} ${kernel.version}`);
        return join(folder, file);
      });
    },
  };
}
