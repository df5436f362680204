/** Two network namespaces of the test's own, joined by a veth pair: 10.9.0.1 and 10.9.0.2. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

export interface Network {
  /** 10.9.0.1 */
  readonly here: string;
  /** 10.9.0.2 */
  readonly there: string;
  /** Replaces the nftables rules of a namespace. `rules` are those of one chain at `hook`. */
  rules(namespace: string, hook: 'input' | 'output', rules: readonly string[]): void;
  sysctl(namespace: string, name: string, value: string): void;
  remove(): void;
}

const run = (file: string, ...args: string[]): void => {
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
};

export function createNetwork(): Network {
  const id = randomBytes(3).toString('hex');
  const here = `tt${id}h`;
  const there = `tt${id}t`;
  for (const namespace of [here, there]) run('ip', 'netns', 'add', namespace);
  run('ip', 'link', 'add', 'v0', 'netns', here, 'type', 'veth', 'peer', 'name', 'v0', 'netns', there);
  for (const [namespace, address] of [
    [here, '10.9.0.1/24'],
    [there, '10.9.0.2/24'],
  ] as const) {
    run('ip', '-n', namespace, 'addr', 'add', address, 'dev', 'v0');
    run('ip', '-n', namespace, 'link', 'set', 'v0', 'up');
    run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
  }
  return {
    here,
    there,
    rules(namespace, hook, rules) {
      const table = `flush ruleset\ntable inet t {\nchain c {\ntype filter hook ${hook} priority 0;\n${rules.join('\n')}\n}\n}\n`;
      execFileSync('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], {
        input: table,
        stdio: ['pipe', 'ignore', 'inherit'],
      });
    },
    sysctl: (namespace, name, value) =>
      run('ip', 'netns', 'exec', namespace, 'sysctl', '-qw', `${name}=${value}`),
    remove() {
      for (const namespace of [here, there]) run('ip', 'netns', 'del', namespace);
    },
  };
}
