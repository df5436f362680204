/** prctl(2) and capset(2) of the thread that runs JavaScript. */
import { getSystemErrorName } from 'node:util';
import ffi from 'ffi-napi';
import type { Pointer } from 'ref-napi';
import { openLibrary } from '../library.ts';
import type { ThreadRights } from './drop.ts';

/** linux/prctl.h */
const PR = { setPdeathsig: 1, getPdeathsig: 2, setKeepcaps: 8, setNoNewPrivs: 38 } as const;
/** linux/capability.h: sets of 64 bits, each in two words. */
const CAPABILITY_VERSION_3 = 0x2008_0522;

export function createThreadRights(): ThreadRights {
  const libc = openLibrary(null, {
    prctl: ['int', ['int', 'ulong', 'ulong', 'ulong', 'ulong']],
    capset: ['int', ['void *', 'void *']],
  });
  const get = openLibrary(null, { prctl: ['int', ['int', 'void *', 'ulong', 'ulong', 'ulong']] }).prctl;
  const check = (name: string, result: number): void => {
    if (result !== 0) throw new Error(`${name}: ${getSystemErrorName(-ffi.errno())}`);
  };
  const set = (name: keyof typeof PR, value: number): void =>
    check(`prctl ${name}`, libc.prctl(PR[name], value, 0, 0, 0));
  return {
    keepCapabilities: () => set('setKeepcaps', 1),
    setCapabilities(capabilities) {
      // struct { u32 version; int pid; }, then twice struct { u32 effective, permitted, inheritable; }.
      const header = Buffer.alloc(8);
      header.writeUInt32LE(CAPABILITY_VERSION_3);
      const data = Buffer.alloc(24);
      for (const word of [0, 1]) {
        const half = Number((capabilities >> BigInt(32 * word)) & 0xffff_ffffn);
        data.writeUInt32LE(half, 12 * word);
        data.writeUInt32LE(half, 12 * word + 4);
      }
      check('capset', libc.capset(header as Pointer<void>, data as Pointer<void>));
    },
    forbidNewRights: () => set('setNoNewPrivs', 1),
    parentDeathSignal() {
      const signal = Buffer.alloc(4);
      check('prctl getPdeathsig', get(PR.getPdeathsig, signal as Pointer<void>, 0, 0, 0));
      return signal.readInt32LE();
    },
    setParentDeathSignal: (signal) => set('setPdeathsig', signal),
  };
}
