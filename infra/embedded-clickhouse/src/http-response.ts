import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliCompress, createDeflate, createGzip, createZstdCompress } from 'node:zlib';
import { type ClickHouseException, exceptionText, httpStatus } from './exception.ts';
import type { Answer } from './query.ts';

const COMPRESSORS: readonly { readonly encoding: string; readonly create: () => Transform }[] = [
  { encoding: 'zstd', create: createZstdCompress },
  { encoding: 'gzip', create: createGzip },
  { encoding: 'deflate', create: createDeflate },
  { encoding: 'br', create: createBrotliCompress },
];

const CONTENT_TYPES: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:JSONEachRow|JSONLines|NDJSON|JSONCompactEachRow.*|JSONStringsEachRow)$/,
    'application/x-ndjson; charset=UTF-8',
  ],
  [/^JSON/, 'application/json; charset=UTF-8'],
  [/^(?:TabSeparated|TSV)/, 'text/tab-separated-values; charset=UTF-8'],
  [/^CSV/, 'text/csv; charset=UTF-8; header=present'],
  [/^XML$/, 'application/xml; charset=UTF-8'],
  [/^(?:Native|RowBinary|Parquet|ORC|Arrow|Avro|Protobuf|MsgPack|BSON)/, 'application/octet-stream'],
];

/** Sends a result; rejects when the client goes away in the middle. */
export async function sendAnswer(
  response: ServerResponse,
  answer: Answer,
  options: { readonly acceptEncoding: string | undefined },
): Promise<void> {
  commonHeaders(response, answer.queryId);
  response.setHeader('X-ClickHouse-Format', answer.format);
  response.setHeader('Content-Type', contentType(answer.format));
  response.setHeader('X-ClickHouse-Summary', JSON.stringify(summary(answer)));
  const source =
    'file' in answer.body
      ? createReadStream(answer.body.file)
      : Readable.from([Buffer.from(answer.body.bytes)]);
  const accepted = (options.acceptEncoding ?? '').split(',').map((part) => part.split(';')[0]?.trim());
  const compressor = COMPRESSORS.find(({ encoding }) => accepted.includes(encoding));
  if (compressor === undefined) return pipeline(source, response);
  response.setHeader('Content-Encoding', compressor.encoding);
  return pipeline(source, compressor.create(), response);
}

/** Sends an error; the connection ends with it when part of the request body was left unread. */
export function sendException(
  request: IncomingMessage,
  response: ServerResponse,
  error: ClickHouseException,
  context: { readonly version: string; readonly queryId: string | undefined },
): void {
  commonHeaders(response, context.queryId);
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.setHeader('X-ClickHouse-Exception-Code', String(error.code));
  if (!request.complete) response.setHeader('Connection', 'close');
  response.statusCode = httpStatus(error.exceptionName);
  response.end(exceptionText(error, context.version));
}

function commonHeaders(response: ServerResponse, queryId: string | undefined): void {
  response.setHeader('X-ClickHouse-Server-Display-Name', 'tcptrail-embedded');
  response.setHeader('X-ClickHouse-Timezone', 'UTC');
  if (queryId !== undefined)
    response.setHeader('X-ClickHouse-Query-Id', queryId.replace(/[^\x20-\x7e]/g, '?'));
}

/** chdb reports the rows of the result, not those read for it; both figures are that one. */
function summary(answer: Answer): Record<string, string> {
  return {
    read_rows: String(answer.rowsRead),
    read_bytes: '0',
    ...(answer.rowsWritten === undefined ? {} : { written_rows: String(answer.rowsWritten) }),
    ...(answer.bytesWritten === undefined ? {} : { written_bytes: String(answer.bytesWritten) }),
    total_rows_to_read: '0',
    result_rows: String(answer.rowsRead),
    result_bytes: '0',
    elapsed_ns: String(Math.round(answer.elapsedSeconds * 1e9)),
  };
}

function contentType(format: string): string {
  return CONTENT_TYPES.find(([pattern]) => pattern.test(format))?.[1] ?? 'text/plain; charset=UTF-8';
}
