import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

/** A signing configuration that names no log and no clock keeps cosign 3 off the network. */
const OFFLINE = { mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json', rekorTlogConfig: {}, tsaConfig: {} };

const KEY_PAIRS = {
  ecdsa: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey,
  ed25519: () => generateKeyPairSync('ed25519').privateKey,
};

/** Runs releases of cosign in a folder of its own, which is their home as well. */
export class Cosign {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'packs-cosign-'));

  constructor() {
    this.write('offline.json', JSON.stringify(OFFLINE));
  }

  write(name: string, content: Uint8Array | string): void {
    writeFileSync(path.join(this.folder, name), content);
  }

  read(name: string): Buffer {
    return readFileSync(path.join(this.folder, name));
  }

  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** `<name>.key` without a passphrase, and `<name>.pub`. */
  async makeKey(program: string, name: string, type: keyof typeof KEY_PAIRS): Promise<void> {
    this.write(`${name}.pem`, KEY_PAIRS[type]().export({ type: 'pkcs8', format: 'pem' }));
    await this.run(program, 'import-key-pair', '--key', `${name}.pem`, '--output-key-prefix', name);
  }

  /** @throws Error with what it said, unless it ended well */
  async run(program: string, ...args: readonly string[]): Promise<void> {
    const env = {
      PATH: process.env['PATH'],
      HOME: this.folder,
      TUF_ROOT: path.join(this.folder, 'tuf'),
      COSIGN_PASSWORD: '',
      COSIGN_YES: 'true',
    };
    const child = spawn(program, args, { cwd: this.folder, env, stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 });
    const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    if (status !== 0) throw new Error(`cosign ${args[0]} ended with ${status}: ${said}`);
  }
}
