/** What of persons leaves the host: its part of the agent's configuration, and the redaction of command lines. */
import type { ConfigOf } from '@tcptrail/config/load.ts';
import { secret, secretFile } from '@tcptrail/config/secret.ts';
import { LIVE } from '@tcptrail/config/value.ts';
import { z } from 'zod';
import { isPattern } from './redact.ts';
import { isSubnet } from './subnets.ts';

export const PRIVACY_MODES = ['keep', 'hash', 'drop'] as const;

const KEY_CHARACTERS_MIN = 16;

export const privacyKeys = z
  .strictObject({
    uid: z
      .enum(PRIVACY_MODES)
      .default('keep')
      .describe('What becomes of users: their numbers, and where paths name them (docs/privacy.md).'),
    peers: z
      .enum(PRIVACY_MODES)
      .default('keep')
      .describe('What becomes of external addresses, at either end of a connection (docs/privacy.md).'),
    internal: z
      .array(
        z
          .string()
          .refine(isSubnet, 'must be an address and a length, as 198.51.100.0/24')
          .meta({ rule: 'an address and a length, as 198.51.100.0/24' }),
      )
      .default([])
      .describe('Networks that are not external, beside private, loopback and link-local ones.'),
    key: secret()
      .refine(
        (key) => key === '' || key.length >= KEY_CHARACTERS_MIN,
        `must have at least ${KEY_CHARACTERS_MIN} characters`,
      )
      .describe(
        'Key of the hashes: hosts with the same key give the same hash. Needed where something is hashed.',
      ),
    keyFile: secretFile('key').describe('File whose first line is the key; wins over `key`.'),
  })
  .refine(
    ({ uid, peers, key }) => key !== '' || (uid !== 'hash' && peers !== 'hash'),
    'give privacy.key or privacy.keyFile, without which nothing can be hashed',
  )
  .meta(LIVE);

export type PrivacyConfig = ConfigOf<typeof privacyKeys>;

export const processKeys = z
  .strictObject({
    commandLine: z
      .boolean()
      .default(false)
      .describe(
        'Record the command line of the process, without the secrets that are recognised (docs/privacy.md).',
      ),
    redact: z
      .array(
        z
          .string()
          .min(1)
          .refine(isPattern, 'must be a regular expression of RE2')
          .meta({ rule: 'a regular expression of RE2' }),
      )
      .default([])
      .describe(
        'Further secrets in command lines, whose arguments are parted by \\x00: group 1 of each match is replaced, or all of it where there is no group.',
      ),
  })
  .meta(LIVE);

export type ProcessConfig = ConfigOf<typeof processKeys>;
