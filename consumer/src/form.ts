/**
 * The two forms of the same SQL files: one node, or a cluster (docs/decisions/0031). Pure.
 *
 * On a cluster each table is two: NAME_local holds rows on every host, NAME reads those of all shards. Who reads
 * names NAME in either form; who writes rows, asks the ledger or alters names what `localTable` gives.
 */

export interface Form {
  readonly database: string;
  /** Name of the cluster, as in system.clusters; empty or absent for one node. */
  readonly cluster?: string | undefined;
}

const LOCAL = '_local';
const WINDOW = 10_000;
const WINDOW_SECONDS = 7 * 86_400;

/** Fills the places of a template; each stands for nothing on one node, but for the first and the last. */
export function fillTemplate(sql: string, form: Form): string {
  const places: Readonly<Record<string, string>> = {
    database: form.database,
    on_cluster: onCluster(form),
    replicated: form.cluster ? 'Replicated' : '',
    local: localName(form, ''),
    global: form.cluster ? 'GLOBAL' : '',
    deduplication_window: form.cluster
      ? `replicated_deduplication_window = ${WINDOW}, replicated_deduplication_window_seconds = ${WINDOW_SECONDS}`
      : `non_replicated_deduplication_window = ${WINDOW}`,
  };
  return sql.replaceAll(/\{(\w+)\}/g, (place, name: string) => places[name] ?? place);
}

/** Of a statement, behind the name of what it is about. */
export function onCluster({ cluster }: Form): string {
  return cluster ? `ON CLUSTER '${cluster}'` : '';
}

/** The table that holds the rows, with its database. */
export function localTable(form: Form, table: string): string {
  return `${form.database}.${localName(form, table)}`;
}

export function localName({ cluster }: Pick<Form, 'cluster'>, table: string): string {
  return cluster ? `${table}${LOCAL}` : table;
}

/**
 * A template that makes the tables over all shards out of `migrations`, whose local tables stand as `NAME{local}`.
 * They hold nothing, so they are made anew as views are. Without a sharding key nobody inserts through them by mistake.
 */
export function shardedTables(migrations: readonly string[], { cluster }: Form): string {
  const tables = migrations.flatMap((sql) =>
    [...sql.matchAll(/^CREATE TABLE IF NOT EXISTS \{database\}\.(\w+)\{local\}/gm)].map(([, name]) => name),
  );
  return tables
    .map(
      (name) => `CREATE OR REPLACE TABLE {database}.${name} {on_cluster} AS {database}.${name}{local}
ENGINE = Distributed('${cluster}', '{database}', '${name}{local}')
COMMENT 'The rows of ${name}{local} on all shards.';`,
    )
    .join('\n\n');
}
