/**
 * What files hold, read again when one of them changed: a renewed certificate or password needs no restart.
 *
 * Files that are unfit are told once, and what they held before stays.
 */
import { statSync } from 'node:fs';
import { reasonOf } from '@tcptrail/config/errors.ts';
import type { AppError } from '@tcptrail/schemas/app-error.ts';

export type OnUnfit = (error: AppError) => void;

/** Reads at once, and throws what `read` throws then; later errors of it go to `onUnfit`. */
export function keepUpWith<T>(
  files: readonly string[],
  { read, onUnfit }: { readonly read: () => T; readonly onUnfit: OnUnfit },
): () => T {
  // Before it is read: what changes meanwhile is another stamp.
  let seen = stampOf(files);
  let value = read();
  return () => {
    const stamp = stampOf(files);
    if (stamp === seen) return value;
    seen = stamp;
    try {
      value = read();
    } catch (error) {
      onUnfit(error as AppError);
    }
    return value;
  };
}

function stampOf(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
        return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
      } catch (error) {
        // Whoever reads it says so.
        return reasonOf(error);
      }
    })
    .join('\n');
}
