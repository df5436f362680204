/** Values of options, checked where they come in; commander turns the error into exit code 2. */
import { isIP, SocketAddress } from 'node:net';
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

const DAYS_MAX = 3_660;

/** A day as 2026-11-28, or the days from one to another, `2026-11-01..2026-11-07`. */
export function days(text: string): readonly string[] {
  const [first = '', last = first, more] = text.split('..').map((day) => day.trim());
  const [from, to] = [first, last].map(dayNumber);
  const isRange = more === undefined && from !== undefined && to !== undefined && from <= to;
  if (!isRange || to - from >= DAYS_MAX)
    throw new InvalidArgumentError('give a day such as 2026-11-28, or two as 2026-11-01..2026-11-07.');
  return Array.from({ length: to - from + 1 }, (_, index) => dayText(from + index));
}

/** One day, as 2026-11-28. */
export function day(text: string): string {
  if (dayNumber(text) !== undefined) return text;
  throw new InvalidArgumentError('give a day such as 2026-11-28.');
}

const DAY_MS = 86_400_000;
const dayText = (number: number): string => new Date(number * DAY_MS).toISOString().slice(0, 10);

/** Days since 1970; undefined for what is no day of the calendar. */
function dayNumber(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const number = Date.parse(`${text}T00:00:00Z`) / DAY_MS;
  return Number.isInteger(number) && dayText(number) === text ? number : undefined;
}

/** An address as ClickHouse writes it; `::`, which stands for none, is refused. */
export function address(text: string): string {
  const family = isIP(text);
  if (family === 0) throw new InvalidArgumentError('give an IPv4 or IPv6 address.');
  const { address: canonical } = new SocketAddress({
    address: text,
    family: family === 4 ? 'ipv4' : 'ipv6',
  });
  if (/^::$|^0\.0\.0\.0$|^::ffff:0\.0\.0\.0$/.test(canonical))
    throw new InvalidArgumentError('it stands for no address.');
  return canonical;
}
