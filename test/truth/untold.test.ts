import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expectation } from './expected.ts';
import { NOTHING_UNTOLD, untoldOf, withoutUntold } from './untold.ts';

const reset = (cookie: number): Expectation => ({
  kind: 'reset',
  namespace: 1,
  key: { socket_cookie: cookie },
  fields: { reset_reason: 'tcp_state', role: 'client' },
  least: 1,
  most: 1,
});
const close: Expectation = { ...reset(5), kind: 'close' };

test('all is expected of an agent whose programs all run', () => {
  assert.deepEqual(untoldOf(['first_send']), NOTHING_UNTOLD);
  assert.deepEqual(withoutUntold([reset(0), reset(5), close], NOTHING_UNTOLD), [reset(0), reset(5), close]);
});

test('without reasons a reset has none, and one without a whole socket need not be told', () => {
  const timeWait = { ...reset(5), fields: { reset_reason: 'tcp_timewait_socket' } };
  const reasonless = { reset_reason: '', role: 'client' };
  assert.deepEqual(withoutUntold([reset(0), reset(5), close], untoldOf(['send_reset_reason'])), [
    { ...reset(0), fields: reasonless, least: 0 },
    { ...reset(5), fields: reasonless },
    close,
  ]);
  assert.equal(withoutUntold([timeWait], untoldOf(['send_reset_reason']))[0]?.least, 0);
  const found = { ...reset(0), key: { reset_reason: 'no_socket', local_port: 5 } };
  const key = withoutUntold([found], untoldOf(['send_reset_reason']))[0]?.key;
  assert.deepEqual(key, { reset_reason: '', local_port: 5 });
});

test('where failed retransmissions are not seen, none has to be told', () => {
  const retransmit: Expectation = { ...close, kind: 'retransmit' };
  const [row, other] = withoutUntold([retransmit, close], untoldOf(['retransmit_err']));
  assert.deepEqual([row, other], [{ ...retransmit, least: 0 }, close]);
});
