/** `tcptrail migrate`: what the consumer does to the database at its start, by hand or as a plan. */
import { migrate, type Step } from '@tcptrail/consumer/migrate/migrate.ts';
import { noRetention } from '@tcptrail/consumer/migrate/retention.ts';
import { connectClickHouse } from '@tcptrail/consumer/store/failover.ts';
import { type ConsumerOptions, consumerSettings } from '../consumer-settings.ts';
import { cliError } from '../errors.ts';

export interface MigrateCommandOptions
  extends Pick<ConsumerOptions, 'config' | 'url' | 'user' | 'passwordFile' | 'database' | 'cluster'> {
  readonly plan?: boolean;
  readonly sql?: boolean;
  readonly retention?: boolean;
  readonly json?: boolean;
}

/** Throws CONFIG_*, CLICKHOUSE_*, MIGRATION_*, and CLI_USAGE for --sql without --plan. */
export async function migrateCommand(options: MigrateCommandOptions): Promise<void> {
  const { plan = false, sql = false, retention = false, json = false, ...connection } = options;
  if (sql && !plan)
    throw cliError('CLI_USAGE', ['--sql is about a plan; give --plan too', 'tcptrail migrate']);
  const settings = consumerSettings(connection).clickhouse;
  const clickhouse = connectClickHouse(settings);
  try {
    const { applied, withoutRetention } = await migrate(clickhouse, {
      plan,
      retention,
      cold: settings.coldVolume,
    });
    if (json) process.stdout.write(applied.map((step) => `${JSON.stringify(step)}\n`).join(''));
    else if (sql) process.stdout.write(applied.map(sqlOf).join('\n'));
    else if (applied.length === 0)
      process.stdout.write(`database ${clickhouse.database} at ${clickhouse.url} has everything\n`);
    else
      process.stdout.write(
        applied.map(({ name }) => `${plan ? 'would apply' : 'applied'} ${name}\n`).join(''),
      );
    if (withoutRetention.length > 0)
      process.stdout.write(
        json
          ? `${JSON.stringify({ without_retention: withoutRetention })}\n`
          : `${sql ? '-- ' : ''}${noRetention(withoutRetention, clickhouse)}\n`,
      );
  } finally {
    await clickhouse.close();
  }
}

function sqlOf({ name, statements }: Step): string {
  return `-- ${name}\n${statements.map((statement) => `${statement};\n`).join('\n')}`;
}
