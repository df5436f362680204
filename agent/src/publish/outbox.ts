/**
 * What is to be sent: the spool from the cursor on, in groups of one segment, and the cursor that tells how far it
 * was acknowledged. Knows no Kafka.
 */
import { createHash } from 'node:crypto';
import { fingerprintIn } from '@tcptrail/schemas/single-object.ts';
import { type CursorFile, comparePlaces, type Place } from '@tcptrail/spool/cursor.ts';
import type { ChainRead, SegmentChain } from '@tcptrail/spool/segment-chain.ts';
import { formatSegmentName } from '@tcptrail/spool/segment-name.ts';
import { type PublishCursor, START } from './cursor.ts';
import { closedUsOf, eventsIn, type Message, messagesOf } from './message.ts';
import { GAP_MS_MAX } from './pace.ts';

export interface OutboxConfig {
  readonly hostId: string;
  readonly bootId: string;
  /** Start of this run, µs. */
  readonly agentEpoch: number;
  /** The cursor was damaged: anything that is spooled may have been sent. */
  readonly cursorLost: boolean;
}

export interface OutboxDeps {
  /** As it was loaded. */
  readonly cursor: PublishCursor | undefined;
  readonly cursorFile: Pick<CursorFile<PublishCursor>, 'save'>;
  readonly chain: Pick<SegmentChain, 'next' | 'place' | 'isAtEnd'>;
  /** Bytes of the spool that are no batch were passed over. */
  readonly onDamage: (damage: Extract<ChainRead, { kind: 'damage' }>) => void;
}

export interface Group {
  /** Of the run that spooled it, µs. */
  readonly agentEpoch: number;
  /** Not yet acknowledged, in order. */
  readonly messages: readonly Message[];
  readonly maybeDuplicate: boolean;
  /** Time from the batch before it to its last one, as far as it was recorded without a gap. */
  readonly recordedMs: number;
}

export interface GroupLimits {
  readonly bytesMax: number;
  readonly recordedMsMax: number;
}

export interface Outbox {
  /** The group to send: the one in hand, else the next within `limits`; undefined when all is acknowledged. */
  peek(limits: GroupLimits): Group | undefined;
  /** Partition of a run's batches among so many, chosen on first use and kept while it exists. */
  partitionOf(agentEpoch: number, partitions: number): number;
  /** Notes, before the group is sent, that it may be. Throws SPOOL_CURSOR. */
  sending(): void;
  /** The first `count` messages of the group in hand are acknowledged. True when all are. Throws SPOOL_CURSOR. */
  acknowledged(count: number): boolean;
  /** The group in hand may have arrived. */
  uncertain(): void;
  /**
   * The first message in hand is too large: it and all to come are split. Gives the events that a message holds at
   * most now; 0 when it cannot be split. Throws SPOOL_CURSOR.
   */
  split(): number;
}

interface Spooled {
  readonly read: Extract<ChainRead, { kind: 'batch' }>;
  readonly end: Place;
  /** Since the batch before it; a clock that was set and a gap without an agent count as a minute at most. */
  readonly recordedMs: number;
}

interface Hand {
  readonly agentEpoch: number;
  messages: Message[];
  maybeDuplicate: boolean;
  readonly recordedMs: number;
  readonly end: Place;
}

export function createOutbox(config: OutboxConfig, deps: OutboxDeps): Outbox {
  const { chain, cursor: loaded } = deps;
  let place: Place = loaded ? { segment: loaded.segment, position: loaded.position } : START;
  const isOtherBoot = loaded !== undefined && loaded.bootId !== config.bootId;
  /** Batches up to here may have been sent. */
  let doubt: Place | undefined =
    config.cursorLost || isOtherBoot
      ? { segment: formatSegmentName({ agentEpoch: config.agentEpoch, number: 0 }), position: 0 }
      : loaded?.doubt;
  let partEventsMax = doubt ? (loaded?.partEventsMax ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  let partitions: Record<string, number> = { ...loaded?.partitions };
  let isSaved = loaded !== undefined;
  let hand: Hand | undefined;
  /** A batch read that belongs to the next group. */
  let ahead: Spooled | undefined;
  /** When the batch read last was closed. */
  let closedUs: number | undefined;

  /** A power loss may take the newest of these along: then everything older than this boot is in doubt. */
  function save(): void {
    const cursor = {
      ...place,
      ...(doubt ? { doubt } : {}),
      bootId: config.bootId,
      partitions,
      ...(partEventsMax === Number.POSITIVE_INFINITY ? {} : { partEventsMax }),
    };
    deps.cursorFile.save(cursor, { durable: !isSaved });
    isSaved = true;
  }

  const isDoubtful = (end: Place): boolean => doubt !== undefined && comparePlaces(end, doubt) <= 0;

  const placeOf = (read: { readonly segment: string }): Place => ({
    segment: read.segment,
    position: chain.place?.position ?? 0,
  });

  function spooled(read: Spooled['read']): Spooled {
    const now = closedUsOf(read.datum);
    const sinceMs = now === undefined || closedUs === undefined ? 0 : (now - closedUs) / 1_000;
    closedUs = now ?? closedUs;
    return { read, end: placeOf(read), recordedMs: Math.min(GAP_MS_MAX, Math.max(0, sinceMs)) };
  }

  /** The batch that begins a group; everything before it is acknowledged. */
  function first(): Spooled | undefined {
    if (ahead) return ahead;
    for (;;) {
      const read = chain.next();
      if (read.kind === 'nothing') return undefined;
      if (read.kind === 'batch') return spooled(read);
      deps.onDamage(read);
      place = placeOf(read);
      save();
    }
  }

  /** What cannot be read is told when nothing is in hand any more: the chain stands where it stood. */
  function readOn(): ChainRead {
    try {
      return chain.next();
    } catch {
      return { kind: 'nothing' };
    }
  }

  /**
   * Never reads on into the next segment: a full spool makes room by dropping segments that no cursor is in, and
   * the cursor reaches the next one only when this group is acknowledged.
   */
  function gather({ bytesMax, recordedMsMax }: GroupLimits): Hand | undefined {
    const begin = first();
    ahead = undefined;
    if (!begin) return undefined;
    const maybeDuplicate = isDoubtful(begin.end);
    const options = { maybeDuplicate, partEventsMax };
    const messages = messagesOf(batchOf(begin.read), options);
    let { end, recordedMs } = begin;
    let bytes = begin.read.datum.length;
    while (!chain.isAtEnd) {
      const read = readOn();
      if (read.kind === 'nothing') break;
      if (read.kind === 'damage') {
        deps.onDamage(read);
        end = placeOf(read);
        continue;
      }
      const next = spooled(read);
      bytes += read.datum.length;
      const isOver = bytes > bytesMax || recordedMs + next.recordedMs > recordedMsMax;
      if (isOver || isDoubtful(next.end) !== maybeDuplicate) {
        ahead = next;
        break;
      }
      messages.push(...messagesOf(batchOf(read), options));
      recordedMs += next.recordedMs;
      end = next.end;
    }
    return { agentEpoch: begin.read.agentEpoch, messages, maybeDuplicate, recordedMs, end };
  }

  // From now on nothing that is in hand may be dropped from a full spool.
  if (!loaded) save();

  return {
    peek(limits) {
      hand ??= gather(limits);
      return hand;
    },
    partitionOf(agentEpoch, count) {
      const chosen = partitions[agentEpoch];
      if (chosen !== undefined && chosen < count) return chosen;
      // Runs before the one that is sent are acknowledged: only this and later ones are kept.
      const later = Object.entries(partitions).filter(([epoch]) => Number(epoch) > agentEpoch);
      const partition = spread(`${config.hostId}/${agentEpoch}`, count);
      partitions = { ...Object.fromEntries(later), [agentEpoch]: partition };
      return partition;
    },
    sending() {
      if (!hand) return;
      if (!isDoubtful(hand.end)) doubt = hand.end;
      save();
    },
    acknowledged(count) {
      if (!hand) return true;
      hand.messages = hand.messages.slice(count);
      if (hand.messages.length > 0) return false;
      place = hand.end;
      hand = undefined;
      if (doubt && comparePlaces(doubt, place) <= 0) doubt = undefined;
      save();
      return true;
    },
    uncertain() {
      if (!hand) return;
      const again = { maybeDuplicate: true, partEventsMax };
      hand.messages = hand.messages.flatMap((message) => messagesOf(message, again));
      hand.maybeDuplicate = true;
    },
    split() {
      const events = hand?.messages[0] ? eventsIn(hand.messages[0]) : 0;
      if (!hand || events < 2) return 0;
      partEventsMax = events >> 1;
      const options = { maybeDuplicate: hand.maybeDuplicate, partEventsMax };
      hand.messages = hand.messages.flatMap((message) => messagesOf(message, options));
      // Before a part is sent: after a crash the same batch must give the same parts.
      save();
      return partEventsMax;
    },
  };
}

const batchOf = ({ datum, schema }: Spooled['read']): Pick<Message, 'datum' | 'fingerprint'> => ({
  datum,
  fingerprint: fingerprintIn(schema),
});

/** Evenly over the partitions, the same for the same run. */
function spread(name: string, partitions: number): number {
  return createHash('sha256').update(name).digest().readUInt32LE(0) % partitions;
}
