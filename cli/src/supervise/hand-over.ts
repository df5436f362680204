/**
 * From the spool to Kafka and back: the reader of one way begins where the reader of the other stood.
 *
 *   cursor/<reader>.json   of the consumer that follows the spool
 *   cursor/kafka.json      of the agent that publishes
 *
 * One of them is there at a time: the other would hold the spool for ever. While both are (the hand-over was
 * interrupted), the one of the way before counts; the new one was written from it.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { type PublishCursor, parsePublishCursor, READER, START } from '@tcptrail/agent/publish/cursor.ts';
import { createCursorFile, type Place } from '@tcptrail/spool/cursor.ts';
import { parseSegmentName } from '@tcptrail/spool/segment-name.ts';
import { z } from 'zod';
import { cliError } from '../errors.ts';
import { spoolLag } from './spool-lag.ts';

export interface HandOver {
  readonly spool: string;
  /** Name of the consumer among the readers. */
  readonly reader: string;
  /** Of this boot, as the agent reads it. */
  readonly bootId: string;
}

const PLACE = z.object({ segment: z.string(), position: z.int().min(0) });

/** Whether the consumer that follows the spool must store what waits before the agent may publish. */
export function mustStoreFirst({ spool, reader }: HandOver): boolean {
  if (!isHandOverToKafka({ spool, reader })) return false;
  return spoolLag(spool, reader).bytes > 0;
}

/**
 * The agent is going to publish. What waits has been stored, so that nothing that may be stored is sent.
 * Throws SPOOL_CURSOR.
 */
export function handOverToKafka(at: HandOver): void {
  if (!isHandOverToKafka(at)) return;
  const { spool, reader, bootId } = at;
  const from = placeIn(fileOf(spool, reader));
  // Nobody knows what was stored: then all that is there goes marked, and is stored once.
  const begin = from ? { ...from } : { ...START, doubt: endOf(spool) };
  const cursor: PublishCursor = { ...begin, bootId, partitions: {} };
  saved(spool, READER, cursor);
  removed(spool, reader);
}

/** The consumer is going to follow the spool. Throws CLI_KAFKA_DOUBT, SPOOL_CURSOR. */
export function handOverToSpool({ spool, reader, bootId }: HandOver): void {
  const file = fileOf(spool, READER);
  if (!existsSync(file)) return;
  const cursor = publishCursorIn(file);
  if (!cursor)
    throw cliError('CLI_KAFKA_DOUBT', [`the cursor ${file} of the agent that published is damaged`]);
  const waiting = spoolLag(spool, READER).bytes;
  if (cursor.doubt) throw cliError('CLI_KAFKA_DOUBT', ['the agent was killed while it sent to Kafka']);
  // Without an fsync the cursor may be older than what was sent before a power loss.
  if (cursor.bootId !== bootId && waiting > 0)
    throw cliError('CLI_KAFKA_DOUBT', ['the host went down while the agent published to Kafka']);
  saved(spool, reader, { segment: cursor.segment, position: cursor.position });
  removed(spool, READER);
}

/** A spool that nobody published has to be taken over, if it holds anything. */
function isHandOverToKafka({ spool, reader }: Pick<HandOver, 'spool' | 'reader'>): boolean {
  if (existsSync(fileOf(spool, reader))) return true;
  return !existsSync(fileOf(spool, READER)) && segmentsIn(spool).length > 0;
}

function placeIn(file: string): Place | undefined {
  try {
    return PLACE.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

function publishCursorIn(file: string): PublishCursor | undefined {
  try {
    return parsePublishCursor(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

function saved<C extends Place>(spool: string, reader: string, cursor: C): void {
  const never = (): C => {
    throw new Error('a cursor that is written is not read');
  };
  createCursorFile<C>({ spool, reader, parse: never }, { onDamaged: () => {} }).save(cursor);
  // Its reader may be another user.
  chmodSync(fileOf(spool, reader), 0o644);
  // Both names must survive a power loss before the other cursor goes.
  synced(join(spool, 'cursor'));
}

function removed(spool: string, reader: string): void {
  rmSync(fileOf(spool, reader), { force: true });
  synced(join(spool, 'cursor'));
}

function synced(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function segmentsIn(spool: string): readonly string[] {
  try {
    return readdirSync(spool).filter((file) => parseSegmentName(file) !== undefined);
  } catch {
    return [];
  }
}

function endOf(spool: string): Place {
  const segment = segmentsIn(spool).toSorted().at(-1);
  return segment === undefined ? START : { segment, position: statSync(join(spool, segment)).size };
}

const fileOf = (spool: string, reader: string): string => join(spool, 'cursor', `${reader}.json`);
