/** What must be settled about spool and Kafka before agent and consumer start, and what is left at the end. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createReaderLock } from '@tcptrail/consumer/consume/reader-lock.ts';
import { cliError, reasonOf } from '../errors.ts';
import { bytes, plural } from '../terminal/human.ts';
import { writerOf } from './agent-pid.ts';
import { type HandOver, handOverToKafka, handOverToSpool, mustStoreFirst } from './hand-over.ts';
import type { Places } from './places.ts';
import type { Route } from './route.ts';
import type { LeftBehind, Stack } from './stack.ts';

type KafkaRoute = Extract<Route, { kind: 'kafka' }>;

export interface TakeOver {
  /** Before anything starts. Throws CLI_SPOOL_IN_USE, CLI_KAFKA_DOUBT, CONFIG_*. */
  begin(): void;
  /** When ClickHouse and Kafka answer. Throws CLI_SPOOL_UNSTORED, CONSUMER_SPOOL_IN_USE. */
  beforeAgent(): Promise<void>;
  /** What waits, a sentence each. */
  end(left: LeftBehind): Promise<readonly string[]>;
}

export interface TakeOverDeps {
  readonly stack: Pick<Stack, 'route' | 'consumerConfig' | 'storeSpool'>;
  readonly say: (text: string) => void;
}

export function createTakeOver(places: Places, { stack, say }: TakeOverDeps): TakeOver {
  const { spool, kafkaUnread } = places;
  // No consumer may follow a spool that is published: what it stored would come again out of Kafka.
  const readers = createReaderLock(spool);
  let isKafkaTaken = false;

  const at = (): HandOver => ({ spool, reader: stack.consumerConfig().spool.reader, bootId: bootId() });

  /** Kafkas that may hold what is not stored, by name. */
  function readUnread(): readonly string[] {
    return existsSync(kafkaUnread) ? readFileSync(kafkaUnread, 'utf8').split('\n').filter(Boolean) : [];
  }

  function writeUnread(kafkas: readonly string[]): void {
    try {
      if (kafkas.length === 0) rmSync(kafkaUnread, { force: true });
      else writeFileSync(kafkaUnread, `${kafkas.join('\n')}\n`, { mode: 0o644 });
    } catch (error) {
      throw cliError('CLI_FOLDER_UNUSABLE', [kafkaUnread, reasonOf(error)], { cause: error });
    }
  }

  return {
    begin() {
      const writer = writerOf(spool);
      if (writer !== undefined) throw cliError('CLI_SPOOL_IN_USE', [spool, String(writer)]);
      const { route } = stack;
      if (route.kind === 'spool') handOverToSpool(at());
      for (const kafka of readUnread()) {
        if (route.kind === 'spool' || kafka !== nameOf(route))
          say(`${placeOf(kafka)} may hold what is not stored; '${commandFor(kafka)}' stores it`);
      }
    },
    async beforeAgent() {
      const { route } = stack;
      if (route.kind === 'spool') return;
      if (mustStoreFirst(at())) {
        say(`storing what waits in ${spool}, before Kafka takes over`);
        await stack.storeSpool();
      }
      await readers.acquire();
      handOverToKafka(at());
      writeUnread([...readUnread().filter((kafka) => kafka !== nameOf(route)), nameOf(route)]);
      isKafkaTaken = true;
    },
    async end({ spoolBytes, messages }) {
      await readers.release();
      const { route } = stack;
      if (route.kind === 'spool')
        return spoolBytes > 0 ? [`${bytes(spoolBytes)} wait in ${spool}; the next start stores them`] : [];
      if (!isKafkaTaken) return [];
      if (messages === 0) writeUnread(readUnread().filter((kafka) => kafka !== nameOf(route)));
      const inSpool = `${bytes(spoolBytes)} wait in ${spool} for Kafka; the next start sends them`;
      const inKafka =
        messages === undefined
          ? 'Kafka does not tell whether all of it is stored'
          : `${plural(messages, 'message')} wait in Kafka`;
      return [
        ...(spoolBytes > 0 ? [inSpool] : []),
        ...(messages === 0 ? [] : [`${inKafka}; the next '${commandFor(nameOf(route))}' stores what is not`]),
      ];
    },
  };
}

const LOCAL = 'local';
/** The local Kafka may have another port at every start. */
const nameOf = ({ isLocal, brokers }: KafkaRoute): string => (isLocal ? LOCAL : brokers.join(','));
const placeOf = (kafka: string): string => (kafka === LOCAL ? 'the local Kafka' : `Kafka at ${kafka}`);
const commandFor = (kafka: string): string =>
  kafka === LOCAL ? 'tcptrail up --kafka' : `tcptrail up --brokers ${kafka}`;

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
