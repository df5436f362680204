/**
 * How Node.js is to run the agent: without them it grows by a third when load begins. V8's compiler threads take tens
 * of MB while they work, and the young generation grows where a small one does as well (docs/benchmarks.md).
 */
export const NODE_FLAGS = ['--no-concurrent-recompilation', '--max-semi-space-size=1'] as const;
