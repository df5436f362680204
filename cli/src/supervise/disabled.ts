/** Whether this host is not to be recorded, as the agent decides it. */
import { AGENT_CONFIG } from '@tcptrail/agent/config.ts';
import { isDisabled } from '@tcptrail/agent/guest/disabled.ts';
import type { Environment } from '@tcptrail/config/environment.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import type { Places } from './places.ts';

/** The file that says so; undefined when it is not there, or the configuration that names it cannot be read. */
export function disabledBy(places: Pick<Places, 'agentConfig'>, env: Environment): string | undefined {
  try {
    const source = { part: 'agent', file: places.agentConfig, required: false, env } as const;
    const { disabledFile } = loadConfig(AGENT_CONFIG, source).guest;
    return isDisabled(disabledFile) ? disabledFile : undefined;
  } catch {
    // The agent refuses it with a sentence.
    return undefined;
  }
}
