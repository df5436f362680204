/** Scenes about the hosts themselves and how much of them is known. */
import { at, close, event, type Scene, summary } from '../scene.ts';

export const HOSTS: readonly Scene[] = [
  {
    question: 'ownerless',
    events: [
      event('open', 5, { pid: 0 }),
      close(1, { pid: 0 }),
      close(2),
      // Folded rows of several processes name none, and their owner is known all the same.
      summary(3, { connections: 2 }),
      close(4, { host: 'b' }),
    ],
    asks: [{ columns: 'host_name ownerless connections percent', rows: [['ownerless-a', 1, 4, 25]] }],
  },
  {
    question: 'silent-hosts',
    batches: [
      { minute: 10, agent_version: '1.0', kernel_release: '6.1' },
      { minute: 20, agent_version: '1.1', kernel_release: '6.12' },
      { host: 'b', minute: 59.5, agent_version: '1.1', kernel_release: '6.12' },
      // Its name before it was given another.
      { host: 'renamed', host_id: 'id-silent-hosts-b', minute: 30 },
      // It came back after the window.
      { minute: 61, agent_version: '1.2', kernel_release: '6.12' },
    ],
    asks: [
      {
        columns: 'host_name host_id last_batch_ts silent_seconds agent_version kernel_release',
        rows: [['silent-hosts-a', 'id-silent-hosts-a', at(20), 2_400, '1.1', '6.12']],
      },
      {
        args: ['--seconds', '30'],
        rows: [
          ['silent-hosts-a', 'id-silent-hosts-a', at(20), 2_400, '1.1', '6.12'],
          ['silent-hosts-b', 'id-silent-hosts-b', at(59.5), 30, '1.1', '6.12'],
        ],
      },
    ],
  },
  {
    question: 'agents-under-strain',
    batches: [
      beat(-5, { memory_bytes: 500 }),
      beat(61, { memory_bytes: 600 }),
      beat(1, { memory_bytes: 100, spool_bytes: 5, publish_lag_us: 9 }),
      beat(2, {
        memory_bytes: 90,
        clock_error_us: 3,
        'capabilities.program': ['scan', 'tcp_retransmit'],
        'capabilities.attached': [true, false],
        'capabilities.error': ['', 'EPERM'],
        'capabilities.cost': ['', 'retransmits'],
      }),
      beat(3, { host: 'b', memory_bytes: 7 }),
      // No heartbeat: it carries no health.
      beat(4, { heartbeat: false, memory_bytes: 999 }),
    ],
    asks: [
      {
        columns:
          'host_name agent_version memory_bytes_max spool_bytes_max publish_lag_us_max clock_error_us_max missing_programs',
        rows: [
          ['agents-under-strain-a', '1.1', 100, 5, 9, 3, ['tcp_retransmit']],
          ['agents-under-strain-b', '1.1', 7, 0, 0, 0, []],
        ],
      },
    ],
  },
];

function beat(minute: number, fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { minute, heartbeat: true, agent_version: '1.1', ...fields };
}
