import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KIT_PREDICATE_TYPE } from '@packs/contracts';
import { canonicalJson, sha256 } from '@packs/domain';
import { KeyFileSigner } from '@packs/sigstore';
import { aKit } from '@packs/testing';
import { runStella, type Run } from '../../../testing/run-cli';

describe('stella pack mirror verify', () => {
  let dir: string;
  let file: string;
  let kit: Buffer;

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'stella-kit-'));
    file = path.join(dir, 'kit.tar');
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(path.join(dir, 'hq.pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    writeFileSync(path.join(dir, 'hq.key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(path.join(dir, 'other.pub.pem'), other.publicKey.export({ type: 'spki', format: 'pem' }));
    const made = await aKit({ packs: [{}, { packId: 'acme.other' }] });
    kit = await made.bytes();
    const signer = await KeyFileSigner.open(path.join(dir, 'hq.key.pem'));
    const subjects = [
      { name: 'kit.tar', digest: sha256(kit) },
      { name: 'manifest.json', digest: sha256(canonicalJson(made.manifest)) },
    ];
    writeFileSync(file, kit);
    writeFileSync(`${file}.sigstore.json`, await signer.sign({ subjects, predicateType: KIT_PREDICATE_TYPE, predicate: {} }));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const verify = (key = 'hq'): Promise<Run> =>
    runStella(['pack', 'mirror', 'verify', file, '--key', path.join(dir, `${key}.pub.pem`), '--output', 'json']);

  it('tells what a good kit is and who signed it, without a registry', async () => {
    const { code, stdout } = await verify();
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      { verified: true, tenant: 'acme', generation: 7, versions: 2, signedBy: { name: 'hq' } },
    ]);
  });

  it.each<[what: string, code: string, key: string, damage: () => void]>([
    ['signed by somebody else', 'ERR_KIT_SIGNER', 'other', () => undefined],
    ['without its signature', 'ERR_KIT_UNSIGNED', 'hq', () => rmSync(`${file}.sigstore.json`)],
    ['cut short', 'ERR_KIT_TRUNCATED', 'hq', () => writeFileSync(file, kit.subarray(0, 3000))],
    [
      'with a flipped byte',
      'ERR_KIT_DIGEST',
      'hq',
      () => writeFileSync(file, Buffer.concat([kit.subarray(0, 600), Buffer.of((kit[600] ?? 0) ^ 1), kit.subarray(601)])),
    ],
    ['that is none', 'ERR_KIT_FORMAT', 'hq', () => writeFileSync(file, 'x'.repeat(2000))],
  ])('refuses a kit %s', async (_what, expected, key, damage) => {
    damage();
    const { code, stderr } = await verify(key);
    expect([code, stderr]).toEqual([6, expect.stringContaining(`[${expected}]`)]);
  });
});
