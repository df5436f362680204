/** What the configuration says of privacy, as the stages take it. */
import { createAddresses } from './privacy/addresses.ts';
import type { PrivacyConfig, ProcessConfig } from './privacy/config.ts';
import { createHashes } from './privacy/hash.ts';
import type { Masks } from './privacy/records.ts';
import { createRedaction } from './privacy/redact.ts';
import { INTERNAL, inSubnets } from './privacy/subnets.ts';
import { createUsers } from './privacy/users.ts';

interface Config {
  readonly privacy: PrivacyConfig;
  readonly process: ProcessConfig;
}

export function masksOf({ privacy }: Config): Masks {
  const hashes = createHashes(privacy.key);
  const isInternal = inSubnets([...INTERNAL, ...privacy.internal]);
  const hash = privacy.peers === 'hash' ? hashes.address : undefined;
  return {
    addresses: privacy.peers === 'keep' ? undefined : createAddresses({ hash, isInternal }),
    users: privacy.uid === 'keep' ? undefined : createUsers(privacy.uid === 'hash' ? hashes : undefined),
  };
}

/** For the look-up of processes. */
export function factsShown({ process }: Config, { users }: Masks) {
  return {
    commandLine: process.commandLine ? createRedaction(process.redact) : undefined,
    path: users ? users.path : undefined,
  };
}
