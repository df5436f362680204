/** Options that every part has, for `parseArgs`: they go beside the part's own. */
export const CONFIG_OPTIONS = {
  config: { type: 'string' },
  check: { type: 'boolean' },
  'print-config': { type: 'boolean' },
} as const;
