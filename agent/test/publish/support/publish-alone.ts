/** A publisher as a process: node publish-alone.ts SPOOL SECTION. Looks at the spool all the time; ends by a signal. */

import { kafkaKeys } from '@tcptrail/kafka/config.ts';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { NOW_US } from '../../../../test/spool-writer.ts';
import { createKafkaPublisher } from '../../../src/publish/kafka.ts';
import { heard, UNPACED } from './broker.ts';

const [spoolPath = '', section = '{}'] = process.argv.slice(2);
const tell = (error: AppError): void => void process.stderr.write(`${error.code}: ${error.message}\n`);
const publisher = createKafkaPublisher(
  {
    ...UNPACED,
    kafka: kafkaKeys.parse(JSON.parse(section)),
    spoolPath,
    hostId: 'host-a',
    bootId: 'boot-1',
    agentEpoch: NOW_US,
  },
  { ...heard, publishFailed: tell, kafkaFileUnfit: tell, topicMade() {} },
);
publisher.start();
setInterval(publisher.wake, 20);
