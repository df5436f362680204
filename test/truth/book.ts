/**
 * What a scenario says happened, as it says it. Rows are made of it when asked for: only at the end are the last times
 * and the kernel's counts known.
 */
import type { closeRow, failRow } from './connection-rows.ts';
import type { Expectation, Fields } from './expected.ts';
import type { Ended } from './life-fields.ts';
import { listenRows } from './listener-rows.ts';
import { openRow } from './open-row.ts';
import { lateResetRows } from './reset-rows.ts';
import { retransmitRows } from './retransmit-rows.ts';
import type { Life, Listening, Socket } from './socket.ts';
import type { RetransmitRows, RowOptions } from './truth.ts';

/** Makes rows of a connection out of its end. `holdUs`: the agent's openHoldMs, as configured. */
export type Told = (
  ended: Ended,
  holdUs: number,
  retransmits?: RowOptions['retransmits'],
) => readonly (Expectation | undefined)[];

const ANY: readonly RetransmitRows[] = [{ fields: {}, least: 0, most: Number.POSITIVE_INFINITY }];

/** All rows of a connection, from its first segment to its end. */
export const whole =
  (row: typeof closeRow | typeof failRow): Told =>
  (ended, holdUs, retransmits = () => ANY) => [
    row(ended),
    openRow(ended, holdUs),
    ...retransmits().map((rows) => retransmitRows(ended, rows)),
  ];

export interface Book {
  /** `isWhole`: the row is the connection's last. */
  ended(row: Told, socket: Socket | Life, options: RowOptions & { readonly isWhole: boolean }): void;
  listened(listening: Listening): void;
  /** Fields over those of the listener's `unlisten`. */
  unlistened(cookie: number, fields: Fields): void;
  forgetListeners(): void;
  accepted(server: Socket, listening: Listening): void;
  /** Made when the scenario is over, at `endUs`. */
  later(make: (endUs: number) => Expectation): void;
  expect(expectation: Expectation): void;
  /** `resetsSent`: what the kernel has counted in the namespace. */
  expectations(at: {
    readonly endUs: number;
    readonly holdUs: number;
    readonly resetsSent: (namespace: number) => number;
  }): readonly Expectation[];
}

interface Ending {
  readonly row: Told;
  readonly life: Life;
  readonly cause: Life | undefined;
  readonly options: RowOptions & { readonly isWhole: boolean };
}

export const lifeOf = (socket: Socket | Life): Life => ('life' in socket ? socket.life : socket);

const isResetSent = ({ kind, key, fields }: Expectation): boolean =>
  kind === 'reset' && (key['reset_direction'] ?? fields['reset_direction']) === 'sent';

export function createBook(): Book {
  const endings: Ending[] = [];
  const listeners: Listening[] = [];
  const unlistens = new Map<number, Fields>();
  const listenerOf = new Map<number, Listening>();
  const later: ((endUs: number) => Expectation)[] = [];
  const others: Expectation[] = [];

  function endedOf({ life, cause, options }: Ending, endUs: number): Ended {
    const { before } = cause?.end ?? life.end ?? life.start;
    return {
      life,
      namespace: life.maker.network_namespace,
      listener: listenerOf.get(life.cookie),
      ts: options.isAtCall && life.end ? life.end : { before, after: endUs },
      endUs,
      fields: options.fields ?? {},
      about: options.about,
    };
  }

  return {
    ended(row, socket, { cause, ...options }) {
      // A socket may have another life by the end of the scenario.
      endings.push({ row, life: lifeOf(socket), cause: cause && lifeOf(cause), options });
    },
    listened: (listening) => listeners.push(listening),
    unlistened: (cookie, fields) => unlistens.set(cookie, fields),
    forgetListeners() {
      listeners.length = 0;
    },
    accepted: (server, listening) => listenerOf.set(server.cookie, listening),
    later: (make) => later.push(make),
    expect: (expectation) => others.push(expectation),
    expectations({ endUs, holdUs, resetsSent }) {
      const ends = endings.map((ending) => ({ ending, ended: endedOf(ending, endUs) }));
      const sure = [
        ...ends.flatMap(({ ending: { row, options }, ended }) =>
          keyed(row(ended, holdUs, options.retransmits), options.key),
        ),
        ...listeners.flatMap((listening) =>
          listenRows(listening, {
            namespace: listening.process.network_namespace,
            end: endUs,
            unlisten: unlistens.get(listening.cookie) ?? {},
          }),
        ),
        ...later.map((make) => make(endUs)),
        ...others,
      ];
      const certain = new Map<number, number>();
      for (const one of sure.filter(isResetSent))
        certain.set(one.namespace, (certain.get(one.namespace) ?? 0) + one.least);
      const left = (namespace: number): number =>
        Math.max(0, resetsSent(namespace) - (certain.get(namespace) ?? 0));
      const lates = ends
        .filter(({ ending }) => ending.options.isWhole)
        .flatMap(({ ended }) => lateResetRows(ended, left(ended.namespace)));
      return [...sure, ...lates];
    },
  };
}

/** `key` instead of cookie and generation. */
function keyed(rows: ReturnType<Told>, key: RowOptions['key']): readonly Expectation[] {
  const there = rows.filter((one) => one !== undefined);
  return key ? there.map((one) => ('generation' in one.key ? { ...one, key } : one)) : there;
}
