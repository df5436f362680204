/** What rows say together, against counters that the kernel keeps of the namespace and of the connection. */
import type { Row } from './rows.ts';
import type { Snmp } from './snmp.ts';

export interface Sum {
  readonly what: string;
  readonly wanted: number;
  readonly got: number;
}

const CAUSES = ['syn', 'syn_ack', 'rto', 'loss_recovery', 'fast', 'tail_loss_probe', 'other'] as const;

const segments = (rows: readonly Row[]): number =>
  rows.reduce((sum, row) => sum + Number(row['retransmit_segments']), 0);

/** Retransmissions by cause and resets sent of one namespace. */
export function namespaceSums(rows: readonly Row[], snmp: Snmp): readonly Sum[] {
  const retransmits = rows.filter((row) => row['kind'] === 'retransmit');
  const counter = (name: string): number => snmp[name] ?? 0;
  const sent = retransmits.filter((row) => row['transmit_failed'] === false);
  const failed = segments(retransmits.filter((row) => row['transmit_failed'] === true));
  const of = (...causes: string[]): number =>
    segments(sent.filter((row) => causes.includes(String(row['retransmit_cause']))));
  const resets = rows.filter((row) => row['kind'] === 'reset' && row['reset_direction'] === 'sent').length;
  const probes = of('tail_loss_probe');
  return [
    // Before 6.17 failed ones have no event; the kernel counts them all the same.
    {
      what: 'RetransSegs',
      wanted: counter('RetransSegs'),
      got: segments(sent) + Math.max(failed, counter('TCPRetransFail')),
    },
    { what: 'TCPRetransFail', wanted: counter('TCPRetransFail'), got: failed },
    {
      what: 'TCPSynRetrans',
      wanted: counter('TCPSynRetrans'),
      got:
        of('syn', 'syn_ack') +
        segments(retransmits.filter((row) => row['transmit_failed'] && row['retransmit_cause'] === 'syn')),
    },
    { what: 'TCPFastRetrans', wanted: counter('TCPFastRetrans'), got: of('fast') },
    { what: 'TCPSlowStartRetrans', wanted: counter('TCPSlowStartRetrans'), got: of('loss_recovery') },
    // A probe may also carry new data, which is no retransmission.
    {
      what: 'tail loss probes, at most TCPLossProbes',
      wanted: Math.min(probes, counter('TCPLossProbes')),
      got: probes,
    },
    { what: 'retransmissions of no known cause', wanted: 0, got: of('other', 'unknown') },
    { what: 'OutRsts', wanted: counter('OutRsts'), got: resets },
  ];
}

/** The retransmissions of one connection, told singly and in its last row. */
export function connectionSums(last: Row, rows: readonly Row[]): readonly Sum[] {
  const own = rows.filter(
    (row) =>
      row['kind'] === 'retransmit' &&
      row['socket_cookie'] === last['socket_cookie'] &&
      row['generation'] === last['generation'],
  );
  const sent = own.filter((row) => row['transmit_failed'] === false);
  const by = (cause: string): number => segments(sent.filter((row) => row['retransmit_cause'] === cause));
  return [
    ...CAUSES.map((cause) => ({
      what: `retrans_${cause}`,
      wanted: by(cause),
      got: Number(last[`retrans_${cause}`]),
    })),
    {
      what: 'total_retrans',
      wanted: CAUSES.reduce((sum, cause) => sum + Number(last[`retrans_${cause}`]), 0),
      got: Number(last['total_retrans']) - Number(last['retrans_failed']),
    },
  ];
}
