/** Who runs this, as traces name them. */
import { hostname, userInfo } from 'node:os';

/** The person behind sudo. */
export function who(): string {
  return `${process.env['SUDO_USER'] ?? userInfo().username}@${hostname()}`;
}
