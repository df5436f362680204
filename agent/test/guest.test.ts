import assert from 'node:assert/strict';
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AGENT_CONFIG } from '../src/config.ts';
import { createGuest } from '../src/guest.ts';
import { tempFolder } from './support/temp-folder.ts';

function guestIn(t: TestContext, settings: object = {}) {
  const folder = tempFolder(t);
  const disabledFile = join(folder, 'disabled');
  // As they are: a test must not change the place of its own process.
  const unchanged = { nice: 0, ioClass: 'unchanged', oomScoreAdjust: 0 };
  const parsed = AGENT_CONFIG.parse({
    instance: 'test-guest',
    spool: { path: folder },
    guest: { disabledFile, cpuPercentMax: 0, memoryBytesMax: 0, ...unchanged },
  });
  // Ceilings that every process breaks are refused there.
  const config = { ...parsed, guest: { ...parsed.guest, ...settings } };
  const told: string[] = [];
  const clock = { nowMs: 0 };
  const recording = { hasGivenUp: false };
  const tell = (what: string) => (): void => void told.push(what);
  const guest = createGuest(config, {
    libc: { setIoPriority: () => 0 },
    fold: (isOn) => void told.push(`fold ${isOn}`),
    trace: {
      setTunables: (change) => told.push(JSON.stringify(change)),
      detach: tell('detach'),
      get hasGivenUp() {
        return recording.hasGivenUp;
      },
    },
    notices: {
      priorityRefused: tell('refused'),
      crashLoop: tell('crash loop'),
      gaveUp: ({ name }, steps) => told.push(`gave up ${name}: ${steps}`),
      tookBack: (name, steps) => told.push(`took back ${name}: ${steps}`),
      heldUp: (ms) => told.push(`held up ${ms}`),
      disabled: tell('disabled'),
      recordingGivenUp: tell('recording given up'),
      disabledUnknown: ({ message }) => told.push(message),
    },
    stop: new AbortController().signal,
    nowMs: () => clock.nowMs,
  });
  function turnAt(nowMs: number): readonly string[] {
    clock.nowMs = nowMs;
    guest.turn();
    return told.splice(0);
  }
  return { guest, disabledFile, recording, turnAt };
}

test('a turn that comes late is told, with how late', (t) => {
  const { turnAt } = guestIn(t);
  assert.deepEqual([1_000, 1_500, 6_500, 66_501].flatMap(turnAt), ['held up 60001']);
});

test('where the kernel gave up recording meanwhile, a new start begins anew', (t) => {
  const { guest, recording, turnAt } = guestIn(t);
  turnAt(0);
  recording.hasGivenUp = true;
  assert.deepEqual(turnAt(500), ['recording given up']);
  assert.equal(guest.outcome(), 'again');
  assert.deepEqual(turnAt(1_000), []);
});

test('the file is looked for once a second, and its end of the agent is final', (t) => {
  const { guest, disabledFile, turnAt } = guestIn(t);
  turnAt(0);
  symlinkSync('/nowhere', disabledFile);
  assert.deepEqual(turnAt(999), []);
  assert.equal(guest.stop.aborted, false);
  assert.deepEqual(turnAt(1_000), ['disabled']);
  assert.ok(guest.stop.aborted && guest.isDisabled);
  rmSync(disabledFile);
  assert.deepEqual(turnAt(2_000), []);
  assert.throws(() => guest.outcome(), /AGENT_DISABLED|not to be recorded/);
});

test('each step is done, told and in the capabilities; the last tells every program as missing', (t) => {
  const { guest, turnAt } = guestIn(t, { memoryBytesMax: 1, checkMs: 1_000 });
  const programs = [
    { program: 'state', attached: true, error: '', cost: 'connections' },
    { program: 'other', attached: false, error: 'EPERM', cost: 'less' },
  ];
  turnAt(0);
  const names = () => guest.capabilities(programs).map(({ program, attached }) => `${program} ${attached}`);
  assert.deepEqual(turnAt(1_000), ['{"updatesOff":true}', 'gave up updates: 1']);
  assert.deepEqual(names(), ['state true', 'other false', 'updates false']);
  assert.deepEqual(turnAt(2_000), ['{"retransmitsOff":true}', 'gave up retransmits: 2']);
  assert.deepEqual(turnAt(3_000), ['fold true', 'gave up fold: 3']);
  assert.deepEqual(turnAt(4_000), ['detach', 'gave up programs: 4']);
  assert.deepEqual(names(), [
    'state false',
    'other false',
    'updates false',
    'retransmits false',
    'fold false',
    'programs false',
  ]);
  const [state, other] = guest.capabilities(programs);
  assert.match(state?.error ?? '', /memoryBytesMax is 1/);
  assert.equal(other?.error, 'EPERM');
  assert.equal(guest.outcome(), 'ended');
});

test('all programs come back by a new start', (t) => {
  const { guest, turnAt } = guestIn(t, { cpuPercentMax: 1, checkMs: 100, quietMs: 1_000 });
  turnAt(0);
  for (const at of [100, 200, 300, 400]) {
    // Of a core for longer than the ceiling allows, in what is told as a tenth of a second.
    const from = process.cpuUsage();
    while (process.cpuUsage(from).user + process.cpuUsage(from).system < 5_000);
    turnAt(at);
  }
  assert.equal(guest.stop.aborted, false);
  turnAt(10_000_000);
  assert.ok(guest.stop.aborted);
  assert.equal(guest.outcome(), 'again');
});
