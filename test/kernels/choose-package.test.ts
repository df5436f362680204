import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newestOf, parsePackages } from './choose-package.ts';

const stanza = (name: string, version: string, depends = ''): string =>
  `Package: ${name}\nVersion: ${version}\nDepends: kmod${depends}\nDescription: Linux\n text: of it\n`;

const STANZAS = [
  stanza('linux-image-6.1.0-9-cloud-amd64', '6.1.27-1'),
  stanza('linux-image-6.1.0-10-cloud-amd64', '6.1.100-2'),
  stanza('linux-image-6.1-cloud-amd64', '6.1.200-1'),
  stanza('linux-image-6.1.0-11-cloud-amd64-unsigned', '6.1.300-1'),
  stanza('linux-image-6.12.9+deb12-cloud-amd64', '6.12.9-1~deb12u1'),
  stanza(
    'linux-image-7.0.4+deb13-cloud-amd64',
    '7.0.4-1~bpo13+1',
    ', linux-binary-7.0.4+deb13-cloud-amd64 (= 7.0.4-1~bpo13+1), linux-modules-7.0.4+deb13-cloud-amd64 (= 7.0.4-1~bpo13+1)',
  ),
  stanza('linux-image-7.1.0-cloud-amd64', '7.1~rc7-1~exp1'),
];
const PACKAGES = parsePackages(STANZAS.join('\n'));

test('the newest of a series is the one with the highest version, not the highest name', () => {
  assert.equal(newestOf(PACKAGES, '6.1')?.release, '6.1.0-10-cloud-amd64');
  assert.equal(newestOf(PACKAGES, '6.1')?.version, '6.1.100-2');
});

test('a series is not another one that begins alike', () => {
  assert.equal(newestOf(PACKAGES, '6.1')?.version.startsWith('6.12'), false);
  assert.equal(newestOf(PACKAGES, '6.12')?.release, '6.12.9+deb12-cloud-amd64');
  assert.equal(newestOf(PACKAGES, '5.10'), undefined);
});

test('newest is the highest release, candidates left out', () => {
  assert.equal(newestOf(PACKAGES, 'newest')?.release, '7.0.4+deb13-cloud-amd64');
});

test('an image that is split names its parts', () => {
  assert.deepEqual(newestOf(PACKAGES, 'newest')?.parts, [
    'linux-binary-7.0.4+deb13-cloud-amd64',
    'linux-modules-7.0.4+deb13-cloud-amd64',
  ]);
  assert.deepEqual(newestOf(PACKAGES, '6.1')?.parts, []);
});
