/** All scenes: at least one a question. */
import type { Scene } from './scene.ts';
import { CONNECTIONS } from './scenes/connections.ts';
import { FAILURES } from './scenes/failures.ts';
import { HOSTS } from './scenes/hosts.ts';
import { LOSS } from './scenes/loss.ts';
import { PEERS } from './scenes/peers.ts';
import { PORTS } from './scenes/ports.ts';
import { SECURITY } from './scenes/security.ts';
import { TRAFFIC } from './scenes/traffic.ts';

export const SCENES: readonly Scene[] = [
  ...TRAFFIC,
  ...FAILURES,
  ...CONNECTIONS,
  ...LOSS,
  ...PEERS,
  ...PORTS,
  ...SECURITY,
  ...HOSTS,
];
