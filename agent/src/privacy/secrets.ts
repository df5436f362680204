/**
 * What is recognised as a secret in a command line whose arguments are parted by NUL. Of each match group 1 is the
 * secret, or all of it where there is no group; a value is its whole argument, blanks included.
 *
 * The patterns are bounded and never try a text in two ways, so V8's own engine runs them.
 */

const NAMES = [
  'pass(?:word|wd|phrase|code)?',
  'pwd',
  'secret',
  'token',
  'bearer',
  'credentials?',
  'signature',
  '(?:api|access|private|secret|encryption|signing|auth|account|master|shared)[-_.]?key',
].join('|');

/** Wherever they stand. One that is not recognised is recorded: docs/privacy.md says which are. */
export const SECRETS: readonly RegExp[] = [
  // --password=…, DB_PASSWORD=…, -Dauth.token=…, {"secret": …}, &client_secret=…
  new RegExp(`(?:${NAMES})[\\w.-]{0,64}["']?\\s{0,8}[=:]\\s{0,8}([^\\0]+)`, 'gi'),
  // --password …, as the next argument or behind a blank; --password-stdin takes none.
  new RegExp(
    `(?<=^|[\\0\\s])-{1,2}[\\w.-]{0,64}?(?:${NAMES})[\\w.-]{0,64}(?<!-stdin)(?:\\0|[ \\t]{1,8})([^\\0]+)`,
    'gi',
  ),
  // aws configure set aws_secret_access_key …
  /\baws_(?:secret_access_key|session_token)[\0\s]([^\0]+)/g,
  // https://user:password@host, https://token@host; of a password with @ in it the last one ends it.
  /[a-z][a-z0-9+.-]{0,32}:\/\/([^/?#\0\s]{1,1024})@/gi,
  /[?&]sig=([^\0]+)/gi,
  /(?:authorization|cookie)["']?\s{0,8}[=:]\s{0,8}([^\0]+)/gi,
  /\b(?:bearer|basic)[ \t]{1,8}([^\0\s]+)/gi,
  // Keys that are known by how they begin: AWS, JSON web tokens, GitHub, GitLab, Slack, Stripe, Google, npm, Vault.
  /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g,
  /\beyJ[\w-]{8,2048}\.[\w-]{8,4096}(?:\.[\w-]{0,2048})?/g,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|[rs]k_live_|sk-|AIza|npm_|hvs\.)[\w.-]{16,512}/g,
  /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^\0]*/g,
];

/** Secrets that stand behind the name of a program, in arguments of its own or in those of a shell. */
export interface OfProgram {
  /** Ends before the first option. */
  readonly program: RegExp;
  readonly secrets: readonly RegExp[];
}

/** Options of a letter may stand behind others that take no value, as in -sSu. */
const CURL_FLAGS = '[0-46aBfgGiIjJklLMnNOpqRsSvVZ#]{0,32}';
const MYSQL_FLAGS = '[AbBCEfGHijlLnNqrstTUvVwW]{0,32}';

/** Anything at all that stands behind an option of these letters. */
const behind = (options: string): RegExp => new RegExp(`(?<=[\\0\\s])(?:${options})[\\0\\s=]?([^\\0]+)`, 'g');
/** user:password@host without a scheme. */
const USER_INFO = /(?<=[\0\s"'])[^\0\s:/@]{1,256}:([^/?#\0\s]{1,256})@/g;

export const PROGRAMS: readonly OfProgram[] = [
  {
    program: named('curl'),
    secrets: [
      behind(`-${CURL_FLAGS}[uUb]|--(?:proxy-)?user(?=[\\0\\s=])|--cookie(?=[\\0\\s=])`),
      // The password of a certificate's key.
      new RegExp(
        `(?<=[\\0\\s])(?:-${CURL_FLAGS}E|--(?:proxy-)?cert(?=[\\0\\s]))[\\0\\s]?[^\\0\\s:]{1,1024}:([^\\0]+)`,
        'g',
      ),
      USER_INFO,
    ],
  },
  { program: named('wget'), secrets: [USER_INFO] },
  // docker, podman, helm registry, oc, az, cf
  { program: named('login'), secrets: [behind('-p')] },
  // A blank behind -p would ask for it.
  {
    program: named('(?:mysql|mariadb)[\\w-]{0,32}'),
    secrets: [new RegExp(`(?<=[\\0\\s])-${MYSQL_FLAGS}p([^\\0\\s][^\\0]*)`, 'g')],
  },
  { program: named('(?:sshpass|cqlsh|mongo[a-z]{0,16})'), secrets: [behind('-p')] },
  { program: named('(?:redis|valkey)-cli'), secrets: [behind('-a')] },
  { program: named('(?:https?|xhs?)'), secrets: [behind('-a|--auth(?=[\\0\\s=])')] },
  { program: named('ldap[a-z]{1,16}'), secrets: [behind('-w')] },
  { program: named('(?:sqlcmd|bcp|ipmitool|zip|unzip)'), secrets: [behind('-P')] },
  { program: named('snmp[a-z]{1,16}'), secrets: [behind('-[cAX]')] },
  { program: named('7z[arz]?'), secrets: [/(?<=[\0\s])-p([^\0\s][^\0]*)/g] },
  {
    program: named('(?:smbclient|rpcclient|lftp)'),
    secrets: [/(?<=[\0\s])(?:-[uU]|--user)[\0\s=]?[^\0\s%,]{1,256}[%,]([^\0]+)/g],
  },
  { program: named('sqlplus'), secrets: [/(?<=[\0\s])[^\0\s/@-][^\0\s/@]{0,255}\/([^\0\s@]{1,256})/g] },
];

/** At the beginning, as an argument, or as a word of one. */
function named(name: string): RegExp {
  return new RegExp(`(?:^|[\\0\\s/;&|(\`"'])${name}(?=[\\0\\s])`);
}
