/** Completion scripts, made of the commands themselves. */

import { EVENT_KINDS, VERDICTS } from '@tcptrail/schemas/enums.ts';
import { questionNames } from '@tcptrail/schemas/questions.ts';
import type { Command, Option } from 'commander';
import { FORMATS } from './ask/command.ts';
import { cliError } from './errors.ts';

/** Values that an option takes; a file where the option names one. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  '--kind': EVENT_KINDS.slice(1),
  '--verdict': VERDICTS,
  '--format': FORMATS,
};
const FILES = new Set(['--config', '--password-file', '--reader-password-file', '--output']);
const FOLDERS = new Set(['--home', '--path']);
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  completion: ['bash', 'zsh'],
  ask: questionNames(),
};

/** The script for `shell`. Throws CLI_USAGE for a shell other than bash and zsh. */
export function completion(shell: string, program: Command): string {
  if (shell === 'bash') return bash(program);
  if (shell === 'zsh') return zsh(program);
  throw cliError('CLI_USAGE', [`no completion for ${shell}; known are bash and zsh`, 'tcptrail completion']);
}

const flagsOf = (option: Option): readonly string[] =>
  [option.short, option.long].filter((flag) => typeof flag === 'string');
const optionsOf = (command: Command): readonly Option[] => [...command.options, help(command)];

function help(command: Command): Option {
  return command.createOption('-h, --help', 'print this help');
}

function bash(program: Command): string {
  const cases = program.commands.map((command) => {
    const within = command.commands.map((inner) => `${inner.name()}) ${wordsFor(inner)} ;;`).join(' ');
    const deeper =
      within === '' ? '' : `; [ "$COMP_CWORD" -gt 2 ] && case \${COMP_WORDS[2]} in ${within} esac`;
    return `    ${command.name()}) ${wordsFor(command)}${deeper} ;;`;
  });
  const values = Object.entries(VALUES).map(
    ([flag, all]) => `    ${flag}) COMPREPLY=($(compgen -W '${all.join(' ')}' -- "$current")); return ;;`,
  );
  const top = [
    ...program.commands.map((command) => command.name()),
    ...program.options.flatMap(flagsOf),
    '--help',
  ];
  return `# tcptrail completion for bash: source <(tcptrail completion bash)
_tcptrail() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words='${top.join(' ')}'
  case $before in
    ${[...FILES].join('|')}) compopt -o filenames; COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${[...FOLDERS].join('|')}) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")); return ;;
${values.join('\n')}
  esac
  [ "$COMP_CWORD" -gt 1 ] && case \${COMP_WORDS[1]} in
${cases.join('\n')}
    *) words='' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _tcptrail tcptrail
`;
}

/** What may follow `command`: its commands, its options, the values of its argument. */
function wordsFor(command: Command): string {
  const inner = command.commands.map((each) => each.name());
  const words = [...inner, ...optionsOf(command).flatMap(flagsOf), ...(ARGUMENTS[command.name()] ?? [])];
  return `words='${words.join(' ')}'`;
}

function zsh(program: Command): string {
  const commands = program.commands.map((command) => `    ${described(command)}`);
  const cases = program.commands.map((command) => {
    if (command.commands.length === 0) return `    ${command.name()}) ${argumentsOf(command)} ;;`;
    const inner = command.commands.map((each) => `${each.name()}) ${argumentsOf(each)} ;;`).join(' ');
    const names = command.commands.map(described).join(' ');
    return `    ${command.name()})
      local -a inner=(${names})
      if (( CURRENT == 2 )); then _describe command inner; return; fi
      command=\${words[2]}
      shift words
      (( CURRENT-- ))
      case $command in ${inner} esac ;;`;
  });
  return `#compdef tcptrail
# tcptrail completion for zsh: tcptrail completion zsh > "\${fpath[1]}/_tcptrail"
_tcptrail() {
  local -a commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=\${words[2]}
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _tcptrail ]; then _tcptrail "$@"; else compdef _tcptrail tcptrail; fi
`;
}

const described = (command: Command): string =>
  `'${command.name()}:${quoted(command.summary() || command.description())}'`;

function argumentsOf(command: Command): string {
  const options = optionsOf(command).flatMap((option) =>
    flagsOf(option).map((flag) => `'${flag}[${quoted(option.description)}]${valueAfter(option)}'`),
  );
  const args = ARGUMENTS[command.name()];
  const rest = args ? [`'1:argument:(${args.join(' ')})'`] : [];
  return `_arguments ${[...options, ...rest].join(' ')}`;
}

function valueAfter(option: Option): string {
  const flag = option.long ?? '';
  if (!option.required) return '';
  if (FILES.has(flag)) return ':file:_files';
  if (FOLDERS.has(flag)) return ':folder:_files -/';
  const values = VALUES[flag];
  return values ? `:value:(${values.join(' ')})` : ':value:';
}

/** Text inside single quotes and _arguments' brackets. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''").replace(/[[\]:\\](?!')/g, (character) => `\\${character}`);
}
