/** What a list of batches holds. */
import type { OracleBatch } from './oracle.ts';

/** Mapped or not, as text. */
export function portsOf(
  batches: readonly OracleBatch[],
  kind: string,
  role: string,
  server: number,
): number[] {
  const serverSide = role === 'server';
  return batches
    .flatMap((batch) => batch.events)
    .filter((event) => event.kind === kind && event.role === role)
    .filter((event) => (serverSide ? event.local_port : event.peer_port) === server)
    .map((event) => Number(serverSide ? event.peer_port : event.local_port))
    .sort((a, b) => a - b);
}

export function totalOf(batch: OracleBatch | undefined, field: string): number {
  return (batch?.cpus ?? []).reduce((sum, cpu) => sum + (cpu[field] ?? 0), 0);
}

export function rowsIn(batches: readonly OracleBatch[]): number {
  return batches.reduce((sum, batch) => sum + batch.events.length, 0);
}
