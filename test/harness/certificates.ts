/** Certificates of a test's own, made by openssl: an authority and what it signs, in a folder of the caller's. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** Key and certificate in one file, as Kafka reads a PEM keystore. */
  readonly storeFile: string;
}

export interface Authority {
  readonly caFile: string;
  /** For CN=`name` and `san`; signed yesterday's way when it is to have expired. */
  issue(name: string, options?: { readonly san?: string; readonly isExpired?: boolean }): Certificate;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function createAuthority(folder: string, name = 'ca'): Authority {
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const path = (file: string): string => join(folder, file);
  const subject = (of: string): string[] => ['-subj', `/CN=${of}`];
  openssl(
    'req',
    '-x509',
    ...KEY,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
    '-days',
    '2',
    ...subject(name),
  );
  return {
    caFile: path(`${name}.pem`),
    issue(of, { san = 'IP:127.0.0.1', isExpired = false } = {}) {
      openssl('req', ...KEY, '-keyout', `${of}.key`, '-out', `${of}.csr`, ...subject(of));
      writeFileSync(path(`${of}.ext`), `subjectAltName=${san}`);
      const by = ['-CA', `${name}.pem`, '-CAkey', `${name}.key`, '-CAcreateserial'];
      const until = ['-days', isExpired ? '-1' : '2', '-extfile', `${of}.ext`];
      openssl('x509', '-req', '-in', `${of}.csr`, '-out', `${of}.pem`, ...by, ...until);
      const [keyFile, certFile, storeFile] = [path(`${of}.key`), path(`${of}.pem`), path(`${of}.store`)];
      writeFileSync(storeFile, readFileSync(keyFile, 'utf8') + readFileSync(certFile, 'utf8'));
      return { certFile, keyFile, storeFile };
    },
  };
}

/** Properties of a listener of a local Kafka that shows `store`, and trusts clients that `caFile` signed. */
export function tlsListener(
  name: string,
  { store, caFile, auth }: { store: Certificate; caFile: string; auth: 'required' | 'none' },
): Record<string, string> {
  const prefix = `listener.name.${name.toLowerCase()}.ssl`;
  return {
    [`${prefix}.client.auth`]: auth,
    [`${prefix}.keystore.type`]: 'PEM',
    [`${prefix}.keystore.location`]: store.storeFile,
    [`${prefix}.truststore.type`]: 'PEM',
    [`${prefix}.truststore.location`]: caFile,
  };
}
