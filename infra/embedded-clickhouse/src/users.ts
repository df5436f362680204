import { createHash, timingSafeEqual } from 'node:crypto';
import { ClickHouseException } from './exception.ts';

/** `default` may do everything, `reader` may read the tables. */
export type User = 'default' | 'reader';

export interface Passwords {
  readonly password?: string;
  readonly readerPassword?: string;
}

/** Throws AUTHENTICATION_FAILED, with one text for every cause. */
export function authenticate(
  given: { readonly user: string; readonly password: string },
  passwords: Passwords,
): User {
  const { user, password } = given;
  const expected =
    user === 'default' ? passwords.password : user === 'reader' ? passwords.readerPassword : undefined;
  // A password on `default` alone must not leave the data open through `reader`.
  const isOpen = user === 'default' || (user === 'reader' && passwords.password === undefined);
  const matches = expected === undefined ? isOpen : isSame(password, expected);
  if ((user === 'default' || user === 'reader') && matches) return user;
  throw new ClickHouseException(
    'AUTHENTICATION_FAILED',
    `${user}: Authentication failed: password is incorrect, or there is no user with such name.`,
  );
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
