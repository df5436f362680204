/** C functions that JavaScript calls. */
import ffi, { type LibraryObjectDefinitionBase, type LibraryObjectDefinitionInferenceMarker } from 'ffi-napi';
import { memoryAt } from './memory.ts';

const RTLD_NOW = 2;
const linker = ffi.Library(null, {
  dlopen: ['size_t', ['string', 'int']],
  dlsym: ['size_t', ['size_t', 'string']],
  dlerror: ['string', []],
});

/**
 * The functions by name, each declared as `[result, [arguments]]`. `file` null: those of the process and the C library.
 * Throws with the linker's sentence when the library or one of them is missing.
 */
export function openLibrary<
  Functions extends LibraryObjectDefinitionBase | LibraryObjectDefinitionInferenceMarker,
>(file: string | null, functions: Functions) {
  const handle = found(linker.dlopen(file, RTLD_NOW));
  const symbols = {
    path: () => file,
    get: (name: string) => memoryAt(found(linker.dlsym(handle, name)), 1),
  };
  // It takes what has `get` as well as a name; its types do not say so.
  return ffi.Library(symbols as unknown as string, functions);
}

function found(address: number | string): number {
  if (Number(address) === 0) throw new Error(linker.dlerror() ?? 'not found');
  return Number(address);
}
