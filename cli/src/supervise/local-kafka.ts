/** What a local Kafka needs before it can be a part: Java, and its jars, which an unprivileged user cannot fetch. */
import { fetchJars } from '@tcptrail/local-kafka/jars.ts';
import { requireJava } from '@tcptrail/local-kafka/java.ts';
import { cliError } from '../errors.ts';

/**
 * Gives the folder of the jars. Says when it fetches them, which takes a while. Throws CLI_KAFKA_UNUSABLE, exit code 3.
 */
export async function prepareLocalKafka(say: (text: string) => void): Promise<string> {
  try {
    requireJava();
    const { folder } = await fetchJars(say);
    return folder;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    // Its sentences part what is wrong and the remedy with a colon.
    const [reason = '', remedy = 'see what it says above'] = text.split(/: (.*)/s);
    throw cliError('CLI_KAFKA_UNUSABLE', [reason, remedy], { cause: error });
  }
}
