/** The migration and view files of `schemas/clickhouse`. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Form, shardedTables } from '../form.ts';

export const CLICKHOUSE_FOLDER = join(import.meta.dirname, '../../../schemas/clickhouse');

export interface SqlFile {
  /** 0 for a view. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly hash: string;
}

/** `migrations/NNNN_name.sql` by number. */
export function migrationFiles(folder: string): readonly SqlFile[] {
  return sqlFiles(join(folder, 'migrations')).map((file) => ({
    ...file,
    number: Number.parseInt(file.name, 10),
  }));
}

/** `views/name.sql` by name. */
export function viewFiles(folder: string): readonly SqlFile[] {
  return sqlFiles(join(folder, 'views'));
}

/** The tables of a cluster over all its shards, as a view: it changes with any migration. */
export function shardedFile(migrations: readonly SqlFile[], form: Form): SqlFile {
  const sql = shardedTables(
    migrations.map((file) => file.sql),
    form,
  );
  const hash = hashOf([sql, ...migrations.map((file) => file.hash)].join('\n'));
  return { number: 0, name: 'tables over all shards', sql, hash };
}

function sqlFiles(folder: string): readonly SqlFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  return names.toSorted().map((name) => {
    const sql = readFileSync(join(folder, name), 'utf8');
    return { number: 0, name: name.slice(0, -'.sql'.length), sql, hash: hashOf(sql) };
  });
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
