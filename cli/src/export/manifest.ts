/** What stands beside each Parquet file. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { measure, readJson, type Written } from '../durable-file.ts';

export interface Manifest extends Written {
  readonly table: string;
  /** As 2026-11-28. */
  readonly day: string;
  readonly rows: number;
  /** Of the values of these rows, as `sumOf` gives it; files of before have none. */
  readonly checksum?: string;
  readonly database: string;
  /** Number of the newest migration of that database. */
  readonly migration: number;
  /** When it was written. */
  readonly written_ts: string;
  /** Rows that were asked for; empty: all. */
  readonly filters: Filters;
  /** Rows that `tcptrail forget` has taken out of it since. */
  readonly forgotten_rows: number;
}

export interface Filters {
  /** Names or ids. */
  readonly host?: readonly string[];
}

export interface Place {
  readonly parquet: string;
  readonly manifest: string;
}

export const placeOf = (folder: string, table: string, day: string): Place => ({
  parquet: join(folder, table, `${day}.parquet`),
  manifest: join(folder, table, `${day}.json`),
});

/** The manifest of a file that is there as it says. Throws CLI_FILE_UNREADABLE. */
export async function wholeManifest({ parquet, manifest }: Place): Promise<Manifest | undefined> {
  const said = readJson<Manifest>(manifest);
  if (said === undefined) return undefined;
  const is = await measure(parquet);
  return is?.bytes === said.bytes && is.sha256 === said.sha256 ? said : undefined;
}

/** Days of `table` that an export folder holds. */
export function daysIn(folder: string, table: string): readonly string[] {
  let names: readonly string[];
  try {
    names = readdirSync(join(folder, table));
  } catch {
    return [];
  }
  return names.flatMap((name) => /^(\d{4}-\d{2}-\d{2})\.parquet$/.exec(name)?.[1] ?? []).toSorted();
}
