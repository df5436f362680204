/** Whether a part could listen where it is asked to. */
import { createServer } from 'node:net';
import { cliError, reasonOf } from '../errors.ts';
import { holderOf } from './port-holder.ts';

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Option that chooses another port. */
  readonly option: string;
}

/** Throws CLI_PORT_TAKEN, with the process that has it where it can be seen, or CLI_ADDRESS_UNUSABLE. */
export async function assertPortFree({ host, port, option }: Listener): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, resolve);
    });
  } catch (error) {
    const address = `${host}:${port}`;
    const reason = reasonOf(error);
    if (reason !== 'EADDRINUSE')
      throw cliError('CLI_ADDRESS_UNUSABLE', [address, reason, option], { cause: error });
    const holder = holderOf(port);
    throw cliError('CLI_PORT_TAKEN', [address, holder === undefined ? '' : ` by ${holder}`, option], {
      cause: error,
    });
  } finally {
    await new Promise((done) => server.close(done));
  }
}
