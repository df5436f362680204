/** One actor's commands out and answers in, in order. */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Reply } from './reply.ts';

export interface Channel {
  /** Sends a command and resolves with its answer; rejects when the actor ends first. */
  ask(command: string): Promise<Reply>;
  /** The actor reads the end of its commands, and exits. */
  end(): void;
  /** Resolves when nobody can answer any more. */
  readonly closed: Promise<void>;
}

/** The program of an actor is gone, and a call that was under way with it. */
export class ActorEnded extends Error {}

export function createChannel(commands: Writable, answers: Readable): Channel {
  const waiting: { resolve(reply: Reply): void; reject(error: Error): void; command: string }[] = [];
  let isClosed = false;
  const lines = createInterface({ input: answers });
  commands.on('error', () => {});
  answers.on('error', () => {});
  lines.on('line', (line) => waiting.shift()?.resolve(JSON.parse(line) as Reply));
  lines.on('close', () => {
    isClosed = true;
    for (const { reject, command } of waiting.splice(0))
      reject(new ActorEnded(`the actor ended: ${command}`));
  });

  const closed = new Promise<void>((resolve) => lines.once('close', resolve));
  const answer = (command: string): Promise<Reply> =>
    new Promise((resolve, reject) => {
      if (isClosed) reject(new ActorEnded(`the actor has ended: ${command}`));
      else waiting.push({ resolve, reject, command });
    });

  return {
    async ask(command) {
      commands.write(`${command}\n`);
      const reply = await answer(command);
      if (reply.unknown !== undefined) throw new Error(`unknown command: ${command}`);
      return reply;
    },
    end: () => commands.end(),
    closed,
  };
}
