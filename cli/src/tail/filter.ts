/** What `tail` lets through, as SQL with bound parameters. */
import { isIP } from 'node:net';
import { EVENT_KINDS, VERDICTS } from '@tcptrail/schemas/enums.ts';
import { cliError } from '../errors.ts';

export interface FilterOptions {
  readonly kind?: readonly string[] | undefined;
  readonly port?: readonly number[] | undefined;
  readonly peer?: readonly string[] | undefined;
  readonly process?: readonly string[] | undefined;
  readonly host?: readonly string[] | undefined;
  readonly verdict?: readonly string[] | undefined;
  /** tcptrail's own connections too. */
  readonly own?: boolean | undefined;
}

export interface Filter {
  /** A condition over `tcp_events`. */
  readonly where: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export const KINDS_DEFAULT = ['close', 'fail', 'summary'];

/** Values of one option are alternatives; options narrow each other. Throws CLI_USAGE. */
export function filterOf(options: FilterOptions): Filter {
  const conditions = ['kind IN {kinds:Array(String)}'];
  const params: Record<string, unknown> = {
    kinds: known(options.kind ?? KINDS_DEFAULT, EVENT_KINDS, 'kind'),
  };
  if (!options.own) conditions.push('NOT own');
  if (options.verdict) {
    conditions.push('verdict IN {verdicts:Array(String)}');
    params['verdicts'] = known(options.verdict, VERDICTS, 'verdict');
  }
  if (options.port) {
    conditions.push('(local_port IN {ports:Array(UInt16)} OR peer_port IN {ports:Array(UInt16)})');
    params['ports'] = options.port;
  }
  if (options.process) {
    conditions.push(
      '(comm IN {processes:Array(String)} OR executable IN {processes:Array(String)}' +
        " OR splitByChar('/', executable)[-1] IN {processes:Array(String)})",
    );
    params['processes'] = options.process;
  }
  if (options.host) {
    conditions.push('(host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})');
    params['hosts'] = options.host;
  }
  if (options.peer) {
    const peers = options.peer.map((peer, index) => {
      params[`peer${index}`] = networkOf(peer);
      return `isIPAddressInRange(toString(peer_address), {peer${index}:String})`;
    });
    conditions.push(`(${peers.join(' OR ')})`);
  }
  return { where: conditions.join(' AND '), params };
}

function known(values: readonly string[], all: readonly string[], option: string): readonly string[] {
  const unknown = values.find((value) => !all.includes(value));
  if (unknown === undefined) return values;
  throw cliError('CLI_USAGE', [`unknown ${option} ${unknown}; known are ${all.join(', ')}`, 'tcptrail tail']);
}

/** `10.0.0.0/8` → `::ffff:10.0.0.0/104`: addresses are stored IPv4-mapped. */
export function networkOf(text: string): string {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (version === 0 || more.length > 0 || !(length >= 0 && length <= most)) {
    throw cliError('CLI_USAGE', [`${text} is no address such as 10.0.0.1 or 10.0.0.0/8`, 'tcptrail tail']);
  }
  return version === 4 ? `::ffff:${address}/${96 + length}` : `${address}/${length}`;
}
