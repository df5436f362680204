/** Options of a test that loads BPF programs or mounts: elsewhere it is skipped with the reason. */
export const needsRoot = { skip: process.getuid?.() === 0 ? false : 'needs root (BPF programs, mounts)' };
