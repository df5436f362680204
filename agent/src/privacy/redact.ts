/**
 * Secrets in command lines. Of each match group 1 is replaced, or all of it where there is no group. Arguments are
 * parted by NUL, as /proc has them: a value is its whole argument, blanks included.
 *
 * The patterns here are bounded and never try a text in two ways, so V8's own engine runs them. Those of a
 * configuration run in RE2's, whose time grows with the text alone, whatever the pattern.
 */
import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';

const REDACTED = '(redacted)';
/** Looked at of a command line. */
const CHARS_MAX = 8_192;

const NAMES =
  'pass(?:word|wd|phrase|code)?|pwd|secret|token|api[-_.]?key|access[-_.]?key|private[-_.]?key|credentials?';

/** A secret that is not recognised is recorded: docs/privacy.md says which are. */
const SECRETS: readonly RegExp[] = [
  // --password=…, DB_PASSWORD=…, -Dauth.token=…, {"secret": …}
  new RegExp(`(?:${NAMES})[\\w.-]{0,64}["']?\\s{0,8}[=:]\\s{0,8}([^\\0]+)`, 'gi'),
  // --password …, as the next argument or behind a blank
  new RegExp(`(?<=^|[\\0\\s])-{1,2}[\\w.-]{0,64}?(?:${NAMES})[\\w.-]{0,64}(?:\\0|[ \\t]+)([^\\0]+)`, 'gi'),
  // https://user:password@host, https://token@host
  /[a-z][a-z0-9+.-]{0,32}:\/\/([^/\0\s@]{1,1024})@/gi,
  /\bauthorization["']?\s{0,8}[=:]\s{0,8}([^\0]+)/gi,
  /\b(?:bearer|basic)[ \t]{1,8}([^\0\s]+)/gi,
  // Keys that are known by how they begin: AWS, JSON web tokens, GitHub, GitLab, Slack, Stripe, Google, npm.
  /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g,
  /\beyJ[\w-]{8,2048}\.[\w-]{8,4096}(?:\.[\w-]{0,2048})?/g,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|[rs]k_live_|sk-|AIza|npm_)[\w.-]{16,512}/g,
  /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^\0]*/g,
  // Options of a letter, of the programs that take a secret with them.
  /^(?:[^\0]*\/)?(?:mysql|mariadb)[\w-]*\0(?:[^\0]*\0)*?-p([^\0]+)/g,
  /^(?:[^\0]*\/)?sshpass\0(?:[^\0]*\0)*?-p\0?([^\0]+)/g,
  /^(?:[^\0]*\/)?redis-cli\0(?:[^\0]*\0)*?-a\0([^\0]+)/g,
  /^(?:[^\0]*\/)?(?:curl|wget)\0(?:[^\0]*\0)*?(?:-u|-U|--user|--proxy-user)[\0=]?([^\0]+)/g,
];

type Replace = (args: string) => string;

/** Whether RE2 takes it: no look-around and no back references, which would cost more than linear time. */
export function isPattern(text: string): boolean {
  try {
    engine().compile(text);
    return true;
  } catch {
    return false;
  }
}

/** `further`: each as `isPattern` has it. Gives the line that is recorded of arguments parted by NUL. */
export function createRedaction(further: readonly string[]): Replace {
  const replaces = [...SECRETS.map(byRegExp), ...further.map((text) => byPattern(engine().compile(text)))];
  return (args) => {
    let text = whole(args).replace(/\0+$/, '');
    for (const replace of replaces) text = replace(text);
    return text.replaceAll('\0', ' ');
  };
}

/** An argument that was cut off could be half of a secret. */
function whole(args: string): string {
  if (args.length <= CHARS_MAX) return args;
  return args.slice(0, Math.max(0, args.lastIndexOf('\0', CHARS_MAX)));
}

/** Its group, where there is one, stands at the end of the match or before one character. */
function byRegExp(pattern: RegExp): Replace {
  return (text) =>
    text.replace(pattern, (match: string, group: unknown) => {
      if (typeof group !== 'string') return REDACTED;
      const at = match.lastIndexOf(group);
      return match.slice(0, at) + REDACTED + match.slice(at + group.length);
    });
}

function byPattern(pattern: RE2JS): Replace {
  const group = pattern.groupCount() > 0 ? 1 : 0;
  return (text) => {
    const matcher = pattern.matcher(text);
    let replaced = '';
    let from = 0;
    while (matcher.find()) {
      const [start, end] = [matcher.start(group), matcher.end(group)];
      // A group that took no part, and a match of nothing.
      if (start < from || end <= start) continue;
      replaced += text.slice(from, start) + REDACTED;
      from = end;
    }
    return replaced + text.slice(from);
  };
}

/** Loaded late: it takes 4 MB, and few need it. */
function engine(): typeof RE2JS {
  return (createRequire(import.meta.url)('re2js') as { RE2JS: typeof RE2JS }).RE2JS;
}
