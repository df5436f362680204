/** The agent after its start: no longer root, with what it goes on writing in its hands. */
import { dirname, join } from 'node:path';
import { dropPrivilege, type Privilege, type ThreadRights } from './privilege/drop.ts';
import { READER } from './publish/cursor.ts';
import { BPFFS } from './trace/mounts.ts';

/** Never throws; what could not be given up is told as a need. */
export function leastPrivilege(
  config: {
    readonly instance: string;
    readonly privilege: { readonly user: string };
    readonly spool: { readonly path: string };
  },
  deps: {
    readonly rights: ThreadRights;
    /** Group that may read the spool. */
    readonly spoolGid: number | undefined;
  },
): Privilege {
  const { path } = config.spool;
  const pins = join(BPFFS, 'tcptrail', config.instance);
  const belongings = [
    { folder: path, prefix: '' },
    // Other readers write here too.
    { folder: join(path, 'cursor'), prefix: `${READER}.json` },
    { folder: pins, prefix: '', isTree: true },
    // So that the last pin can take its folder with it.
    { folder: dirname(pins) },
  ];
  return dropPrivilege(
    { ...config.privilege, belongings, gids: deps.spoolGid === undefined ? [] : [deps.spoolGid] },
    deps.rights,
  );
}
