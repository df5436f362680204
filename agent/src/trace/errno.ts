import { getSystemErrorName } from 'node:util';

/** Name of a negative errno as libbpf returns it; 'E524' for numbers that only the kernel knows. */
export function errnoName(result: number): string {
  try {
    const name = getSystemErrorName(result);
    return name.startsWith('Unknown') ? `E${-result}` : name;
  } catch {
    return `E${Math.abs(result)}`;
  }
}
