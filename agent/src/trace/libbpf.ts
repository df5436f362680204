/**
 * libbpf, and the calls beside it that memory and pins need. About 3 µs a call: set-up and once-a-second questions, never
 * per event.
 */
import ffi from 'ffi-napi';
import ref, { type Pointer } from 'ref-napi';
import { openLibrary } from '../library.ts';
import { memoryAt } from '../memory.ts';
import { traceError } from './errors.ts';

/** Address of an object, program, map or link of libbpf; valid until its object is closed. */
export type Handle = number & { readonly handle: unique symbol };

/** Memory shared with the kernel. Reading it after `unmap` ends the process. */
export interface Mapping {
  readonly memory: ArrayBuffer;
  readonly offset: number;
  unmap(): void;
}

export type Libbpf = ReturnType<typeof createLibbpf>;

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const F_DUPFD_CLOEXEC = 1030;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/**
 * A handle comes and goes as a number: as a pointer each would be wrapped in a buffer that V8 takes for a gigabyte,
 * and it would collect garbage at every call.
 */
const H = 'size_t';
/** Memory of ours that is read or written during the call; null: none. */
const P = 'void *';

function openLibraries() {
  const bpf = openLibrary('libbpf.so.1', {
    libbpf_set_print: [H, [P]],
    libbpf_num_possible_cpus: ['int', []],
    libbpf_probe_bpf_map_type: ['int', ['int', P]],
    bpf_object__open: [H, ['string']],
    bpf_object__load: ['int', [H]],
    bpf_object__close: ['void', [H]],
    bpf_object__find_program_by_name: [H, [H, 'string']],
    bpf_object__find_map_by_name: [H, [H, 'string']],
    bpf_program__set_autoload: ['int', [H, 'bool']],
    bpf_program__set_log_buf: ['int', [H, P, 'size_t']],
    bpf_program__attach: [H, [H]],
    bpf_program__attach_iter: [H, [H, P]],
    bpf_program__attach_cgroup: [H, [H, 'int']],
    bpf_program__fd: ['int', [H]],
    bpf_link__fd: ['int', [H]],
    bpf_link__destroy: ['int', [H]],
    bpf_iter_create: ['int', ['int']],
    bpf_map__fd: ['int', [H]],
    bpf_map_lookup_elem: ['int', ['int', P, P]],
    bpf_map__reuse_fd: ['int', [H, 'int']],
    bpf_map__set_max_entries: ['int', [H, 'uint32']],
    bpf_map__set_initial_value: ['int', [H, P, 'size_t']],
    bpf_obj_get: ['int', ['string']],
    bpf_obj_pin: ['int', ['int', 'string']],
    bpf_obj_get_info_by_fd: ['int', ['int', P, P]],
  });
  const libc = openLibrary(null, {
    getpagesize: ['int', []],
    fcntl: ['int', ['int', 'int', 'int']],
    mmap: [H, [H, 'size_t', 'int', 'int', 'int', 'long']],
    munmap: ['int', [H, 'size_t']],
    mount: ['int', ['string', 'string', 'string', 'ulong', P]],
  });
  return { bpf, libc };
}

/** Throws TRACE_NO_LIBBPF. */
export function createLibbpf() {
  let libraries: ReturnType<typeof openLibraries>;
  try {
    libraries = openLibraries();
  } catch (error) {
    throw traceError(
      'TRACE_NO_LIBBPF',
      error instanceof Error ? (error.message.split('\n')[0] ?? '') : '',
      error,
    );
  }
  const { bpf, libc } = libraries;
  const NULL = ref.NULL as Pointer<unknown>;
  const pageBytes = libc.getpagesize();
  const handle = (address: number | string): Handle | undefined =>
    Number(address) === 0 ? undefined : (Number(address) as Handle);
  /** Handles are addresses, which are never negative: an errno is. */
  const linkOf = (address: number | string): Handle => handle(address) ?? (-ffi.errno() as Handle);
  // What libbpf would print to stderr comes back as errors with sentences of our own.
  bpf.libbpf_set_print(NULL);

  return {
    pageBytes,
    possibleCpus: (): number => bpf.libbpf_num_possible_cpus(),
    /** The kernel makes maps of this type. */
    hasMapType: (type: number): boolean => bpf.libbpf_probe_bpf_map_type(type, NULL) === 1,
    /** undefined: missing or not a BPF object. */
    open: (path: string): Handle | undefined => handle(bpf.bpf_object__open(path)),
    /** 0 or a negative errno. */
    load: (object: Handle): number => bpf.bpf_object__load(object),
    close: (object: Handle): void => bpf.bpf_object__close(object),
    program: (object: Handle, name: string) => handle(bpf.bpf_object__find_program_by_name(object, name)),
    map: (object: Handle, name: string) => handle(bpf.bpf_object__find_map_by_name(object, name)),
    setAutoload: (program: Handle, on: boolean): number => bpf.bpf_program__set_autoload(program, on),
    /** The verifier writes into `log` when it refuses; the buffer has to live until the object is closed. */
    setLog: (program: Handle, log: Buffer): number =>
      bpf.bpf_program__set_log_buf(program, log as Pointer<unknown>, log.length),
    /** A link, or a negative errno. */
    attach: (program: Handle): Handle => linkOf(bpf.bpf_program__attach(program)),
    /** `cgroup`: file descriptor of its folder. A link, or a negative errno. */
    attachCgroup: (program: Handle, cgroup: number): Handle =>
      linkOf(bpf.bpf_program__attach_cgroup(program, cgroup)),
    /** `mapFd`: the map whose elements it walks, for iterators over one. A link, or a negative errno. */
    attachIterator(program: Handle, mapFd?: number): Handle {
      // struct bpf_iter_attach_opts { size_t sz; union bpf_iter_link_info *link_info; u32 link_info_len; }
      const linkInfo = Buffer.alloc(16);
      const options = Buffer.alloc(24);
      if (mapFd !== undefined) {
        linkInfo.writeUInt32LE(mapFd);
        options.writeBigUInt64LE(BigInt(options.length));
        ref.writePointer(options, 8, linkInfo);
        options.writeUInt32LE(linkInfo.length, 16);
      }
      return linkOf(
        bpf.bpf_program__attach_iter(program, mapFd === undefined ? NULL : (options as Pointer<unknown>)),
      );
    },
    linkFd: (link: Handle): number => bpf.bpf_link__fd(link),
    /** `link`: a file descriptor. One that runs the iterator as it is read, or a negative errno. */
    iterate: (link: number): number => bpf.bpf_iter_create(link),
    detach: (link: Handle): number => bpf.bpf_link__destroy(link),
    programFd: (program: Handle): number => bpf.bpf_program__fd(program),
    mapFd: (map: Handle): number => bpf.bpf_map__fd(map),
    /** Fills `value`; false when there is no such element. */
    lookup: (mapFd: number, key: Buffer, value: Buffer): boolean =>
      bpf.bpf_map_lookup_elem(mapFd, key as Pointer<unknown>, value as Pointer<unknown>) === 0,
    setMaxEntries: (map: Handle, entries: number): number => bpf.bpf_map__set_max_entries(map, entries),
    setInitialValue: (map: Handle, value: Buffer): number =>
      bpf.bpf_map__set_initial_value(map, value as Pointer<unknown>, value.length),
    /** The object's map becomes the one behind `fd`; before it is loaded. */
    reuse: (map: Handle, fd: number): number => bpf.bpf_map__reuse_fd(map, fd),
    /** `fd`: of a map, a program or a link. 0 or a negative errno. */
    pin: (fd: number, path: string): number => bpf.bpf_obj_pin(fd, path),
    /** Another file descriptor of the same, which outlives the first; closed on exec. */
    duplicate: (fd: number): number => libc.fcntl(fd, F_DUPFD_CLOEXEC, 0),
    /** File descriptor of a pinned map, program or link, or a negative errno. */
    get: (path: string): number => bpf.bpf_obj_get(path),
    /** struct bpf_prog_info or bpf_map_info, as far as the kernel knows it; undefined when it refuses. */
    info(fd: number, bytes: number): Buffer | undefined {
      const info = Buffer.alloc(bytes);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes);
      return bpf.bpf_obj_get_info_by_fd(fd, info as Pointer<unknown>, length as Pointer<unknown>) === 0
        ? info
        : undefined;
    },
    /** Negative errno when the kernel refuses. */
    mmap(fd: number, options: { offset: number; bytes: number; writable: boolean }): Mapping | number {
      const protection = options.writable ? PROT_READ | PROT_WRITE : PROT_READ;
      const at = libc.mmap(0, options.bytes, protection, MAP_SHARED, fd, options.offset);
      if (BigInt(at) === MAP_FAILED) return -ffi.errno();
      const view = memoryAt(Number(at), options.bytes);
      return {
        memory: view.buffer as ArrayBuffer,
        offset: view.byteOffset,
        unmap: () => void libc.munmap(at, options.bytes),
      };
    },
    /** 0 or a negative errno. */
    mountBpffs: (path: string): number => (libc.mount('bpf', path, 'bpf', 0, NULL) === 0 ? 0 : -ffi.errno()),
  };
}
