/**
 * The configuration read again at SIGHUP, as at the start: its file and the environment.
 *
 * Which keys are live says the schema; who takes them is in `takers`, by section. A turn of the agent lies between two
 * turns of the cycle, so no record meets half a change. A configuration that is wrong changes nothing, nor does a file
 * that is gone or holds no keys any more.
 */
import assert from 'node:assert/strict';
import { changesOf, sentenceOf } from '@tcptrail/config/changes.ts';
import { type ConfigKey, keysOf } from '@tcptrail/config/keys.ts';
import { type ConfigSource, loadFrom } from '@tcptrail/config/load.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { AGENT_CONFIG, type AgentConfig } from './config.ts';

type Section = keyof AgentConfig;

/** Given the whole configuration that is in force from now on. */
export type Takers = { readonly [Name in Section]?: (config: AgentConfig) => void };

export interface ReloadNotices {
  configTaken(
    changes: { readonly taken: readonly string[]; readonly waiting: readonly string[] },
    sentence: string,
  ): void;
  configRefused(error: AppError): void;
}

export interface Reload {
  /** What is in force. */
  readonly config: AgentConfig;
  /** Reads again what was asked for since the last turn. */
  turn(): void;
}

export interface ReloadDeps {
  /** `again` of what the agent started with. */
  readonly source: ConfigSource;
  /** Whether it was asked for since this was last called. */
  readonly asked: () => boolean;
  readonly takers: Takers;
  readonly notices: ReloadNotices;
}

export function createReload(config: AgentConfig, deps: ReloadDeps): Reload {
  const { asked, takers, notices } = deps;
  let { source } = deps;
  const sections = liveSections(keysOf(AGENT_CONFIG));
  assert.deepEqual(Object.keys(takers).sort(), [...sections].sort(), 'every live section has its taker');
  let inForce = config;

  /** undefined: refused. */
  function read(): AgentConfig | undefined {
    try {
      const loaded = loadFrom(AGENT_CONFIG, source);
      source = loaded.again;
      return loaded.config;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      notices.configRefused(error);
      return undefined;
    }
  }

  return {
    get config() {
      return inForce;
    },
    turn() {
      if (!asked()) return;
      const next = read();
      if (!next) return;
      const changes = changesOf(AGENT_CONFIG, inForce, next);
      inForce = changes.config;
      const touched = new Set(changes.taken.map(sectionOf));
      for (const section of sections) if (touched.has(section)) takers[section]?.(inForce);
      notices.configTaken(changes, sentenceOf(changes));
    },
  };
}

/** `asked` of SIGHUP: a signal that comes before the agent can take it is kept. */
export function onHangUp(): () => boolean {
  let isAsked = false;
  process.on('SIGHUP', () => {
    isAsked = true;
  });
  return () => {
    const was = isAsked;
    isAsked = false;
    return was;
  };
}

const sectionOf = (key: string): string => key.split('.')[0] ?? '';

function liveSections(keys: readonly ConfigKey[]): readonly Section[] {
  const live = keys.filter(({ isLive }) => isLive).map(({ name }) => sectionOf(name));
  return [...new Set(live)] as Section[];
}
