/** A described topic as text and as one line of JSON. */
import { remedyOf, SETTINGS_THAT_MATTER, sentenceOf } from '@tcptrail/kafka/settings.ts';
import { messagesIn } from '@tcptrail/kafka/topic-state.ts';
import { plural } from '../terminal/human.ts';
import type { Style } from '../terminal/style.ts';
import { type Column, createTable } from '../terminal/table.ts';
import type { Described } from './describe.ts';

const text = (name: string): Column => ({ name, type: 'String' });
const number = (name: string): Column => ({ name, type: 'Int64' });

/** The topic in a line, its settings, its partitions. */
export function topicText(
  described: Described,
  { brokers, style }: { readonly brokers: readonly string[]; readonly style: Style },
): string {
  const { plan, differences, group } = described;
  const warning =
    differences.length === 0
      ? ''
      : `${style('yellow', '!')} ${sentenceOf(differences)}; ${remedyOf(differences, { topic: plan.name, brokers })}\n`;
  const members = group?.members.length ?? 0;
  const groupLine = group
    ? `group ${group.name}: ${group.state === 'Dead' ? 'never seen' : group.state}, ${plural(members, 'member')}, ${plural(behind(described), 'message')} behind\n`
    : '';
  return `${headLine(described, style)}${settingsTable(described, style)}${warning}\n${groupLine}${partitionsTable(described, style)}\n`;
}

function headLine({ plan, partitions, outOfSync, offsets }: Described, style: Style): string {
  const replicas = Math.max(...partitions.map((partition) => partition.replicas.length));
  const sync =
    outOfSync.length === 0
      ? 'all in sync'
      : style('red', `${plural(outOfSync.length, 'partition')} out of sync (${outOfSync.join(', ')})`);
  const size = `${plural(partitions.length, 'partition')}, ${plural(replicas, 'replica')}, ${sync}`;
  return `${style('bold', `topic ${plan.name}`)}: ${size}, ${plural(messagesIn(offsets), 'message')}\n`;
}

function settingsTable({ plan, settings }: Described, style: Style): string {
  if (!settings) return '';
  const table = createTable({ columns: ['setting', 'value', 'planned'].map(text), style });
  for (const name of SETTINGS_THAT_MATTER)
    table.push([name, settings[name] ?? '', plan.settings[name] ?? '']);
  return table.end();
}

function partitionsTable(described: Described, style: Style): string {
  const { partitions, offsets, group } = described;
  const ours = group ? [number('stored to'), number('behind')] : [];
  const columns = [
    ...['partition', 'leader'].map(number),
    ...['replicas', 'in sync'].map(text),
    ...['oldest', 'newest', 'messages'].map(number),
    ...ours,
  ];
  const table = createTable({ columns, style });
  for (const { partitionId, leader, replicas, isr } of partitions) {
    const { low = 0, high = 0 } = offsets.find(({ partition }) => partition === partitionId) ?? {};
    const held = high > low ? [low, high - 1] : ['-', '-'];
    const lag = group?.lags.find(({ partition }) => partition === partitionId);
    const stored = lag?.committed === undefined || lag.committed === 0 ? '-' : lag.committed - 1;
    const row = [partitionId, leader, list(replicas), list(isr), ...held, high - low];
    table.push([...row, ...(group ? [stored, lag?.lag ?? 0] : [])].map(String));
  }
  return table.end();
}

const list = (nodes: readonly number[]): string => nodes.toSorted((a, b) => a - b).join(',');
const behind = ({ group }: Described): number => (group?.lags ?? []).reduce((sum, { lag }) => sum + lag, 0);

/** Keys as people read them above; offsets that are not there are null. */
export function topicLine(described: Described): string {
  const { plan, partitions, outOfSync, offsets, settings, differences, group } = described;
  const line = {
    topic: plan.name,
    messages: messagesIn(offsets),
    in_sync: outOfSync.length === 0,
    settings: settings
      ? Object.fromEntries(SETTINGS_THAT_MATTER.map((name) => [name, settings[name] ?? null]))
      : null,
    differences,
    group: group
      ? { name: group.name, state: group.state, members: group.members, lag: behind(described) }
      : null,
    partitions: partitions.map(({ partitionId, leader, replicas, isr }) => {
      const { low = 0, high = 0 } = offsets.find(({ partition }) => partition === partitionId) ?? {};
      const lag = group?.lags.find(({ partition }) => partition === partitionId);
      return {
        partition: partitionId,
        leader,
        replicas,
        in_sync: isr,
        oldest: high > low ? low : null,
        newest: high > low ? high - 1 : null,
        messages: high - low,
        ...(group ? { committed: lag?.committed ?? null, lag: lag?.lag ?? 0 } : {}),
      };
    }),
  };
  return `${JSON.stringify(line)}\n`;
}
