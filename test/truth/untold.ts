/** What no agent can tell on this kernel, as the agent itself says: no row is blamed for it. Pure. */
import type { Expectation } from './expected.ts';

export interface Untold {
  /** Resets sent give no reason, and those without a socket, or in TIME_WAIT, are not seen. */
  readonly resetReasons: boolean;
  /** Retransmissions that failed on this host are not seen, though the kernel counts them. */
  readonly failedRetransmits: boolean;
}

export const NOTHING_UNTOLD: Untold = { resetReasons: false, failedRetransmits: false };

/** `missing`: programs that the kernel refused. */
export function untoldOf(missing: readonly string[]): Untold {
  return {
    resetReasons: missing.includes('send_reset_reason'),
    failedRetransmits: missing.includes('retransmit_err'),
  };
}

/** The expectations that are left: nothing that cannot be told is missing, a reason that is not given is empty. */
export function withoutUntold(expectations: readonly Expectation[], untold: Untold): readonly Expectation[] {
  return expectations.map((one) => {
    if (one.kind === 'retransmit' && untold.failedRetransmits) return { ...one, least: 0 };
    if (one.kind !== 'reset' || !untold.resetReasons) return one;
    const isUnseen = one.key['socket_cookie'] === 0 || one.fields['reset_reason'] === 'tcp_timewait_socket';
    return {
      ...one,
      key: withoutReason(one.key),
      fields: withoutReason(one.fields),
      least: isUnseen ? 0 : one.least,
    };
  });
}

function withoutReason<T extends Expectation['key'] | Expectation['fields']>(of: T): T {
  return 'reset_reason' in of ? { ...of, reset_reason: '' } : of;
}
