/** A schema with every kind of key, and files and refusals of a test. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { z } from 'zod';
import { secret, secretFile } from '../../src/secret.ts';
import { absolutePath, httpUrl } from '../../src/value.ts';

/** As another workspace would own it. */
const kafkaSection = z
  .strictObject({
    brokers: z
      .array(z.string().regex(/^[^\s:]+:\d+$/, 'must be host:port'))
      .min(1)
      .default(['127.0.0.1:9092'])
      .describe('Brokers to begin with.'),
    sasl: z
      .strictObject({
        username: z.string().default('').describe('User.'),
        password: secret().describe('Password.'),
        passwordFile: secretFile('password').describe('File of the password.'),
      })
      .prefault({}),
  })
  .prefault({});

export const SAMPLE = z.strictObject({
  name: z.string().max(8).default('').describe('A text.'),
  url: httpUrl().default('http://127.0.0.1:1').describe('A URL.'),
  isOn: z.boolean().default(false).describe('A switch.'),
  share: z.number().min(0).max(1).default(0.5).describe('A number.'),
  mode: z.enum(['slow', 'fast']).default('slow').describe('A choice.'),
  batch: z
    .strictObject({
      rowsMax: z.int().min(1).max(100).default(10).describe('A whole number.'),
      ports: z.array(z.int().min(1).max(65_535)).default([]).describe('A list of numbers.'),
    })
    .prefault({}),
  spool: z.strictObject({ path: absolutePath().default('/spool').describe('A path.') }).prefault({}),
  kafka: kafkaSection,
});

export function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-config-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function fileWith(t: TestContext, yaml: string): string {
  const file = join(folderOf(t), 'sample.yaml');
  writeFileSync(file, yaml);
  return file;
}

export function refusal(load: () => unknown): AppError {
  try {
    load();
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.equal(error.exitCode, 2);
    return error;
  }
  throw new assert.AssertionError({ message: 'the configuration was accepted' });
}
