/** avsc's types of the published schema, numbers as JavaScript's: its fastest. */
import { readFileSync } from 'node:fs';
import avsc from 'avsc';
import { SCHEMA_PATH } from '../../avsc-oracle.ts';

export const BATCH_TYPE = avsc.Type.forSchema(JSON.parse(readFileSync(SCHEMA_PATH, 'utf8')), {
  wrapUnions: false,
}) as avsc.types.RecordType;

export const EVENT_TYPE = (BATCH_TYPE.field('events').type as avsc.types.ArrayType).itemsType;
