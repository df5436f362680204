/** The recording that goes on in the kernel after its agent was killed or stopped for a restart. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isPinned } from '@tcptrail/agent/trace/pins.ts';
import { ROOT } from './account.ts';
import { createLogFile } from './log-file.ts';
import { programOf } from './parts.ts';
import type { Places } from './places.ts';
import { runOnce } from './run-once.ts';

/** An agent that only tells what the kernel still holds, and takes it all away. '' or why it could not; nothing to end is well. */
export async function endRecording(places: Places): Promise<string> {
  if (!isPinned(places.instance)) return '';
  const config = existsSync(places.agentConfig) ? ['--config', places.agentConfig] : [];
  const env = {
    PATH: process.env['PATH'] ?? '',
    TCPTRAIL_INSTANCE: places.instance,
    TCPTRAIL_SPOOL_PATH: places.spool,
    TCPTRAIL_METRICS_PORT: '0',
    TCPTRAIL_PUBLISH_ENABLED: 'false',
  };
  const log = createLogFile(join(places.log, 'agent.log'));
  const ending = runOnce(
    { program: programOf('agent'), args: [...config, '--end'], env, account: ROOT },
    log,
  );
  return await ending.ended;
}
