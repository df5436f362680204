/** Which process is meant and whether it is still there: as infra says it, which imports nothing of the other parts. */
export { isAlive, nameOf, type ProcessName } from '@tcptrail/local-kafka/process-name.ts';
