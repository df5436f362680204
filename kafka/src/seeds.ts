/**
 * Brokers of the configuration as kafkajs takes them. It cuts an address at its first colon, so an IPv6 address goes
 * through it as a name (`::1` as `--1.ipv6-literal.net`), and is one again when the socket is made.
 */
const SUFFIX = '.ipv6-literal.net';

/** In another order for each client: a whole fleet would ask the broker first that stands first in its configuration. */
export function seedsOf(brokers: readonly string[], random = Math.random): string[] {
  return brokers
    .map((broker) => ({ broker, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ broker }) =>
      broker.replace(/^\[(.+)\]:/, (_, address: string) => `${address.replaceAll(':', '-')}${SUFFIX}:`),
    );
}

/** What a socket connects to. */
export function hostOf(seed: string): string {
  return seed.endsWith(SUFFIX) ? seed.slice(0, -SUFFIX.length).replaceAll('-', ':') : seed;
}
