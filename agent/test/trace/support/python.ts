/** Real connections made by a separate process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Peer {
  readonly pid: number;
  /** The next line of JSON that the script prints. */
  line<T>(): Promise<T>;
  /** Sends a line to the script. */
  tell(text: string): void;
  /** Resolves when the script ends; rejects when it failed. */
  ended(): Promise<void>;
  kill(): void;
}

const PRELUDE = `
import json, os, select, socket, struct, sys, threading, time
def say(value): print(json.dumps(value), flush=True)
def hear(): return sys.stdin.readline().strip()
def listener(address='127.0.0.1', family=socket.AF_INET, backlog=128, port=0):
    s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port)); s.listen(backlog); return s
def linger0(s): s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
def read_all(s):
    n = 0
    while True:
        b = s.recv(65536)
        if not b: return n
        n += len(b)
`;

/** Runs `script` under python3; \`say\`, \`hear\`, \`listener\`, \`linger0\`, \`read_all\` are there for it. */
export function python(script: string, options: { namespace?: string; args?: readonly string[] } = {}): Peer {
  const command = ['python3', '-c', PRELUDE + script, ...(options.args ?? [])];
  const all = options.namespace ? ['ip', 'netns', 'exec', options.namespace, ...command] : command;
  const child: ChildProcess = spawn(all[0] ?? '', all.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = child.stdout ? createInterface({ input: child.stdout })[Symbol.asyncIterator]() : undefined;
  const ended = new Promise<void>((resolve, reject) => {
    child.on('exit', (code, signal) => {
      if (code === 0 || signal === 'SIGKILL') resolve();
      else reject(new Error(`python3 ended with ${code ?? signal}`));
    });
  });
  ended.catch(() => {});
  return {
    pid: child.pid ?? 0,
    async line<T>() {
      const next = await lines?.next();
      if (!next || next.done) throw new Error('the script ended early');
      return JSON.parse(next.value) as T;
    },
    tell: (text) => void child.stdin?.write(`${text}\n`),
    ended: () => ended,
    kill: () => void child.kill('SIGKILL'),
  };
}
