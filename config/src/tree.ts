/** What YAML gives: keys, sections and values, not yet known to be right. */
export type Tree = { [key: string]: unknown };

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at `path`; undefined when there is none. */
export function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  let node = tree;
  for (const key of path) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return undefined;
    node = (node as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return node;
}

/**
 * A tree with `value` at `path`; `tree` stays as it is, and so does every section that `path` does not pass.
 *
 * A section that is absent or empty is made. One that is no section is left for the schema to refuse.
 */
export function withValue(tree: Tree, path: readonly string[], value: unknown): Tree {
  const [key, ...rest] = path;
  if (key === undefined) return tree;
  if (rest.length === 0) return { ...tree, [key]: value };
  const section = tree[key] ?? {};
  return isTree(section) ? { ...tree, [key]: withValue(section, rest, value) } : tree;
}

/** `tree` laid over `below`, section by section. */
export function laidOver(below: Tree, tree: Tree): Tree {
  const laid = { ...below, ...tree };
  for (const [name, value] of Object.entries(tree)) {
    const under = below[name];
    if (isTree(value) && isTree(under)) laid[name] = laidOver(under, value);
  }
  return laid;
}
