/** Steps that take back what was done, the last first. */
export interface Undo {
  push(step: () => void): void;
  /** Tries every step once, also after one that fails; then throws what the first of those threw. */
  all(): void;
}

export function createUndo(): Undo {
  const steps: (() => void)[] = [];
  return {
    push: (step) => void steps.push(step),
    all() {
      const errors: unknown[] = [];
      for (const step of steps.splice(0).reverse()) {
        try {
          step();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}
