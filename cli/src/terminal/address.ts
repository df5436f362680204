/** Addresses as people read them. */

const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/** An IPv4-mapped IPv6 address as IPv4; any other text as it is. */
export function shortAddress(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}

/** Address and port, `*` for any; IPv6 in brackets. */
export function endpoint(address: string, port: number | '*'): string {
  const short = shortAddress(address);
  return short.includes(':') ? `[${short}]:${port}` : `${short}:${port}`;
}
