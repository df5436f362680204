/**
 * Writes every generated file of the contract: `generate.ts [--check] [ROOT]`.
 *
 * `--check` compares instead and exits 1 on any difference. ROOT is the repository, unless a test says otherwise.
 */
import { join } from 'node:path';
import { emitAvro, emitFingerprints } from './emit/avro.ts';
import { emitCHeader } from './emit/c-header.ts';
import { emitClickHouse } from './emit/clickhouse.ts';
import { emitDecodeEvents } from './emit/decode-events.ts';
import { emitDocs } from './emit/docs.ts';
import { emitEncodeEvent } from './emit/encode-event.ts';
import { emitEnvelope } from './emit/envelope.ts';
import { emitRests } from './emit/rests.ts';
import { emitRing } from './emit/ring.ts';
import { emitTierTables, emitTierView } from './emit/tiers.ts';
import { settleFiles } from './generated-files.ts';
import { TIERS } from './tiers.ts';
import { NEWEST } from './versions.ts';

const args = process.argv.slice(2);
const check = args.includes('--check');
const root = args.find((arg) => !arg.startsWith('--')) ?? join(import.meta.dirname, '../..');

/** Path from the repository's root → content. */
const ARTEFACTS: Record<string, () => string> = {
  'bpf/event.gen.h': emitCHeader,
  'schemas/src/generated/ring.ts': emitRing,
  'schemas/src/generated/envelope.ts': emitEnvelope,
  'schemas/src/generated/encode-event.ts': emitEncodeEvent,
  'schemas/src/generated/fingerprints.ts': emitFingerprints,
  'schemas/src/generated/decode-events.ts': emitDecodeEvents,
  'schemas/src/generated/to-rests.ts': emitRests,
  [`schemas/avro/event-batch.v${NEWEST}.avsc`]: emitAvro,
  'schemas/clickhouse/migrations/0001_raw.sql': emitClickHouse,
  'schemas/clickhouse/migrations/0005_tiers.sql': emitTierTables,
  ...Object.fromEntries(
    TIERS.map((tier) => [`schemas/clickhouse/views/${tier.view}.sql`, () => emitTierView(tier)]),
  ),
  'docs/events.md': emitDocs,
};

if (settleFiles(ARTEFACTS, { root, check, source: 'schemas/src/fields.ts' }) > 0) process.exit(1);
