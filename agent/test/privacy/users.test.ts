import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHashes } from '../../src/privacy/hash.ts';
import { createUsers } from '../../src/privacy/users.ts';

const PERSONAL = [
  '/user.slice/user-1000.slice/user@1000.service/app.slice/app-foo.scope',
  '/user.slice/user-1000.slice/session-3.scope',
  '/system.slice/user-runtime-dir@1000.service',
  '/user/1000.user/c2.session',
  '/run/user/1000/app',
  '/home/alice/bin/app',
  '/var/home/alice/.local/bin/app',
];

test('paths bear the user as records do', () => {
  const users = createUsers(createHashes('a key of the tests'));
  const number = String(users.mask(1_000));
  const [slice, , , , , home] = PERSONAL.map(users.path);
  assert.equal(slice, `/user.slice/user-${number}.slice/user@${number}.service/app.slice/app-foo.scope`);
  assert.match(home ?? '', /^\/home\/[0-9a-f]{8}\/bin\/app$/);
  for (const path of PERSONAL) assert.doesNotMatch(users.path(path), /1000|alice/);
  assert.equal(users.path('/home/alice/x').slice(0, 14), users.path('/home/alice').slice(0, 14));
});

test('dropped users leave a dash', () => {
  const { path } = createUsers(undefined);
  assert.deepEqual(PERSONAL.map(path).slice(0, 2), [
    '/user.slice/user--.slice/user@-.service/app.slice/app-foo.scope',
    '/user.slice/user--.slice/session-3.scope',
  ]);
  for (const text of PERSONAL) assert.doesNotMatch(path(text), /1000|alice/);
});

test('paths that name nobody stay', () => {
  for (const users of [createUsers(undefined), createUsers(createHashes('a key of the tests'))])
    for (const path of [
      '/usr/bin/curl',
      '/system.slice/ssh.service',
      '/user.slice/user-0.slice/session-1.scope',
      '/home',
      '',
      '/kubepods/pod1000',
    ])
      assert.equal(users.path(path), path);
});
