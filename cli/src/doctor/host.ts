/** What the agent needs of the machine, without loading anything. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { BPFFS } from '@tcptrail/agent/trace/mounts.ts';
import { lockdownMode, missingCapabilities } from '@tcptrail/agent/trace/requirements.ts';
import { type Need, surroundings } from '@tcptrail/agent/trace/surroundings.ts';
import { type Check, fail, ok, unsupported, warn } from './check.ts';

/** `disabledFile`: is there, and keeps the agent from starting. */
export function hostChecks(disabledFile: string | undefined): readonly Check[] {
  const rights = privileges();
  // Without rights the agent does not run at all.
  const around = rights.unsupported ? [] : surroundingChecks(surroundings());
  return [node(), rights, kernel(), btf(), lockdown(), ...around, clock(), disabled(disabledFile)].filter(
    (check) => check !== undefined,
  );
}

/** Each that is missing with what it costs; those that are there in one line. */
export function surroundingChecks(needs: readonly Need[]): readonly Check[] {
  const [met, missing] = [needs.filter(isMet), needs.filter((need) => !isMet(need))];
  const title = ({ name }: Need): string =>
    name.startsWith('cap_') ? name.toUpperCase() : name.replaceAll('_', ' ');
  return [
    ...(met.length === 0 ? [] : [ok('surroundings', met.map(title).join(', '))]),
    ...missing.map((need) => warn(title(need), `${need.problem}, which costs: ${need.cost}`, need.remedy)),
    ...(met.some(({ name }) => name === 'bpffs') ? [bpffs()] : []),
  ];
}

const isMet = ({ problem }: Need): boolean => problem === '';

function node(): Check {
  const version = process.versions.node;
  if (Number(version.split('.')[0]) >= 24) return ok('Node.js', version);
  return unsupported('Node.js', `${version} is too old`, "run 'make deps', which brings Node.js 24");
}

function privileges(): Check {
  const name = 'privileges';
  if (process.getuid?.() === 0) {
    const missing = missingCapabilities(read('/proc/self/status'));
    if (missing.length === 0) return ok(name, 'root');
    return unsupported(
      name,
      `root without ${missing.join(', ')}`,
      'give the container or unit these capabilities',
    );
  }
  return unsupported(
    name,
    'not root: the agent cannot load programs into the kernel',
    "run 'sudo tcptrail doctor'",
  );
}

function kernel(): Check {
  if (process.platform !== 'linux')
    return unsupported('kernel', `${process.platform} is no Linux`, 'use a Linux host');
  return ok('kernel', `Linux ${release()} on ${process.arch}`);
}

const BTF = '/sys/kernel/btf/vmlinux';

function btf(): Check {
  if (existsSync(BTF)) return ok('BTF', BTF);
  return unsupported(
    'BTF',
    `${BTF} is missing: this kernel was built without CONFIG_DEBUG_INFO_BTF`,
    'use a distribution kernel such as Debian 12, Ubuntu 22.04, RHEL 9 or Amazon Linux 2023',
  );
}

function disabled(file: string | undefined): Check | undefined {
  if (file === undefined) return undefined;
  const found = `${file} is there: the agent does not start, and none runs`;
  return warn('disabled', found, `to record this host, remove ${file}`);
}

function lockdown(): Check | undefined {
  const mode = lockdownMode(read('/sys/kernel/security/lockdown'));
  if (mode !== 'confidentiality') return undefined;
  return unsupported(
    'lockdown',
    'the kernel is locked down in confidentiality mode, which forbids reading kernel memory',
    'start the kernel with lockdown=integrity',
  );
}

function bpffs(): Check {
  const mounted = read('/proc/mounts')
    .split('\n')
    .some((line) => line.split(' ')[1] === BPFFS && line.split(' ')[2] === 'bpf');
  if (!mounted)
    return warn('bpffs', `${BPFFS} is not mounted; the agent mounts it`, `mount -t bpf bpf ${BPFFS}`);
  try {
    accessSync(BPFFS, constants.W_OK);
    return ok('bpffs', BPFFS);
  } catch {
    return fail('bpffs', `${BPFFS} is not writable`, 'run as root');
  }
}

function clock(): Check {
  const asked = spawnSync('timedatectl', ['show', '--property', 'NTPSynchronized', '--value'], {
    encoding: 'utf8',
  });
  const answer = asked.status === 0 ? asked.stdout.trim() : '';
  if (answer === 'yes') return ok('clock', 'synchronised');
  if (answer === 'no') {
    return warn(
      'clock',
      'not synchronised: times of several hosts do not compare',
      "start a time service, for instance 'timedatectl set-ntp true'",
    );
  }
  return ok('clock', `${new Date().toISOString()} (no timedatectl to ask whether it is synchronised)`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
