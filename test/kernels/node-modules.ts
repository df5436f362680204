/** Which folders of node_modules the agent and the tests inside the guest need, out of package-lock.json. Pure. */

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
  readonly link?: boolean;
}

export type Packages = Readonly<Record<string, Locked>>;

/** Folders, as `node_modules/zod`, of the packages `names` and of what they import, all the way down. */
export function modulesOf(packages: Packages, names: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (place: string): void => {
    if (found.has(place)) return;
    found.add(place);
    const { link, resolved } = packages[place] ?? {};
    if (link && resolved) visit(resolved);
    for (const name of Object.keys(packages[place]?.dependencies ?? {})) {
      const dependency = resolve(packages, place, name);
      if (dependency) visit(dependency);
    }
  };
  for (const name of names) visit(`node_modules/${name}`);
  return [...found].filter((place) => place.includes('node_modules/')).toSorted();
}

/** Node's search: the folder's own node_modules, then those of the folders around it. */
function resolve(packages: Packages, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[place]) return place;
    if (folder === '') return undefined;
  }
}
