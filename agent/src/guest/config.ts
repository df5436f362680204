/** What the agent may take of its host. */
import { AT_START, absolutePath, LIVE, MIB } from '@tcptrail/config/value.ts';
import { z } from 'zod';
import { IO_CLASSES } from './priority.ts';

/** Less than Node.js and an idle agent take: with it nothing would ever be recorded. */
const MEMORY_BYTES_MIN = 64 * MIB;

export const guestSection = z
  .strictObject({
    cpuPercentMax: z
      .int()
      .min(0)
      .max(100_000)
      .default(50)
      .meta(LIVE)
      .describe(
        'CPU that the agent may take over checkMs, in percent of one core. Beyond it goes without updates, then retransmits, then folds, at last detaches all programs. What its programs take in the kernel is not in it. 0 = no limit.',
      ),
    memoryBytesMax: z
      .int()
      .min(0)
      .max(1024 * 1024 * MIB)
      .refine(
        (bytes) => bytes === 0 || bytes >= MEMORY_BYTES_MIN,
        `must be 0 or at least ${MEMORY_BYTES_MIN} (64 MiB), which an idle agent takes: below it would record nothing`,
      )
      .default(512 * MIB)
      .meta(LIVE)
      .meta({ rule: `0, or a whole number from ${MEMORY_BYTES_MIN} to ${1024 * 1024 * MIB}` })
      .describe(
        'Resident memory that the agent may take beside its rings (docs/benchmarks.md has what it takes); beyond it as cpuPercentMax. 0 = no limit.',
      ),
    checkMs: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(10_000)
      .meta(LIVE)
      .describe(
        'Milliseconds between two looks at both; at each it gives up, or takes back, one thing at most.',
      ),
    quietMs: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(60_000)
      .meta(LIVE)
      .describe(
        'Milliseconds below 80 % of both after which the agent takes back what it gave up last; all programs after ten times as long.',
      ),
    nice: z
      .int()
      .min(-20)
      .max(19)
      .default(-5)
      .describe(
        'Niceness of the agent, as nice(1). It needs little CPU, but soon: above 0 it waits on a busy host until a ring is full, and events are lost.',
      ),
    ioClass: z
      .enum(IO_CLASSES)
      .default('best_effort')
      .describe('Class in the queue of the disk, as ionice(1); best_effort with the lowest level, 7.'),
    oomScoreAdjust: z
      .int()
      .min(-1_000)
      .max(1_000)
      .default(500)
      .describe(
        'How much sooner the kernel ends the agent than others when memory is out, in thousandths of all memory.',
      ),
    crashWaitMsMax: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(300_000)
      .describe(
        'Longest wait, in milliseconds, before the agent records again after three or more runs in a row that crashed or were killed within a minute: 5 s, then twice as long each time. 0 = none.',
      ),
    disabledFile: absolutePath()
      .default('/etc/tcptrail/disabled')
      .describe('While this file is there the agent does not start, and ends within 5 s, with exit code 3.'),
  })
  .meta(AT_START)
  .prefault({});
