/** The migration and view files of `schemas/clickhouse`. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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

function sqlFiles(folder: string): readonly SqlFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  return names.toSorted().map((name) => {
    const sql = readFileSync(join(folder, name), 'utf8');
    const hash = createHash('sha256').update(sql).digest('hex');
    return { number: 0, name: name.slice(0, -'.sql'.length), sql, hash };
  });
}
