/** Who this host is, as every batch says it. */
import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { dirname } from 'node:path';
import { agentError, reasonOf } from '../errors.ts';

export interface Host {
  readonly host_name: string;
  readonly host_id: string;
  readonly boot_id: string;
  readonly kernel_release: string;
}

export interface HostFiles {
  readonly machineId: string;
  readonly bootId: string;
}

const FILES: HostFiles = { machineId: '/etc/machine-id', bootId: '/proc/sys/kernel/random/boot_id' };

/**
 * `host_id` is the configured one, else the machine id, else (no machine id: some containers and images) one made
 * once and kept in `hostIdFile`, whose folder must be there. Throws AGENT_HOST_UNREADABLE, AGENT_SPOOL_UNUSABLE.
 */
export function readHost(
  config: { readonly hostId: string; readonly hostName: string; readonly hostIdFile: string },
  files: HostFiles = FILES,
): Host {
  return {
    host_name: config.hostName || hostname(),
    host_id: config.hostId || textOf(files.machineId) || keptId(config.hostIdFile),
    boot_id: bootId(files.bootId),
    kernel_release: release(),
  };
}

function bootId(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw agentError('AGENT_HOST_UNREADABLE', [file, reasonOf(error)], { cause: error });
  }
}

function keptId(file: string): string {
  const kept = textOf(file);
  if (kept) return kept;
  const made = randomUUID().replaceAll('-', '');
  try {
    writeFileSync(`${file}.new`, `${made}\n`, { flush: true });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw agentError('AGENT_SPOOL_UNUSABLE', [dirname(file), reasonOf(error)], { cause: error });
  }
  return made;
}

/** First word of the file; '' when it is absent, empty or still `uninitialized` (an image's first boot). */
function textOf(file: string): string {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return text === 'uninitialized' ? '' : text;
  } catch {
    return '';
  }
}
