/** The guest's whole file system: this machine's Node.js, libbpf and network tools, and the working tree. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { modulesOf, type Packages } from './node-modules.ts';
import { librariesOf, libraryPath, programPath } from './shared-libraries.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Where the tree stands in the guest. */
const TREE = 'tcptrail';
const PROGRAMS = ['ip', 'tc', 'nft', 'ss', 'nsenter', 'setpriv'];
/** As merged in Debian; programs and libraries then stand where they think they do. */
const LINKS = { bin: 'usr/bin', sbin: 'usr/sbin', lib: 'usr/lib', lib64: 'usr/lib64' } as const;
const FOLDERS = ['dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'root', 'modules', 'var'];
const ETC = {
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
} as const;

/** Everything but the kernel's modules, as a cpio archive at `archive`; `further`: folder in the guest → folder here. */
export function buildBase(
  { folder, archive }: { readonly folder: string; readonly archive: string },
  further: Readonly<Record<string, string>>,
): void {
  for (const name of Object.values(LINKS)) mkdirSync(join(folder, name), { recursive: true });
  for (const [name, target] of Object.entries(LINKS)) symlinkSync(target, join(folder, name));
  for (const name of FOLDERS) mkdirSync(join(folder, name), { recursive: true });
  for (const [name, text] of Object.entries(ETC)) writeFileSync(join(folder, name), text);
  const programs = PROGRAMS.map(programPath);
  const libbpf = libraryPath('libbpf.so.1');
  const put = (from: string, to: string): void => {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    copyFileSync(from, join(folder, to));
  };
  put(programPath('busybox'), 'usr/bin/busybox');
  symlinkSync('busybox', join(folder, 'usr/bin/sh'));
  put(process.execPath, 'usr/bin/node');
  for (const program of programs) put(program, `usr/sbin/${basename(program)}`);
  for (const library of [libbpf, ...librariesOf([process.execPath, libbpf, ...programs])])
    put(library, library);
  put(join(import.meta.dirname, 'guest/init'), 'init');
  chmodSync(join(folder, 'init'), 0o755);
  copyTree(join(folder, TREE));
  for (const [to, from] of Object.entries(further)) cpSync(from, join(folder, to), { recursive: true });
  pack(folder, archive);
}

/** The modules as a cpio archive to stand behind the base, numbered in the order of loading. */
export function buildModules(
  modules: readonly string[],
  { folder, archive }: { readonly folder: string; readonly archive: string },
): void {
  mkdirSync(join(folder, 'modules'), { recursive: true });
  for (const [index, file] of modules.entries()) {
    const name = `${String(index).padStart(3, '0')}-${basename(file)}`;
    copyFileSync(file, join(folder, 'modules', name));
    if (name.endsWith('.xz')) execFileSync('xz', ['--decompress', join(folder, 'modules', name)]);
  }
  pack(folder, archive);
}

/** What git knows or would add, and the npm packages of the agent and of the guest's tests. */
function copyTree(to: string): void {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  for (const file of listed.split('\0').filter((name) => name !== '' && existsSync(join(ROOT, name))))
    cpSync(join(ROOT, file), join(to, file), { recursive: true });
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Packages;
  };
  for (const place of modulesOf(packages, ['@tcptrail/agent', '@tcptrail/local-kafka', 'avsc']))
    cpSync(join(ROOT, place), join(to, place), { recursive: true, verbatimSymlinks: true });
}

function pack(folder: string, archive: string): void {
  const script = 'find . | cpio --quiet --create --format=newc --owner=0:0 >"$0"';
  execFileSync('sh', ['-c', script, archive], { cwd: folder });
}
