/** The window that a question is asked for. */
import type { Bin } from '@tcptrail/schemas/question-bin.ts';
import { timeText } from '@tcptrail/schemas/time-text.ts';
import { cliError } from '../errors.ts';
import { age } from '../options.ts';

/** µs since the epoch. */
export interface Window {
  readonly sinceUs: number;
  /** Not in it. */
  readonly untilUs: number;
}

const AGE = /^\d+[a-z]+$/;
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:\d{2})?$/;

/** `since` and `until` as given: ages before `nowMs`, or times. Throws CLI_USAGE. */
export function windowOf(
  { since, until }: { readonly since: string; readonly until: string | undefined },
  nowMs: number,
): Window {
  const [sinceUs, untilUs] = [
    timeUs(since, nowMs),
    until === undefined ? nowMs * 1_000 : timeUs(until, nowMs),
  ];
  if (sinceUs >= untilUs)
    throw cliError('CLI_USAGE', [
      `the window from ${timeText(sinceUs)} to ${timeText(untilUs)} is empty; give --since before --until`,
      'tcptrail ask',
    ]);
  return { sinceUs, untilUs };
}

/** What an answer in whole bins is of; what is yet to come is in no bin. Throws CLI_USAGE where it is of none. */
export function inBins({ sinceUs, untilUs }: Window, bin: Bin, nowMs: number): Window {
  const binUs = bin.seconds * 1_000_000;
  const beginOf = (us: number): number => us - (us % binUs);
  const covered = {
    sinceUs: beginOf(sinceUs),
    untilUs: bin.isEndCut
      ? beginOf(untilUs)
      : Math.min(beginOf(untilUs + binUs - 1), Math.max(untilUs, nowMs * 1_000)),
  };
  if (covered.sinceUs < covered.untilUs) return covered;
  throw cliError('CLI_USAGE', [
    `the window from ${timeText(sinceUs)} to ${timeText(untilUs)} reaches the end of no bin of ${bin.length}; give an earlier --since`,
    'tcptrail ask',
  ]);
}

/** µs since the epoch of an age before `nowMs`, or of an ISO 8601 time: UTC unless it names a zone. Throws CLI_USAGE. */
export function timeUs(text: string, nowMs: number): number {
  if (AGE.test(text)) {
    try {
      return (nowMs - age(text)) * 1_000;
    } catch (error) {
      throw refusal(text, error);
    }
  }
  const [, date, minutes = '00:00', seconds = ':00', fraction = '', zone = 'Z'] = TIME.exec(text) ?? [];
  const wholeMs = date === undefined ? Number.NaN : Date.parse(`${date}T${minutes}${seconds}${zone}`);
  if (Number.isNaN(wholeMs)) throw refusal(text);
  return wholeMs * 1_000 + Number(fraction.padEnd(6, '0'));
}

const refusal = (text: string, cause?: unknown): Error =>
  cliError('CLI_USAGE', [`${text} is no time such as 90m, 12h, 3d or 2026-11-28T10:00`, 'tcptrail ask'], {
    cause,
  });
