/** Tokens for the brokers: one at a time, reused for most of its life. */

export interface Token {
  readonly value: string;
  readonly lifeMs: number;
}

export interface Tokens {
  /** Rejects as the source does. */
  current(): Promise<string>;
  /** The brokers refused it: the next login asks for another. */
  discard(): void;
}

/**
 * A login ends with its token, and kafkajs renews it ten seconds before: one that ends sooner would be renewed at once,
 * again and again, which brokers refuse.
 */
const LEFT_MS_MIN = 20_000;
const USED_PART = 0.8;

export function createTokens(fetch: () => Promise<Token>, nowMs = () => performance.now()): Tokens {
  let held: { readonly value: string; readonly untilMs: number } | undefined;
  let asked: Promise<string> | undefined;

  async function ask(): Promise<string> {
    const { value, lifeMs } = await fetch();
    held = { value, untilMs: nowMs() + Math.min(lifeMs * USED_PART, lifeMs - LEFT_MS_MIN) };
    return value;
  }

  return {
    async current() {
      if (held && nowMs() < held.untilMs) return held.value;
      // Connections to several brokers log in at the same time.
      asked ??= ask().finally(() => {
        asked = undefined;
      });
      return await asked;
    },
    discard() {
      held = undefined;
    },
  };
}
