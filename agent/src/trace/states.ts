/**
 * The kernel states of an instance: the one that records, made or gone on with, and those of before.
 *
 * While a new state takes the place of one that records, the programs of both are attached; one word of the control, which
 * both look at, says whose run counts. So nothing is recorded by neither, and of a connection nothing by both.
 */
import { createHash } from 'node:crypto';
import { closeSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Libc } from '../libc.ts';
import { CONTROL_BYTES, CONTROL_MAP, type Control, createControl } from './control.ts';
import { errnoName } from './errno.ts';
import { traceError } from './errors.ts';
import type { Hook } from './hooks.ts';
import { KEPT_MAPS, type ObjectConfig } from './kernel-object.ts';
import { type KernelState, mapName, releaseState } from './kernel-state.ts';
import type { Libbpf, Mapping } from './libbpf.ts';
import { createPins } from './pins.ts';
import { NO_PREVIOUS, openPrevious, type PreviousStates } from './previous.ts';
import { attachPrograms, type Capability, capabilitiesOf, withFailures } from './programs.ts';
import { createRecording, type Recording } from './recording.ts';
import { TUNABLES_BYTES, TUNABLES_MAP, type Tunables } from './tunables.ts';

export interface StatesConfig {
  readonly instance: string;
  readonly bpffs: string;
  readonly objectPath: string;
  readonly ring: ObjectConfig['ring'];
  readonly absentMs: number;
  readonly jiffiesHz: number;
  readonly hooks: readonly Hook[];
}

export interface RunningState {
  readonly recording: Recording;
  readonly control: Control;
  readonly tunables: Mapping;
  readonly capabilities: readonly Capability[];
  readonly scanMs: number;
  readonly notPinned: string;
  /** Iterators to run again and again, as file descriptors. */
  readonly watches: readonly number[];
  /** Records no more. What it recorded stays. */
  detach(): void;
  /** This process's part of it. */
  close(): void;
}

export interface States {
  /** Goes on with the state that records, if this version and configuration would make the same; else makes one. Throws TRACE_*. */
  begin(): RunningState;
  /** All others: from now on they record no more. */
  previous(): PreviousStates;
  iterate(link: number): number;
  /** '' or why it stays pinned. */
  forget(kernelEpoch: number): string;
  /** '' or why not all of it went. */
  forgetAll(): string;
  /** Another process may take the instance. */
  close(): void;
}

/** Beside the object: how it lays out the maps that one state takes over from another. */
const STORAGE_LAYOUT = 'storage.layout';
const CORE_LINK = 'state';

export function createStates(
  config: StatesConfig,
  deps: {
    readonly libbpf: Libbpf;
    readonly libc: Pick<Libc, 'lock' | 'boottimeNs'>;
    readonly tunables: Tunables;
    readonly nowUs: () => number;
    readonly canGoOn: (recording: Recording) => boolean;
  },
): States {
  const { libbpf, libc, tunables } = deps;
  const pins = createPins(config, deps);
  const layouts = layoutsOf(config);
  const unpinnable = pins.open();
  let kernelEpoch = 0;

  function mapped(fd: number, what: string, bytes: number): Mapping {
    const mapping = libbpf.mmap(fd, { offset: 0, bytes, writable: true });
    if (typeof mapping === 'number') throw traceError('TRACE_MAP', `${what} (${errnoName(mapping)})`);
    return mapping;
  }

  /** The one that the instance has. Throws TRACE_MAP. */
  function pinnedControl(): { readonly fd: number; readonly mapping: Mapping } | undefined {
    const fd = pins.control();
    if (fd === undefined) return undefined;
    return { fd, mapping: mapped(fd, CONTROL_MAP, CONTROL_BYTES) };
  }

  function objectConfig(epoch: number, shared: Pick<ObjectConfig, 'kept' | 'controlFd'> = {}): ObjectConfig {
    const { objectPath: path, ring, jiffiesHz } = config;
    return { path, ring, tunables: tunables.bytes({ epoch: BigInt(epoch), jiffiesHz }), ...shared };
  }

  /** Owns the state, and lets go of it with an error. */
  function running(
    state: KernelState,
    how: Pick<Recording, 'isResumed'> &
      Pick<RunningState, 'capabilities' | 'scanMs' | 'notPinned'> & {
        readonly control: Control;
        readonly controlMapping: Mapping;
      },
  ): RunningState {
    const { controlMapping, isResumed, ...rest } = how;
    const links = new Map(state.links);
    const closeLinks = (): void => {
      for (const [program, fd] of links) {
        links.delete(program);
        closeSync(fd);
      }
    };
    const recordingAndTunables = (): readonly [Recording, Mapping] => {
      let recording: Recording | undefined;
      try {
        recording = createRecording(libbpf, { ...state, links: new Map() }, { isResumed });
        return [recording, mapped(fdOf(state, TUNABLES_MAP), TUNABLES_MAP, TUNABLES_BYTES)];
      } catch (error) {
        closeLinks();
        recording?.close();
        throw error;
      }
    };
    const [recording, tunablesMapping] = recordingAndTunables();
    return {
      ...rest,
      recording,
      tunables: tunablesMapping,
      watches: config.hooks.flatMap(({ runs, variants }) =>
        typeof runs === 'object' ? variants.flatMap(({ program }) => links.get(program) ?? []) : [],
      ),
      detach() {
        how.control.deactivate();
        pins.removeLinks(state.kernelEpoch);
        closeLinks();
      },
      close() {
        closeLinks();
        tunablesMapping.unmap();
        controlMapping.unmap();
        recording.close();
      },
    };
  }

  /** What ran when it was pinned runs now. */
  const isAttached = ({ programs, links }: KernelState): boolean =>
    links.has(CORE_LINK) &&
    config.hooks.every(
      ({ runs, variants }) =>
        runs === 'scan' || variants.every(({ program }) => !programs.has(program) || links.has(program)),
    );

  function resume(): RunningState | undefined {
    const shared = pinnedControl();
    if (!shared) return undefined;
    closeSync(shared.fd);
    const control = createControl(shared.mapping, config, libc.boottimeNs);
    // First: a state that was about to give up would otherwise do so while it is taken over.
    control.goOn();
    const epoch = control.active;
    const found = pins.states().find((each) => each.kernelEpoch === epoch && each.layout === layouts.state);
    let run: RunningState | undefined;
    try {
      run = found && resumed(pins.load(found), control, shared.mapping);
      if (run && deps.canGoOn(run.recording)) {
        tunables.change(run.tunables, {});
        return run;
      }
    } catch {
      // Another takes its place, and drains it if it can be opened then; if not, that is said.
    }
    if (run) run.close();
    else shared.mapping.unmap();
    return undefined;
  }

  /** Owns the state. */
  function resumed(state: KernelState, control: Control, controlMapping: Mapping): RunningState | undefined {
    if (!isAttached(state)) {
      releaseState(state);
      return undefined;
    }
    return running(state, {
      isResumed: true,
      control,
      controlMapping,
      capabilities: capabilitiesOf(libbpf, objectConfig(state.kernelEpoch), state, config.hooks),
      scanMs: 0,
      notPinned: '',
    });
  }

  function make(): RunningState {
    const shared = pinnedControl();
    const kept = unpinnable === '' ? pins.kept(layouts.storage) : new Map<string, number>();
    const { attached, scan } = attachPrograms(
      libbpf,
      objectConfig(kernelEpoch, { kept, controlFd: shared?.fd }),
      config.hooks,
    );
    for (const fd of [...kept.values(), ...(shared ? [shared.fd] : [])]) closeSync(fd);
    const state: KernelState = { kernelEpoch, ...attached };
    const controlMapping = shared?.mapping ?? mapped(fdOf(state, CONTROL_MAP), CONTROL_MAP, CONTROL_BYTES);
    const control = createControl(controlMapping, config, libc.boottimeNs);
    const notPinned = unpinnable || save(state, shared !== undefined);
    control.activate(kernelEpoch, { isOlder: kept.size > 0 });
    const scanFromMs = performance.now();
    const refused = scan();
    return running(state, {
      isResumed: false,
      control,
      controlMapping,
      capabilities: withFailures(attached.capabilities, refused),
      scanMs: Math.round(performance.now() - scanFromMs),
      notPinned,
    });
  }

  /** '' or why not. The control first: without it nobody would know which state records. */
  function save(state: KernelState, hasControl: boolean): string {
    const kept = new Map(KEPT_MAPS.map((name) => [name, fdOf(state, name)]));
    return (
      (hasControl ? '' : pins.saveControl(fdOf(state, CONTROL_MAP))) ||
      pins.keep(kept, layouts.storage) ||
      pins.save(state, layouts.state)
    );
  }

  return {
    begin() {
      const run = (unpinnable === '' && resume()) || undefined;
      kernelEpoch = run?.recording.kernelEpoch ?? deps.nowUs();
      try {
        return run ?? make();
      } catch (error) {
        pins.tidy();
        pins.close();
        throw error;
      }
    },
    previous() {
      if (unpinnable !== '') return NO_PREVIOUS;
      const others = pins.states().filter((each) => each.kernelEpoch !== kernelEpoch);
      return openPrevious(others, { pins, libbpf });
    },
    iterate: libbpf.iterate,
    forget: pins.remove,
    forgetAll: pins.removeAll,
    close: pins.close,
  };
}

function fdOf({ maps }: KernelState, name: string): number {
  const fd = maps.get(mapName(name));
  if (fd === undefined) throw traceError('TRACE_MAP', `${name} (not there)`);
  return fd;
}

/** `state`: of all that makes one state unlike another. `storage`: of what one takes over from another. */
function layoutsOf({ objectPath, ring, hooks }: StatesConfig): {
  readonly state: string;
  readonly storage: string;
} {
  const hash = (...parts: readonly (string | Buffer)[]): string => {
    const sum = createHash('sha256');
    for (const part of parts) sum.update(part);
    return sum.digest('hex').slice(0, 16);
  };
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw traceError('TRACE_OBJECT', path, error);
    }
  };
  const programs = hooks.flatMap(({ variants }) => variants.map(({ program }) => program));
  return {
    state: hash(read(objectPath), JSON.stringify([ring.lifecycleBytes, ring.chatterBytes, programs])),
    storage: hash(read(join(dirname(objectPath), STORAGE_LAYOUT))),
  };
}
