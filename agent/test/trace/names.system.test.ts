import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { tempFolder } from '../support/temp-folder.ts';
import { type Peer, python } from './support/python.ts';
import { type Recorder, startRecorder } from './support/recorder.ts';

/** docs/decisions/0010: bytes below the top folder, and names and mounts, that are kept at most. */
const BYTES_MAX = 752;
const NAMES_MAX = 63;
/** More than lie on the way to a temporary folder. */
const MOUNTS_MAX = 8;

let recorder: Recorder;
let listening: Peer;
let port: number;
before(async () => {
  recorder = await startRecorder();
  listening = python('l = listener(); say(l.getsockname()[1]); hear()');
  port = await listening.line<number>();
});
after(() => {
  listening?.kill();
  recorder.close();
});

/** What the kernel side keeps of a shell at this path that connects and is gone. */
async function keptOf(executable: string): Promise<string | undefined> {
  mkdirSync(dirname(executable), { recursive: true });
  copyFileSync('/bin/bash', executable);
  const shell = spawnSync(executable, ['-c', `: >/dev/tcp/127.0.0.1/${port}`], { encoding: 'utf8' });
  assert.equal(shell.status, 0, shell.stderr);
  const [close = {}] = await recorder.until(
    1,
    ({ kind, role, pid }) => kind === 'close' && role === 'client' && pid === shell.pid,
  );
  return recorder.trace.recording.names.executable({
    pid: shell.pid,
    startNs: BigInt(close.process_start_ts ?? 0),
    execId: Number(close.exec_id),
  })?.path;
}

const folderOf = (context: TestContext): string => realpathSync(tempFolder(context));

/** Below a folder, with so many bytes below the top one, a slash before each name counted. */
function pathOfBytes(folder: string, bytes: number): string {
  const left = (path: string): number => bytes - (path.length - path.indexOf('/', 1));
  let path = folder;
  while (left(path) > 256) path = join(path, 'x'.repeat(200));
  return join(path, 'x'.repeat(left(path) - 1));
}

function pathOfNames(folder: string, names: number): string {
  const folders = Array.from({ length: names - folder.split('/').length }, () => 'x');
  return join(folder, ...folders, 'shell');
}

test('a path is kept whole up to the limit of its bytes, and beyond it is unknown', async (context) => {
  const folder = folderOf(context);
  const longest = pathOfBytes(folder, BYTES_MAX);
  assert.equal(await keptOf(longest), longest);
  assert.equal(await keptOf(pathOfBytes(folder, BYTES_MAX + 1)), '');
});

test('a path is kept whole up to the limit of its names, and beyond it is unknown', async (context) => {
  const folder = folderOf(context);
  const deep = pathOfNames(folder, NAMES_MAX - MOUNTS_MAX);
  assert.equal(await keptOf(deep), deep);
  assert.equal(await keptOf(pathOfNames(folder, NAMES_MAX + 1)), '');
});
