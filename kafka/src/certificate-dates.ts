/** What the dates of the client's certificate say. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Why the brokers may refuse the client's certificate, as far as its dates tell; '' when they do not. */
export function datesOf(certFile: string, nowMs = Date.now()): string {
  if (certFile === '') return '';
  try {
    const { validFromDate, validToDate } = new X509Certificate(readFileSync(certFile));
    if (validToDate.getTime() < nowMs) return `it expired ${validToDate.toISOString()}`;
    if (validFromDate.getTime() > nowMs) return `it is not valid before ${validFromDate.toISOString()}`;
    return '';
  } catch {
    return '';
  }
}
