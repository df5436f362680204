/**
 * Rights, each found out without changing anything; what cannot be found out so is named.
 *
 *   Describe  the topic's metadata was given
 *   Write     a Produce request that is refused for another reason once the right is there (`write-right.ts`)
 *   group     its offsets were given, which needs Describe; Read shows only in a member of the group
 */
import type { Admin } from '@tcptrail/kafka/admin.ts';
import { groupLag } from '@tcptrail/kafka/lag.ts';
import { assertMayWrite } from '@tcptrail/kafka/write-right.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { type Check, ok, refused } from './check.ts';
import type { Side } from './kafka.ts';

/** The events topic was found, so the user may describe it. */
export async function rightsChecks(admin: Admin, side: Side): Promise<readonly Check[]> {
  const { kafka, agent, consumer } = side;
  const { events, deadLetter } = kafka.topic;
  const checks: Check[] = [];
  if (agent) {
    checks.push(
      await tried('rights of the agent', `may describe and write ${events}`, () =>
        assertMayWrite(kafka, events),
      ),
    );
  }
  if (consumer) {
    const { group } = consumer.kafka;
    const found = `may describe ${events} and group ${group}, and write ${deadLetter}; reading was not tried`;
    checks.push(
      await tried('rights of the consumer', found, async () => {
        await groupLag(admin, kafka, { topic: events, group });
        await assertMayWrite(kafka, deadLetter);
      }),
    );
  }
  return checks;
}

async function tried(name: string, found: string, use: () => Promise<void>): Promise<Check> {
  try {
    await use();
    return ok(name, found);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return refused(name, error);
  }
}
