import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traceError } from '../../src/trace/errors.ts';
import type { KernelState } from '../../src/trace/kernel-state.ts';
import { createLibbpf } from '../../src/trace/libbpf.ts';
import { openPrevious, PREVIOUS_MAX } from '../../src/trace/previous.ts';

/** Opens states that `load` gives; nothing of them is in a kernel. */
function opened(epochs: readonly number[], load: () => KernelState) {
  const removed: number[] = [];
  const unlinked: number[] = [];
  const pins = {
    load,
    remove(epoch: number) {
      removed.push(epoch);
      return '';
    },
    removeLinks(epoch: number) {
      unlinked.push(epoch);
      return '';
    },
  };
  const states = epochs.map((kernelEpoch) => ({ kernelEpoch, layout: 'a' }));
  const found = openPrevious(states, { pins, libbpf: createLibbpf() });
  return { ...found, removed, unlinked };
}

const lacking = (): KernelState => {
  throw traceError('TRACE_PIN', '/x/maps/accounts (EMFILE)');
};
const empty = (): KernelState => ({
  kernelEpoch: 3,
  maps: new Map(),
  programs: new Map(),
  links: new Map(),
});

test('a state that cannot be opened now records no more and stays', () => {
  const { previous, unopened, givenUp, removed, unlinked } = opened([3], lacking);
  assert.deepEqual([previous, givenUp, removed, unlinked], [[], [], [], [3]]);
  assert.equal(unopened[0]?.kernelEpoch, 3);
  assert.match(unopened[0]?.reason ?? '', /EMFILE/);
});

test('a state of which nothing can be read is given up', () => {
  const { unopened, givenUp, removed } = opened([3], empty);
  assert.deepEqual([unopened, removed], [[], [3]]);
  assert.match(givenUp[0]?.reason ?? '', /layout is not there/);
});

test('of more states than may wait the oldest are given up', () => {
  const epochs = Array.from({ length: PREVIOUS_MAX + 2 }, (_, index) => index + 1);
  const { unopened, givenUp, removed } = opened(epochs, lacking);
  assert.deepEqual(removed, [1, 2]);
  assert.deepEqual(
    givenUp.map(({ kernelEpoch }) => kernelEpoch),
    [1, 2],
  );
  assert.equal(unopened.length, PREVIOUS_MAX);
});
