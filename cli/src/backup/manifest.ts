/** What `backup.json` says of a backup. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, type Written } from '../durable-file.ts';
import { cliError } from '../errors.ts';
import type { Place } from '../stored-point.ts';

export const MANIFEST = 'backup.json';
/** Stands in a folder until its backup is whole. */
export const UNFINISHED = 'backup.unfinished';
const FORM = 1;

export interface Sum {
  readonly rows: number;
  /** Sum of cityHash64 over the columns of each row, modulo 2^64. */
  readonly checksum: string;
}

export interface BackupFile extends Sum, Written {
  /** Relative to the folder. */
  readonly file: string;
  readonly table: string;
  readonly partition: string;
  /** Newest day of its rows; empty where the table has no days. */
  readonly day_max: string;
}

export interface BackupTable extends Sum {
  readonly table: string;
  /** Columns, in the order of the files. */
  readonly columns: readonly string[];
}

export interface BackupManifest {
  readonly form: number;
  readonly database: string;
  /** Number of the newest migration. */
  readonly migration: number;
  readonly server_version: string;
  readonly started_ts: string;
  readonly ended_ts: string;
  /** Up to which message of each place tcp_events and tcp_batches are in it. */
  readonly stored_up_to: readonly Place[];
  readonly tables: readonly BackupTable[];
  readonly files: readonly BackupFile[];
}

export const newManifest = (said: Omit<BackupManifest, 'form'>): BackupManifest => ({ form: FORM, ...said });

/** With a name of its own, the hash of the manifest. Throws CLI_BACKUP_NONE, CLI_BACKUP_NEWER. */
export function readManifest(folder: string): { readonly manifest: BackupManifest; readonly id: string } {
  const path = join(folder, MANIFEST);
  const manifest = existsSync(path) ? readJson<BackupManifest>(path) : undefined;
  if (manifest === undefined) throw cliError('CLI_BACKUP_NONE', [folder]);
  if (manifest.form !== FORM) throw cliError('CLI_BACKUP_NEWER', [folder]);
  return { manifest, id: createHash('sha256').update(readFileSync(path)).digest('hex') };
}
