/** A question's own parameters: options on the command line, values that ClickHouse binds. */
import { isIP } from 'node:net';
import type { Parameter, Question } from '@tcptrail/schemas/question.ts';
import { timeText } from '@tcptrail/schemas/time-text.ts';
import { Command, InvalidArgumentError, Option } from 'commander';
import { asErrors } from '../usage-errors.ts';
import { timeUs } from './window.ts';

/** As the client binds it. */
export type Value = string | readonly (string | bigint)[];

export interface Values {
  readonly given: Readonly<Record<string, Value>>;
  /** Parameters that must be given and were not. */
  readonly missing: readonly Parameter[];
}

/** `segments_min` → `--segments-min`. */
export const optionOf = ({ name }: Parameter): string => `--${name.replaceAll('_', '-')}`;

/** Options of the parameters that every question has. */
export const COMMON_OPTIONS: Readonly<Record<string, string>> = {
  since: '--since',
  until: '--until',
  hosts: '--host',
  own: '--own',
  limit: '--limit',
};

/** `args` is what stood behind the question's name. Throws CLI_USAGE. */
export function valuesOf(question: Question, args: readonly string[], nowMs: number): Values {
  const command = new Command(`tcptrail ask ${question.name}`).helpOption(false);
  const options = question.parameters.map((parameter) => {
    const option = new Option(`${optionOf(parameter)} <value>`).argParser((text) =>
      boundOf(parameter, text, nowMs),
    );
    command.addOption(option);
    return [parameter, option.attributeName()] as const;
  });
  asErrors(command);
  command.parse([...args], { from: 'user' });
  const found: Readonly<Record<string, Value>> = command.opts();
  const given: Record<string, Value> = {};
  const missing: Parameter[] = [];
  for (const [parameter, attribute] of options) {
    const value =
      found[attribute] ??
      (parameter.defaultText === undefined ? undefined : boundOf(parameter, parameter.defaultText, nowMs));
    if (value === undefined) missing.push(parameter);
    else given[parameter.name] = value;
  }
  return { given, missing };
}

const UINT = /^UInt(8|16|32|64)$/;

/** What `text` is as `type`. Throws InvalidArgumentError, which commander reports with the option's name. */
function boundOf({ name, type }: Parameter, text: string, nowMs: number): Value {
  const itemOf = /^networks?$/.test(name) ? networkOf : scalarOf;
  const [, items] = /^Array\((.+)\)$/.exec(type) ?? [];
  if (items !== undefined) {
    const texts = text === '[]' ? [] : text.replace(/^\[(.*)\]$/, '$1').split(',');
    const values = texts.map((item) => itemOf(items, item.trim(), nowMs));
    // The client quotes strings in arrays, and ClickHouse takes no quoted numbers there.
    return UINT.test(items) ? values.map(BigInt) : values;
  }
  return itemOf(type, text, nowMs);
}

function networkOf(_type: string, text: string): string {
  const [, address = '', bits = ''] = /^([^/%]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  if (version !== 0 && Number(bits) <= (version === 4 ? 32 : 128)) return text;
  throw new InvalidArgumentError(`${text} is no network; give one such as 10.0.0.0/8 or 2001:db8::/32.`);
}

function scalarOf(type: string, text: string, nowMs: number): string {
  const [, bits] = UINT.exec(type) ?? [];
  if (bits !== undefined) {
    const most = 2n ** BigInt(bits) - 1n;
    if (/^\d{1,20}$/.test(text) && BigInt(text) <= most) return text;
    throw new InvalidArgumentError(`give a whole number from 0 to ${most}.`);
  }
  if (type === 'IPv6') {
    if (isIP(text) !== 0) return text;
    throw new InvalidArgumentError('give an address such as 10.0.0.1 or 2001:db8::1.');
  }
  if (type === 'Float64') {
    if (text !== '' && Number.isFinite(Number(text))) return text;
    throw new InvalidArgumentError('give a number.');
  }
  if (type.startsWith('DateTime64')) return timeText(timeUs(text, nowMs));
  return text;
}
