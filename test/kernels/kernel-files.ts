/** What a guest needs out of a kernel's packages: the image, and the modules of the scenarios in loading order. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Modules of the scenarios; one that a kernel does not have is built in there, or part of another. */
const MODULES = [
  ...['veth', 'dummy', 'tcp_bbr', 'inet_diag', 'tcp_diag'],
  ...['sch_tbf', 'sch_htb', 'sch_netem', 'sch_fq'],
  ...['nf_tables', 'nft_ct', 'nft_counter', 'nft_limit', 'nft_numgen', 'nft_quota', 'nft_compat'],
  ...['nft_reject', 'nft_reject_inet', 'nft_reject_ipv4', 'nft_reject_ipv6'],
];

export interface KernelFiles {
  readonly image: string;
  /** In the order of loading, as the package has them: often compressed. */
  readonly modules: readonly string[];
}

/** Unpacks `packages` into `folder`. */
export function unpackKernel(packages: readonly string[], release: string, folder: string): KernelFiles {
  mkdirSync(folder, { recursive: true });
  for (const file of packages) execFileSync('dpkg-deb', ['--extract', file, folder]);
  // The root of the modules is /lib, from Debian 14 on /usr/lib.
  const [found] = globSync(`{,usr/}lib/modules/${release}`, { cwd: folder });
  const [image] = globSync(`{boot/vmlinuz-${release},usr/lib/modules/${release}/vmlinuz}`, { cwd: folder });
  if (found === undefined || image === undefined) throw new Error(`no kernel in ${packages.join(' ')}`);
  const root = join(folder, found.slice(0, found.indexOf('lib/modules')));
  execFileSync('depmod', ['--basedir', root, release]);
  const modulesDep = readFileSync(join(folder, found, 'modules.dep'), 'utf8');
  const modules = inLoadingOrder(modulesDep, MODULES).map((file) => join(folder, found, file));
  return { image: join(folder, image), modules };
}

/** Files of the modules `names` and all that they need, each after what it needs; modules.dep(5). */
export function inLoadingOrder(modulesDep: string, names: readonly string[]): string[] {
  const needs = new Map<string, readonly string[]>();
  for (const line of modulesDep.split('\n')) {
    const [file, after] = line.split(':');
    if (file && after !== undefined) needs.set(file, after.split(' ').filter(Boolean));
  }
  const files = new Map([...needs.keys()].map((file) => [basename(file).split('.')[0] ?? '', file]));
  const ordered = new Set<string>();
  const add = (file: string): void => {
    if (ordered.has(file)) return;
    for (const needed of needs.get(file) ?? []) add(needed);
    ordered.add(file);
  };
  for (const name of names) {
    const file = files.get(name);
    if (file) add(file);
  }
  return [...ordered];
}
