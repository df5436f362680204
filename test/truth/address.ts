/** Addresses as the published schema has them: 16 bytes, IPv4 mapped. */
import { isIPv4 } from 'node:net';

/** 32 hexadecimal digits of an address as inet_ntop(3) writes it. */
export function addressDigits(text: string): string {
  const tail = text.slice(text.lastIndexOf(':') + 1);
  if (isIPv4(tail)) {
    const digits = tail.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
    return `${'0'.repeat(20)}ffff${digits.join('')}`;
  }
  const [head = '', rest] = text.split('::');
  const groups = (part: string): string[] =>
    part === '' ? [] : part.split(':').map((group) => group.padStart(4, '0'));
  const left = groups(head);
  const right = groups(rest ?? '');
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0000'), ...right].join(
    '',
  );
}
