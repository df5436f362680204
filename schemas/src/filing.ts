/**
 * By which time a batch and its events are filed: their `day` is partition and TTL key of both tables, and a host whose
 * clock is wrong must neither lose its rows at once nor have them kept for years. Times are µs since the epoch.
 */
const DAY_US = 86_400e6;
const SUSPECT_US = 2 * DAY_US;
/** A Date ends with day 65535, in 2149; an event may be filed under two days after its batch. */
export const FILED_TS_MAX = (0xffff - 2) * DAY_US;

/** So far from each other that one of the clocks is wrong. */
export const isSuspect = (ts: number, reference: number): boolean => Math.abs(ts - reference) > SUSPECT_US;

/** The host's time, unless it is suspect beside the broker's: that of the message, where a broker stamped it. */
export const filedTsOf = (batchTs: number, brokerTs = batchTs): number =>
  isSuspect(batchTs, brokerTs) ? brokerTs : batchTs;

/** Since 1970. */
export const dayNumber = (ts: number): number => Math.floor(ts / DAY_US);
