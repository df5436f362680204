/** Kinds of value that more than one part has. `rule` is what messages and the documentation say of them. */
import { z } from 'zod';

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Mark of a section or a key, `.meta(LIVE)`: a change is taken at SIGHUP. */
export const LIVE = { live: true } as const;
/** Mark of a section or a key, `.meta(AT_START)`: a change waits for the next start. */
export const AT_START = { live: false } as const;

export function absolutePath() {
  return z.string().regex(/^\//).meta({ rule: 'an absolute path' });
}

/** An address that nothing outside of this host reaches. */
export function loopback() {
  return z
    .string()
    .regex(/^(127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}|::1|localhost)$/)
    .meta({ rule: 'an address of this host alone: 127.0.0.1, ::1 or localhost' });
}

export function powerOfTwo(min: number, max: number) {
  return z
    .int()
    .min(min)
    .max(max)
    .refine((value) => (value & (value - 1)) === 0, 'must be a power of two')
    .meta({ rule: `a power of two from ${min} to ${max}` });
}

export function httpUrl() {
  return z.url({ protocol: /^https?$/ }).meta({ rule: 'a URL that begins with http:// or https://' });
}

/** Where a part serves /metrics and /healthz: its default port, what port 0 means to it, and which addresses it may take. */
export function metricsSection({
  port,
  zero,
  host = z.string().min(1),
}: {
  readonly port: number;
  readonly zero: string;
  readonly host?: z.ZodString;
}) {
  return z
    .strictObject({
      host: host.default('127.0.0.1').describe('Address that serves metrics and health.'),
      port: z
        .int()
        .min(0)
        .max(65_535)
        .default(port)
        .describe(`Port that serves metrics and health; 0 = ${zero}.`),
    })
    .prefault({});
}
