/** The agent after its start: no longer root, with what it goes on writing in its hands. */
import { flushCompileCache } from 'node:module';
import { dirname, join } from 'node:path';
import { parseSegmentName } from '@tcptrail/spool/segment-name.ts';
import { dropPrivilege, type Privilege, type ThreadRights } from './privilege/drop.ts';
import { refuseLinks } from './privilege/links.ts';
import { READER } from './publish/cursor.ts';
import { BPFFS } from './trace/mounts.ts';

/** Beside the segments (agent/src/spool/folder.ts); each may be being replaced. */
const SPOOL_FILES = /^((state|ages|budget|clock|crashes)\.json|host-id|lock|cursor|set-aside)(\.new)?$/;

/** Before root writes there. Throws AGENT_SPOOL_LINK. */
export function refuseSpoolLinks(path: string): void {
  refuseLinks([path, join(path, 'cursor'), join(path, 'set-aside')]);
}

/** Somebody may have named a folder that holds other things: those stay whose they are. */
function isSpoolFile(name: string): boolean {
  return parseSegmentName(name) !== undefined || SPOOL_FILES.test(name);
}

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
  // At the end it may not write there, and each start would compile everything anew.
  flushCompileCache();
  const { path } = config.spool;
  const pins = join(BPFFS, 'tcptrail', config.instance);
  const belongings = [
    { folder: path, isOurs: isSpoolFile },
    // Other readers write here too.
    { folder: join(path, 'cursor'), isOurs: (name: string) => name.startsWith(`${READER}.json`) },
    { folder: pins, isOurs: () => true, isTree: true },
  ];
  return dropPrivilege(
    {
      ...config.privilege,
      belongings,
      shared: dirname(pins),
      gids: deps.spoolGid === undefined ? [] : [deps.spoolGid],
    },
    deps.rights,
  );
}
