/** Connections to brokers: TLS as the section `kafka.tls` wants it, with the files as they are at that moment. */
import { X509Certificate } from 'node:crypto';
import { connect, isIP, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import { datesOf } from './certificate-dates.ts';
import type { KafkaConfig } from './config.ts';
import { keepUpWith, type OnUnfit } from './kept.ts';
import { readNamed, unfit } from './named-file.ts';
import { hostOf } from './seeds.ts';

// Imported, it reads all certificates that Node.js brings along.
const tls = process.getBuiltinModule('node:tls');

const KEEP_ALIVE_MS = 60_000;

type TlsConfig = KafkaConfig['tls'];

/** Makes the sockets to all brokers. Throws KAFKA_FILE. */
export function createSockets(config: TlsConfig, { onUnfit }: { readonly onUnfit: OnUnfit }): ISocketFactory {
  const contextNow = config.enabled ? keptContext(config, onUnfit) : undefined;
  return ({ host: seed, port, onConnect }): Socket => {
    const host = hostOf(seed);
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = contextNow
      ? tls.connect({ host, port, ...name, secureContext: contextNow() }, onConnect)
      : connect({ host, port }, onConnect);
    return socket.setKeepAlive(true, KEEP_ALIVE_MS);
  };
}

function keptContext(config: TlsConfig, onUnfit: OnUnfit): () => SecureContext {
  const files = [config.caFile, config.certFile, config.keyFile].filter((file) => file !== '');
  let isFirst = true;
  return keepUpWith(files, {
    read() {
      const context = contextOf(config);
      // Whether the first one will do is for the brokers to say; a later one must be no worse than the former.
      if (!isFirst) assertValid(config.certFile);
      isFirst = false;
      return context;
    },
    onUnfit,
  });
}

function assertValid(certFile: string): void {
  const dates = datesOf(certFile);
  if (dates !== '') throw unfit(`kafka.tls.certFile ${certFile} is of no use: ${dates}; renew it`);
}

function contextOf({ caFile, certFile, keyFile }: TlsConfig): SecureContext {
  const ca = pem('kafka.tls.caFile', caFile);
  const cert = pem('kafka.tls.certFile', certFile);
  const key = pem('kafka.tls.keyFile', keyFile);
  // An authority that is none would be passed over in silence.
  if (ca) tried(`kafka.tls.caFile ${caFile} holds no certificate`, () => new X509Certificate(ca));
  if (cert) tried(`kafka.tls.certFile ${certFile} holds no certificate`, () => new X509Certificate(cert));
  if (key?.includes('ENCRYPTED PRIVATE KEY'))
    throw unfit(
      `kafka.tls.keyFile ${keyFile} is encrypted; give one without a passphrase, readable for tcptrail alone`,
    );
  const files = `kafka.tls.certFile ${certFile} and keyFile ${keyFile}`;
  return tried(`${files} are no pair`, () =>
    tls.createSecureContext({ ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }),
  );
}

function tried<T>(what: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw unfit(`${what} (${code}); give PEM files that go together`, error);
  }
}

function pem(key: string, path: string): Buffer | undefined {
  return path === '' ? undefined : readNamed(key, path);
}
