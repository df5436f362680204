/** Calls that no process makes itself: io_uring, and its workers. */
import { closeInTurn } from '../play.ts';
import { type Scenario, scenario } from '../scenario.ts';

const MODES = [
  { name: 'io_uring', mode: '', what: '' },
  { name: 'io_uring_async', mode: ' async', what: ', made by its workers' },
] as const;

export const URING: readonly Scenario[] = MODES.map(({ name, mode, what }) =>
  scenario(name, `connect, accept, send and receive through io_uring${what}`, ['io_uring'], async (t) => {
    const network = await t.network();
    const [serverActor, user] = [await network.actor(), await network.actor()];
    const listener = await t.listen(serverActor, '127.0.0.1');
    const client = await user.socket();
    const { errno } = await client.connect(
      { address: '127.0.0.1', port: listener.listening?.local.port ?? 0 },
      `uring_connect${mode}`,
    );
    if (errno !== 0) throw new Error(`connect: errno ${errno}`);
    const accepted = await listener.accept(`uring_accept${mode}`);
    const server = t.known(accepted, listener, client);
    await client.send(3_000, `uring_send${mode}`);
    await server.receive(3_000, `uring_receive${mode}`);
    await server.send(5_000, `uring_send${mode}`);
    await client.receive(5_000, `uring_receive${mode}`);
    await closeInTurn(t, { client, server, listener });
  }),
);
