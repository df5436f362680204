/** A process of `programs/actor.c` that a scenario leads by the hand. */
import { spawn } from 'node:child_process';
import { readlinkSync, statSync, writeFileSync } from 'node:fs';
import { kill } from 'node:process';
import type { Duplex, Readable, Writable } from 'node:stream';
import { type Channel, createChannel } from './channel.ts';
import type { Process, Reply } from './reply.ts';
import { createSocket, type Family, type Socket } from './socket.ts';

/** Where actors come from. */
export interface Stage {
  /** Path of the actor's program, and of the same under another name. */
  readonly program: string;
  readonly understudy: string;
  /** Folder of the cgroup v2 for the scenario's processes; '' where none is mounted. */
  readonly cgroup: string;
  /** Path of the cgroup as processes see it. */
  readonly cgroupPath: string;
}

export interface Actor {
  /** As it is now: fork, exec, thread names and setuid change it. */
  readonly process: Process;
  /** Sends a command of `programs/*.c`; rejects when the process ends instead of answering. */
  ask(command: string): Promise<Reply>;
  /** As `ask`; throws when the call failed. */
  must(command: string): Promise<Reply>;
  socket(family?: Family, protocol?: 'mptcp'): Promise<Socket>;
  /** A socket that this process also has, as after fork or by SCM_RIGHTS, on its descriptor `fd`. */
  share(socket: Socket, fd?: number): Socket;
  /** At most two children; both share the sockets that this process has. */
  fork(): Promise<Actor>;
  /** The same process becomes another program, with arguments parted by blanks, keeping its descriptors. */
  exec(program: string): Promise<void>;
  /** Changes user or name by the command, and looks who it is then. */
  become(command: string): Promise<void>;
  kill(): Promise<void>;
  /** Resolves when it and its children are gone. `isStuck`: it may hang in a call, and is killed. */
  end(isStuck?: boolean): Promise<void>;
}

const CHILDREN_MAX = 2;

export async function startActor(stage: Stage, program = stage.program): Promise<Actor> {
  const child = spawn(program, [], {
    stdio: ['pipe', 'pipe', 'inherit', ...Array.from({ length: CHILDREN_MAX * 2 }, () => 'pipe' as const)],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  if (stage.cgroup !== '') writeFileSync(`${stage.cgroup}/cgroup.procs`, String(child.pid));
  const { stdio } = child as { stdio: readonly unknown[] };
  const spare = Array.from({ length: CHILDREN_MAX }, (_, index) => ({
    fds: `${3 + index * 2} ${4 + index * 2}`,
    channel: createChannel(stdio[3 + index * 2] as Duplex, stdio[4 + index * 2] as Duplex),
  }));
  const channel = createChannel(stdio[0] as Writable, stdio[1] as Readable);
  return await createActor(stage, { channel, spare, ended });
}

function signal(pid: number): void {
  try {
    kill(pid, 'SIGKILL');
  } catch {
    // It went by itself.
  }
}

interface Parts {
  readonly channel: Channel;
  readonly spare: { readonly fds: string; readonly channel: Channel }[];
  readonly ended: Promise<void>;
}

async function createActor(stage: Stage, { channel, spare, ended }: Parts): Promise<Actor> {
  async function whoami(): Promise<Process> {
    const told = (await channel.ask('whoami')) as unknown as Process;
    return {
      ...told,
      parent_executable: readlinkSync(`/proc/${told.parent}/exe`),
      cgroup_path: stage.cgroupPath,
      cgroup_id: stage.cgroup === '' ? 0 : statSync(stage.cgroup).ino,
    };
  }
  let process = await whoami();
  const children: Actor[] = [];
  let isGone = false;
  void ended.then(() => {
    isGone = true;
  });

  async function must(command: string): Promise<Reply> {
    const reply = await channel.ask(command);
    if (reply.errno !== 0) throw new Error(`${command}: errno ${reply.errno}`);
    return reply;
  }

  const actor: Actor = {
    get process() {
      return process;
    },
    ask: channel.ask,
    must,
    async socket(family = 'ipv4', protocol) {
      const { fd, cookie } = await must(`socket ${family} ${protocol ?? ''}`);
      return createSocket(actor, { fd, cookie, family, maker: process });
    },
    share: (socket, fd = socket.fd) => socket.asOf(actor, fd),
    async fork() {
      const child = spare.shift();
      if (!child) throw new Error(`an actor has ${CHILDREN_MAX} children at most`);
      await must(`fork ${child.fds}`);
      const forked = await createActor(stage, {
        channel: child.channel,
        spare: [],
        ended: child.channel.closed,
      });
      children.push(forked);
      return forked;
    },
    async exec(program) {
      const { errno } = await channel.ask(`exec ${program}`);
      if (errno) throw new Error(`exec ${program}: errno ${errno}`);
      process = await whoami();
    },
    async become(command) {
      await must(command);
      process = await whoami();
    },
    async kill() {
      await channel.ask('kill').catch(() => {});
    },
    async end(isStuck = false) {
      await Promise.all(children.map((forked) => forked.end(isStuck)));
      channel.end();
      if (isStuck && !isGone) signal(process.pid);
      for (const { channel: unused } of spare) unused.end();
      await ended;
    },
  };
  return actor;
}
