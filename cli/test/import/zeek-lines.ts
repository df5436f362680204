/** Lines of conn.log as Zeek writes them, for tests. */

/** Columns of Zeek 7's conn.log, with their types. */
export const COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ['ts', 'time'],
  ['uid', 'string'],
  ['id.orig_h', 'addr'],
  ['id.orig_p', 'port'],
  ['id.resp_h', 'addr'],
  ['id.resp_p', 'port'],
  ['proto', 'enum'],
  ['service', 'string'],
  ['duration', 'interval'],
  ['orig_bytes', 'count'],
  ['resp_bytes', 'count'],
  ['conn_state', 'string'],
  ['local_orig', 'bool'],
  ['local_resp', 'bool'],
  ['missed_bytes', 'count'],
  ['history', 'string'],
  ['orig_pkts', 'count'],
  ['orig_ip_bytes', 'count'],
  ['resp_pkts', 'count'],
  ['resp_ip_bytes', 'count'],
  ['tunnel_parents', 'set[string]'],
];

export type Fields = Readonly<Record<string, string>>;

export const CONNECTION: Fields = {
  ts: '1713484795.943239',
  uid: 'CHhAvVGS1DHFjwGM9',
  'id.orig_h': '10.136.0.18',
  'id.orig_p': '55548',
  'id.resp_h': '203.0.113.16',
  'id.resp_p': '443',
  proto: 'tcp',
  service: 'ssl',
  duration: '0.084044',
  orig_bytes: '1030',
  resp_bytes: '20275',
  conn_state: 'SF',
  history: 'ShADadFf',
  orig_pkts: '18',
  orig_ip_bytes: '1974',
  resp_pkts: '14',
  resp_ip_bytes: '21010',
};

export const HEADER: readonly string[] = [
  '#separator \\x09',
  '#set_separator\t,',
  '#empty_field\t(empty)',
  '#unset_field\t-',
  '#path\tconn',
  '#open\t2024-04-19-00-00-00',
  `#fields\t${COLUMNS.map(([name]) => name).join('\t')}`,
  `#types\t${COLUMNS.map(([, type]) => type).join('\t')}`,
];

export const CLOSE = '#close\t2024-04-19-01-00-00';

export function tsv(change: Fields = {}): string {
  const fields: Fields = { ...CONNECTION, ...change };
  return COLUMNS.map(([name]) => fields[name] ?? '-').join('\t');
}

/** As Zeek's JSON writer does: numbers and booleans are such, what is not set is left out. */
export function json(change: Fields = {}): string {
  const all = Object.entries({ ...CONNECTION, ...change }).filter(([, value]) => value !== '-');
  const numbers = new Set(
    COLUMNS.filter(([, type]) => /time|port|interval|count/.test(type)).map(([name]) => name),
  );
  return JSON.stringify(
    Object.fromEntries(all.map(([name, value]) => [name, numbers.has(name) ? Number(value) : value])),
  );
}
