/** Settings of an INSERT of many rows at once: by default a million of them are one block, more than a small server may hold. */
export const SMALL_BLOCKS = {
  min_insert_block_size_rows: '200000',
  min_insert_block_size_bytes: '67108864',
} as const;

/** The same as SQL. */
export const IN_SMALL_BLOCKS = `SETTINGS ${Object.entries(SMALL_BLOCKS)
  .map(([name, value]) => `${name} = ${value}`)
  .join(', ')}`;
