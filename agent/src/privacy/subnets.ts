/** Networks, and whether an address of 16 bytes (IPv4 is v4-mapped) is in one of them. */
import { BlockList, isIP } from 'node:net';

/** RFC 1918, 4193, 1122 and 4291: what no router of the Internet passes on. `::` and `0.0.0.0` are no address. */
export const INTERNAL = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7',
  '127.0.0.0/8',
  '::1/128',
  '169.254.0.0/16',
  'fe80::/10',
  '0.0.0.0/32',
  '::/128',
] as const;

interface Subnet {
  readonly network: string;
  readonly length: number;
  readonly family: 'ipv4' | 'ipv6';
}

export function isSubnet(text: string): boolean {
  return parse(text) !== undefined;
}

/** `subnets`: each as `isSubnet` has it. Gives a question about the 16 bytes at `at`. */
export function inSubnets(subnets: readonly string[]): (bytes: Uint8Array, at: number) => boolean {
  const list = new BlockList();
  for (const { network, length, family } of subnets.flatMap((text) => parse(text) ?? []))
    list.addSubnet(network, length, family);
  return (bytes, at) => {
    const mapped = isMapped(bytes, at);
    return list.check(mapped ? dotted(bytes, at + 12) : colons(bytes, at), mapped ? 'ipv4' : 'ipv6');
  };
}

function parse(text: string): Subnet | undefined {
  const [network = '', digits = '', ...rest] = text.split('/');
  const version = isIP(network);
  const length = Number(digits);
  if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(digits) || network.includes('%'))
    return undefined;
  if (length > (version === 4 ? 32 : 128)) return undefined;
  return { network, length, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** ::ffff:0:0/96 */
function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < 10; index++) if (bytes[at + index] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

const dotted = (bytes: Uint8Array, at: number): string => bytes.subarray(at, at + 4).join('.');

function colons(bytes: Uint8Array, at: number): string {
  const words = Array.from({ length: 8 }, (_, index) => {
    const high = bytes[at + 2 * index] ?? 0;
    return (high * 256 + (bytes[at + 2 * index + 1] ?? 0)).toString(16);
  });
  return words.join(':');
}
