/** The commands and their options; each loads its part only when it runs. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { addAsk } from './ask/command.ts';
import { addBackup } from './backup/command.ts';
import { addClickHouse, examples, home, instance } from './command-parts.ts';
import { addDlq } from './dlq/commands.ts';
import { addExport } from './export/command.ts';
import { addForget } from './forget/command.ts';
import { addHold } from './hold/command.ts';
import { addImport } from './import/command.ts';
import { addMigrate } from './migrate/command.ts';
import { brokers, integer, list, ports } from './options.ts';
import { addSpool } from './spool/commands.ts';
import { addStorage } from './storage/command.ts';
import { addVerify } from './verify/command.ts';

const VERSION_FILE = new URL('../package.json', import.meta.url);

export function createProgram(): Command {
  const program = new Command('tcptrail');
  program
    .description('Every TCP connection on every host, in SQL.')
    .version(versionOf(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .showHelpAfterError(false)
    .addHelpText('after', () => examples(EXAMPLES));
  addUp(program);
  addStop(program);
  addQuery(program);
  addAsk(program);
  addTail(program);
  addTopic(program);
  addSpool(program);
  addDlq(program);
  addVerify(program);
  addImport(program);
  addExport(program);
  addBackup(program);
  addForget(program);
  addHold(program);
  addMigrate(program);
  addStorage(program);
  addDoctor(program);
  addPart(program, 'agent', 'record the connections of this host into the spool or Kafka (needs root)');
  addPart(program, 'consumer', 'move the spool or Kafka into ClickHouse, exactly once');
  addUninstall(program);
  addCompletion(program);
  for (const command of commandsOf(program)) command.helpOption('-h, --help', 'print this help');
  return program;
}

/** Every command of `program`, those of commands too. */
export function commandsOf(program: Command): readonly Command[] {
  return program.commands.flatMap((command) => [command, ...commandsOf(command)]);
}

const EXAMPLES = [
  ['sudo tcptrail up', 'record this machine and print connections as they close'],
  ['tcptrail query "SELECT comm, sum(connections) FROM connections GROUP BY comm ORDER BY 2 DESC"', ''],
  ['tcptrail ask top-talkers --since 1h', 'a question of the library; tcptrail ask lists them'],
  ['tcptrail tail --port 443 --verdict reset_received', 'live, filtered'],
  ['sudo tcptrail up --kafka', 'the same with Kafka between agent and consumer'],
  ['sudo tcptrail doctor', 'what works on this machine, what does not, and what to do'],
] as const;

function versionOf(): string {
  const manifest = JSON.parse(readFileSync(VERSION_FILE, 'utf8')) as { readonly version: string };
  return manifest.version;
}

function addUp(program: Command): void {
  program
    .command('up')
    .summary('record this machine: embedded ClickHouse, consumer and agent')
    .description(
      'Starts embedded ClickHouse, the consumer and the agent under one supervisor, and prints the connections\n' +
        'of this machine as they close. The agent is root only to attach. Ctrl-C stops everything cleanly.\n' +
        'With --kafka the agent publishes to a local Kafka, and the consumer reads there.\n' +
        'What one way has stored the other does not store again.',
    )
    .addOption(home())
    .addOption(instance())
    .option('--host <address>', 'address ClickHouse listens on', '127.0.0.1')
    .option('--port <port>', 'port ClickHouse listens on; 0 takes a free one', integer(0, 65_535), 8123)
    .option(
      '--user <name>',
      'user that ClickHouse and the consumer run as; made when it is missing',
      'tcptrail',
    )
    .option('--agent-metrics-port <port>', "the agent's metrics; 0 for none", integer(0, 65_535), 9480)
    .option(
      '--consumer-metrics-port <port>',
      "the consumer's metrics; 0 takes a free one",
      integer(0, 65_535),
      9481,
    )
    .option('--kafka', 'with Kafka between agent and consumer: a local one of its own (needs Java 17)')
    .option('--kafka-port <port>', 'port that Kafka listens on; 0 takes a free one', integer(0, 65_535), 9092)
    .option('--brokers <host:port>', 'with these brokers instead of a local Kafka', brokers)
    .option('--password-file <file>', 'password that ClickHouse asks for (user default)')
    .option('--reader-password-file <file>', 'password of the read-only user reader')
    .option('--json', 'print connections as JSON, one object a line')
    .option('--quiet', 'print no connections')
    .action(async (options) => (await import('./up.ts')).up(options));
}

function addTopic(program: Command): void {
  const topic = program
    .command('topic')
    .summary('the topics in Kafka: describe them, make them')
    .description(
      'Describes the topics of batches and of dead letters, or makes them.\n' +
        'Settings: the section kafka of --config, else of /etc/tcptrail/consumer.yaml,\n' +
        'else agent.yaml; TCPTRAIL_KAFKA_* goes over it. Without --config and --brokers\n' +
        "a running 'tcptrail up --kafka' is found by itself.",
    )
    .helpCommand(false);
  addKafka(topic.command('describe'))
    .summary('partitions, settings against the plan, and how far the consumer group is')
    .description(
      'Prints for each topic its partitions, replicas, settings against the plan,\n' +
        'offsets and messages, and how far the consumer group is behind.\n' +
        'Exit code 1 when something of it could not be read.',
    )
    .option('--group <name>', 'consumer group (TCPTRAIL_KAFKA_GROUP; default tcptrail-consumer)')
    .option('--json', 'one object a topic and line')
    .action(async (options) => (await import('./topic/describe.ts')).describeTopicsCommand(options));
  addKafka(topic.command('create'))
    .summary('make the topics that are missing')
    .description(
      'Makes the topics that are missing, with the settings of kafka.topic, whatever\n' +
        'kafka.topic.create says. A topic that is there is never changed: what differs\n' +
        'in it is told with the command that changes it.',
    )
    .action(async (options) => (await import('./topic/create.ts')).createTopicsCommand(options));
  topic.addHelpText('after', () =>
    examples([
      ['tcptrail topic create --brokers 10.0.0.1:9092,10.0.0.2:9092', ''],
      ['tcptrail topic describe --json | jq "[.topic, .group.lag]"', ''],
    ]),
  );
}

function addKafka(command: Command): Command {
  return command
    .option('--config <file>', 'configuration of the consumer or the agent')
    .option('--brokers <host:port>', 'brokers, over everything (TCPTRAIL_KAFKA_BROKERS)', brokers);
}

function addStop(program: Command): void {
  program
    .command('stop')
    .summary("end a running 'tcptrail up' cleanly")
    .description(
      "Ends a running 'tcptrail up': the agent drains, the consumer stores it, then Kafka goes, ClickHouse last.",
    )
    .addOption(home())
    .addOption(instance())
    .option('--force', 'end it at once; what the agent spooled is stored at the next start')
    .action(async (options) => (await import('./stop.ts')).stop(options));
}

function addQuery(program: Command): void {
  const command = program
    .command('query')
    .summary('ask in SQL')
    .description("Asks ClickHouse; '-' reads the SQL from standard input. A FORMAT in the SQL is honoured.")
    .argument('<sql>', 'the question, for instance "SELECT sum(connections) FROM connections"')
    .addOption(new Option('--json', 'one object a line, keys are the column names').conflicts('csv'))
    .addOption(new Option('--csv', 'CSV with a head').conflicts('json'));
  addClickHouse(command).action(async (sql, options) => (await import('./query.ts')).query(sql, options));
  command.addHelpText('after', () =>
    examples([
      [
        'tcptrail query "SELECT peer_address, sum(connections) FROM connections GROUP BY 1 ORDER BY 2 DESC LIMIT 10"',
        '',
      ],
      ['tcptrail query --json "SELECT * FROM failures" | jq .reason', ''],
      ['tcptrail query - < question.sql', ''],
    ]),
  );
}

function addTail(program: Command): void {
  const command = program
    .command('tail')
    .summary('print connections as they close')
    .description(
      'Prints connections as they close or fail. Options narrow each other; values of one option are alternatives.',
    )
    .option('-n, --lines <number>', 'begin with the newest stored lines', integer(0, 100_000), 10)
    .option('--no-follow', 'print those and end')
    .option('--kind <kind>', 'kinds of event (default: close, fail, summary)', list)
    .option('--port <port>', 'local or peer port', ports)
    .option('--peer <address>', 'peer address or network, as 10.0.0.0/8', list)
    .option('--process <name>', "the process's short name, or its executable", list)
    .option('--host <name>', 'name or id of the host', list)
    .option('--verdict <verdict>', 'how it ended, as reset_received', list)
    .option('--own', "tcptrail's own connections too")
    .option('--json', 'whole events, one object a line');
  addClickHouse(command).action(async (options) => (await import('./tail.ts')).tail(options));
  command.addHelpText('after', () =>
    examples([
      ['tcptrail tail --process curl,nginx --peer 10.0.0.0/8', ''],
      ['tcptrail tail --kind fail --json | jq -c "[.comm, .peer_address, .verdict]"', ''],
    ]),
  );
}

function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .summary('what works on this machine, what does not, and what to do')
    .description(
      'Checks kernel, privileges, each program in the kernel, folders, ClickHouse and what it stored;\n' +
        'Kafka when the configuration of agent or consumer, a running up or --brokers says so.\n' +
        'Exit code 0: all well; 1: something failed; 3: this machine cannot run the agent.',
    )
    .addOption(home())
    .addOption(instance())
    .option('--brokers <host:port>', 'brokers to check, over the configuration', brokers)
    .option('--json', 'one object a check and line');
  addClickHouse(command).action(async (options) => (await import('./doctor.ts')).doctor(options));
}

function addPart(program: Command, name: 'agent' | 'consumer', summary: string): void {
  const part = program
    .command(name)
    .summary(summary)
    .description(`Runs the ${name} in the foreground; its options go to it as they are.`)
    .option('--config <file>', `configuration (default /etc/tcptrail/${name}.yaml)`)
    .option('--check', 'check the configuration and end')
    .option('--print-config', 'print the configuration as it works out and end')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_options, command: Command) =>
      (await import('./part.ts')).part(name, argumentsOf(command)),
    );
  if (name === 'consumer') part.option('--once', 'store what is there, sum the days that are over, then end');
}

/** What stood behind the command's name, as it stood. */
function argumentsOf(command: Command): readonly string[] {
  const given = (command.parent as { readonly rawArgs?: readonly string[] } | null)?.rawArgs ?? [];
  return given.slice(given.indexOf(command.name()) + 1);
}

function addUninstall(program: Command): void {
  program
    .command('uninstall')
    .summary('stop, and remove everything that tcptrail made on this machine')
    .description(
      "Stops 'tcptrail up' and removes data, spool, run files, kernel pins and the system user it made.",
    )
    .addOption(home())
    .addOption(instance())
    .option('-y, --yes', 'do not ask (also YES=1)')
    .option('--keep-data', 'keep what is stored in ClickHouse')
    .option('--all', 'remove the configuration in /etc/tcptrail too')
    .action(async (options) => (await import('./uninstall.ts')).uninstall(options));
}

function addCompletion(program: Command): void {
  program
    .command('completion')
    .summary('print a completion script')
    .description('Prints a completion script for the shell.')
    .argument('<shell>', 'bash or zsh')
    .action(async (shell: string) => {
      const { completion } = await import('./completion.ts');
      process.stdout.write(completion(shell, createProgram()));
    })
    .addHelpText('after', () =>
      examples([
        ['source <(tcptrail completion bash)', 'in ~/.bashrc'],
        ['tcptrail completion zsh > ~/.zsh/_tcptrail', 'in a folder of $fpath'],
      ]),
    );
}
