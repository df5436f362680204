/**
 * Writes the documentation that is declared in code of several parts: `generate-docs.ts [--check] [ROOT]`.
 *
 * `--check` compares instead and exits 1 on any difference. ROOT is the repository, unless a test says otherwise.
 */
import { join } from 'node:path';
import { settleFiles } from '@tcptrail/schemas/generated-files.ts';
import { configPage } from './docs/config-page.ts';
import { metricsPage } from './docs/metrics-page.ts';
import { questionsPage } from './docs/questions-page.ts';

const args = process.argv.slice(2);
const check = args.includes('--check');
const root = args.find((arg) => !arg.startsWith('--')) ?? join(import.meta.dirname, '../..');

const source = 'the config.ts or metrics.ts of its part, or schemas/clickhouse/questions';
const pages = {
  'docs/config.md': configPage,
  'docs/metrics.md': metricsPage,
  'docs/questions.md': questionsPage,
};
if (settleFiles(pages, { root, check, source }) > 0) process.exit(1);
