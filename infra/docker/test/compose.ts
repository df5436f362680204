/** docker-compose.yml as Compose reads it, as far as the tests ask. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const ROOT = join(import.meta.dirname, '../../..');
export const COMPOSE_FILE = join(ROOT, 'docker-compose.yml');

export interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly cap_add?: readonly string[];
}

/** Stands for every variable that a person has to give. */
export const GIVEN = 'given';

export function services(): Readonly<Record<string, Service>> {
  const text = readFileSync(COMPOSE_FILE, 'utf8').replace(/\$\{[A-Z_]+:\?[^}]*\}/g, GIVEN);
  return (parse(text, { merge: true }) as { services: Record<string, Service> }).services;
}

export function service(name: string): Service {
  const found = services()[name];
  if (!found) throw new Error(`${COMPOSE_FILE} has no service ${name}`);
  return found;
}

/** The variables of a service as its process gets them. */
export function environmentOf(name: string): Record<string, string> {
  const variables = Object.entries(service(name).environment ?? {});
  return Object.fromEntries(variables.map(([variable, value]) => [variable, String(value)]));
}
