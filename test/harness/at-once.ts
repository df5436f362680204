/** Runs `run` for each item, in order, `most` at a time. Results stand as the items do; the first error rejects. */
export async function atOnce<Item, Result>(
  most: number,
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const waiting = [...items.entries()];
  const results = new Map<number, Result>();
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results.set(next[0], await run(next[1]));
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return [...results].toSorted(([a], [b]) => a - b).map(([, result]) => result);
}
