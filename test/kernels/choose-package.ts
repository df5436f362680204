/** Which Debian package is the newest kernel of a series, out of what `apt-cache show` prints. Pure. */

export interface KernelPackage {
  /** `linux-image-<release>` */
  readonly name: string;
  /** Debian's version, as `6.1.192-2`. */
  readonly version: string;
  /** What `uname -r` says of it. */
  readonly release: string;
  /** Packages the image is split into, of the same release (Debian 14 and its backports). */
  readonly parts: readonly string[];
}

const NAME = /^linux-image-(\d+\.\d[^ ]*-cloud-amd64)$/;

/** The release candidates of experimental, and what is no kernel, are left out. */
export function parsePackages(stanzas: string): KernelPackage[] {
  return stanzas.split(/\n\n+/).flatMap((stanza): KernelPackage[] => {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
    const [name, version] = [field('Package'), field('Version')];
    const release = NAME.exec(name)?.[1];
    // A package without the release's patch level is a name that only points at another.
    if (!release || version.includes('~rc') || !/^\d+\.\d+\.\d/.test(release)) return [];
    const depends = field('Depends').split(/[,|] */);
    const parts = depends.map((one) => one.split(' ')[0] ?? '').filter((one) => one.endsWith(release));
    return [{ name, version, release, parts }];
  });
}

/** undefined: none of the packages is of this series. */
export function newestOf(packages: readonly KernelPackage[], series: string): KernelPackage | undefined {
  const fits = ({ version }: KernelPackage): boolean =>
    series === 'newest' || version.startsWith(`${series}.`);
  return packages
    .filter(fits)
    .toSorted((a, b) => compareVersions(a.version, b.version))
    .at(-1);
}

/** By the numbers in them: kernels of one series differ in nothing else but the suite they were built for. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => (version.match(/\d+/g) ?? []).map(Number));
  for (const [index, number] of (left ?? []).entries()) {
    const difference = number - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return (left?.length ?? 0) - (right?.length ?? 0);
}
