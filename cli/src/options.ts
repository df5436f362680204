/** Values of options, checked where they come in; commander turns the error into exit code 2. */
import { InvalidArgumentError } from 'commander';

/** A whole number from `least` to `most`. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`give a whole number from ${least} to ${most}.`);
  };
}

/** A repeatable option whose value may list several, parted by commas. */
export function list(text: string, before: readonly string[] | undefined): readonly string[] {
  const values = text.split(',').map((value) => value.trim());
  if (values.some((value) => value === '')) throw new InvalidArgumentError('a value is empty.');
  return [...(before ?? []), ...values];
}

/** As `list`, of brokers. */
export function brokers(text: string, before: readonly string[] | undefined): readonly string[] {
  const all = list(text, before);
  const wrong = all.find((broker) => !/^(\[[0-9a-fA-F:]+\]|[^\s:,[\]]+):\d{1,5}$/.test(broker));
  if (wrong === undefined) return all;
  throw new InvalidArgumentError(`${wrong} is no broker such as 10.0.0.1:9092.`);
}

/** As `list`, of ports. */
export function ports(text: string, before: readonly number[] | undefined): readonly number[] {
  return [...(before ?? []), ...list(text, undefined).map(integer(0, 65_535))];
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** An age such as 90m, 12h or 3d, in ms. */
export function age(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * (UNIT_MS[unit] ?? 0);
  throw new InvalidArgumentError('give an age such as 90m, 12h or 3d.');
}

export function instanceName(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError('give 1 to 32 of a-z, 0-9 and -.');
}
