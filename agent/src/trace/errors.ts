/** Every operating error of the trace stage: code → exit code and sentence (what, value, remedy). */
import { AppError } from '@tcptrail/schemas/app-error.ts';

interface Entry {
  readonly exitCode: 1 | 3;
  readonly message: (detail: string) => string;
}

export const TRACE_ERRORS = {
  TRACE_NO_LIBBPF: {
    exitCode: 3,
    message: (reason) =>
      `cannot load libbpf.so.1 (${reason}); install the package libbpf1 (Debian) or libbpf (Fedora)`,
  },
  TRACE_PRIVILEGE: {
    exitCode: 3,
    message: (missing) =>
      `the agent lacks ${missing}; run it as root, or give it CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN`,
  },
  TRACE_USER_NAMESPACE: {
    exitCode: 3,
    message: (namespace) =>
      `the agent runs in a user namespace of its own (${namespace}), whose root has no rights over the kernel; give the container the host's (Docker: userns_mode: host)`,
  },
  TRACE_LOCKDOWN: {
    exitCode: 3,
    message: (mode) =>
      `the kernel is locked down in ${mode} mode, which forbids reading its memory; start it with lockdown=integrity`,
  },
  TRACE_NO_BTF: {
    exitCode: 3,
    message: (path) =>
      `this kernel has no type information at ${path}; use a kernel built with CONFIG_DEBUG_INFO_BTF`,
  },
  TRACE_OBJECT: {
    exitCode: 1,
    message: (detail) => `cannot read the BPF object ${detail}; run 'make bpf' or check out the tree again`,
  },
  TRACE_KERNEL: {
    exitCode: 3,
    message: (detail) => `${detail}; tcptrail needs Linux 5.12 or newer`,
  },
  TRACE_INTERRUPTED: {
    exitCode: 1,
    message: (program) => `the kernel was interrupted while verifying ${program} (EAGAIN); start again`,
  },
  TRACE_MAP: {
    exitCode: 1,
    message: (detail) =>
      `cannot map the kernel's ${detail}; make room in memory or lower ring.lifecycleBytes`,
  },
  TRACE_STATE_HELD: {
    exitCode: 1,
    message: (folder) =>
      `another agent goes on with the kernel state in ${folder}, perhaps one in a container; stop it, or give this one its own instance and spool.path`,
  },
  TRACE_STATE: {
    exitCode: 1,
    message: (lack) => `what an earlier run pinned is not whole: ${lack}; start again`,
  },
  TRACE_PIN: {
    exitCode: 1,
    message: (detail) =>
      `cannot open the pinned ${detail}; make room in memory or raise the limit of open files, what it holds stays for the next start`,
  },
} as const satisfies Record<string, Entry>;

export type TraceErrorCode = keyof typeof TRACE_ERRORS;

export function traceError(code: TraceErrorCode, detail: string, cause?: unknown): AppError {
  const { exitCode, message } = TRACE_ERRORS[code];
  return new AppError(code, message(detail), { cause, exitCode });
}
