/** The consumer takes its configuration at its start alone: SIGHUP says what the next start would take. */
import { changesOf, sentenceOf } from '@tcptrail/config/changes.ts';
import { type ConfigSource, loadConfig } from '@tcptrail/config/load.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Logger } from 'pino';
import { CONSUMER_CONFIG, type ConsumerConfig } from './config.ts';

export function tellOfHangUps(config: ConsumerConfig, source: ConfigSource, log: Logger): void {
  process.on('SIGHUP', () => {
    try {
      log.info(sentenceOf(changesOf(CONSUMER_CONFIG, config, loadConfig(CONSUMER_CONFIG, source))));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      log.warn({ code: error.code }, `${error.message}; the next start would end with this`);
    }
  });
}
