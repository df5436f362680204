/**
 * Scenes of a small fleet: what happened on a few hosts, a question about it, and the answer worked out by hand.
 *
 * A scene's hosts are its own (`<question>-a`, `-b`, …) and each is asked for by name, so that scenes share one
 * database and none sees another. Decoys stand beside every event: the same on another host, the same as tcptrail's
 * own, and, where the scene lets it, the same just before and at the end of the window.
 */
import { timeText } from '@tcptrail/schemas/time-text.ts';

export type Fields = Readonly<Record<string, unknown>>;

export interface Asking {
  /** The question's own parameters, as on the command line. */
  readonly args?: readonly string[];
  /** Default: the scene's first minute to its 60th. */
  readonly since?: string;
  readonly until?: string;
  readonly own?: boolean;
  readonly limit?: number;
  /** Columns that the answer has, in their order; told once a scene. */
  readonly columns?: string;
  readonly rows: readonly (readonly unknown[])[];
}

export interface Scene {
  readonly question: string;
  readonly events?: readonly Fields[];
  readonly batches?: readonly Fields[];
  readonly asks: readonly Asking[];
  /** false: the same events at other times would belong to the answer. */
  readonly decoysInTime?: false;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** 10:00 UTC of yesterday: old enough that its day is over, young enough that no day before it ages away. */
const BASE_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS + 10 * HOUR_MS;
export const DAY_MINUTES = 1_440;

/** A minute of the scene, as DateTime64 is told. */
export const at = (minute: number): string => timeText((BASE_MS + minute * 60_000) * 1_000);
/** The same as DateTime is told. */
export const bin = (minute: number): string => at(minute).slice(0, 19);
/** The same as the command line takes it. */
export const iso = (minute: number): string => at(minute).replace(' ', 'T');
export const day = (minute: number): string => at(minute).slice(0, 10);
export const v4 = (address: string): string => `::ffff:${address}`;

const CLIENT = {
  host: 'a',
  role: 'client',
  family: 'ipv4',
  local_address: v4('10.0.0.1'),
  peer_address: v4('10.9.0.1'),
  peer_port: 443,
  local_port: 50_000,
  executable: '/usr/bin/curl',
  comm: 'curl',
  pid: 100,
};

/** An event of any kind. `duration_us` is what `start` says, unless given; `start` is the minute itself, unless given. */
export function event(kind: string, minute: number, fields: Fields = {}): Fields {
  const { start = minute, ...more } = fields;
  return {
    ...CLIENT,
    kind,
    ts: at(minute),
    start_ts: at(Number(start)),
    duration_us: Math.round((minute - Number(start)) * 60_000_000),
    ...more,
  };
}

export const close = (minute: number, fields: Fields = {}): Fields =>
  event('close', minute, { verdict: 'closed_local', connections: 1, ...fields });
export const fail = (minute: number, fields: Fields = {}): Fields =>
  event('fail', minute, { verdict: 'refused', errno: 111, errno_known: true, connections: 1, ...fields });
export const summary = (minute: number, fields: Fields): Fields =>
  event('summary', minute, { verdict: 'closed_local', pid: 0, ...fields });

export const server = (local_port: number, fields: Fields = {}): Fields => ({
  role: 'server',
  local_port,
  peer_port: 40_000,
  executable: '/usr/sbin/nginx',
  comm: 'nginx',
  ...fields,
});

/** A listener has no peer. */
export const listener = (kind: string, minute: number, port: number, fields: Fields = {}): Fields =>
  event(kind, minute, { ...server(port), peer_port: 0, peer_address: '::', socket_cookie: port, ...fields });

/** `count` events of `make`, which gets 0, 1, 2, …. */
export const times = (count: number, make: (index: number) => Fields): readonly Fields[] =>
  Array.from({ length: count }, (_, index) => make(index));

export const hostName = (scene: Scene, host: unknown): string => `${scene.question}-${host}`;
export const hostsOf = (scene: Scene): readonly string[] => [
  ...new Set(
    [...(scene.events ?? []), ...(scene.batches ?? [])].map(({ host }) => hostName(scene, host ?? 'a')),
  ),
];

/** Rows of `tcp_events` of all scenes, decoys among them. */
export function eventRows(scenes: readonly Scene[]): readonly Fields[] {
  let seq = 0;
  const row = (scene: Scene, { host, ...fields }: Fields, changes: Fields): Fields => {
    seq++;
    const name = hostName(scene, host);
    const ts = String(changes['ts'] ?? fields['ts']);
    const cookie = Number(fields['socket_cookie'] ?? 1_000_000 + seq);
    const copied = 'ts' in changes || 'own' in changes ? 1_000_000_000 + seq : 0;
    return {
      host_name: name,
      host_id: `id-${name}`,
      boot_id: 'boot',
      seq,
      ...fields,
      ...changes,
      day: ts.slice(0, 10),
      socket_cookie: cookie === 0 ? 0 : cookie + copied,
    };
  };
  return scenes.flatMap((scene) =>
    (scene.events ?? []).flatMap((fields) => [
      row(scene, fields, {}),
      row(scene, fields, { own: true }),
      row(scene, { ...fields, host: 'decoy' }, {}),
      ...(scene.decoysInTime === false ? [] : [at(-1 / 60), ...ends(scene)]).map((ts) =>
        row(scene, fields, { ts }),
      ),
    ]),
  );
}

const ends = (scene: Scene): readonly string[] => {
  const untils = scene.asks.map(({ until }) => until?.replace('T', ' ') ?? at(60));
  return [untils.toSorted().at(-1) ?? at(60)];
};

/** Rows of `tcp_batches` of all scenes. */
export function batchRows(scenes: readonly Scene[]): readonly Fields[] {
  return scenes.flatMap((scene) =>
    (scene.batches ?? []).flatMap(({ host = 'a', minute, ...fields }, index) =>
      [hostName(scene, host), hostName(scene, 'decoy')].map((name) => ({
        host_name: name,
        host_id: `id-${name}`,
        boot_id: 'boot',
        batch_seq: index + 1,
        batch_part: 1,
        day: day(Number(minute)),
        batch_ts: at(Number(minute)),
        ...fields,
      })),
    ),
  );
}

const TWINS = ['1', '2'];
const twinName = (name: unknown): string => `twin-${name}`;
const twinId = (id: unknown, twin: string): string => `twin-${id}-${twin}`;
export const twinIdsOf = (scene: Scene): readonly string[] =>
  TWINS.flatMap((twin) => hostsOf(scene).map((name) => twinId(`id-${name}`, twin)));

/** Rows, stored or told, as if each host were two of one name. */
export const twinsOf = (rows: readonly Fields[]): readonly Fields[] =>
  rows.flatMap((row) =>
    TWINS.map((twin) => ({
      ...row,
      host_name: twinName(row['host_name']),
      ...('host_id' in row ? { host_id: twinId(row['host_id'], twin) } : {}),
    })),
  );
