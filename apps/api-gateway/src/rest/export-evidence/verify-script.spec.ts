import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { VERIFY_SCRIPT } from './verify-script';

const hashOf = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('verify.sh', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'packs-evidence-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Evidence of a version with two signatures, `named` of which CHECKS names. */
  function verify(
    named: number,
    encode: (signature: Buffer) => string | Buffer = signature => signature,
  ): { code: number | null; said: string } {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const bundle = 'the bundle';
    const config = '{}';
    const manifest = JSON.stringify({ config: { digest: `sha256:${hashOf(config)}` }, layers: [{ digest: `sha256:${hashOf(bundle)}` }] });
    const signatures = [bundle, manifest].map(about => encode(sign('sha256', Buffer.from(about), privateKey)));
    const key = `keys/${hashOf(publicKey.export({ type: 'spki', format: 'der' }))}.pem`;
    const files: [string, string | Buffer][] = [
      ['artifact/bundle.tar.gz', bundle],
      ['artifact/config.json', config],
      ['artifact/manifest.json', manifest],
      ['audit/entries.jsonl', ''],
      ['audit/leaves.txt', ''],
      [key, publicKey.export({ type: 'spki', format: 'pem' })],
      ...signatures.map((bytes): [string, string | Buffer] => [`signatures/${hashOf(bytes)}.sig`, bytes]),
      ['evidence.json', JSON.stringify({ digest: `sha256:${hashOf(bundle)}`, manifestDigest: `sha256:${hashOf(manifest)}`, verdicts: [] })],
      [
        'CHECKS',
        signatures
          .slice(0, named)
          .map(bytes => `key\tsignatures/${hashOf(bytes)}.sig\t${key}\tecdsa-p256-sha256\n`)
          .join(''),
      ],
      ['verify.sh', VERIFY_SCRIPT],
    ];
    for (const [name, content] of files) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    writeFileSync(join(folder, 'SHA256SUMS'), files.map(([name, content]) => `${hashOf(content)}  ${name}\n`).join(''));
    const { status, stdout, stderr } = spawnSync('sh', [join(folder, 'verify.sh')], { env: { PATH: '/usr/bin:/bin' }, encoding: 'utf8' });
    return { code: status, said: stdout + stderr };
  }

  it('says that all is good when each signature was checked', () => {
    expect(verify(2)).toMatchObject({ code: 0, said: expect.stringMatching(/\nGOOD\n$/) as string });
  });

  it.each<[string, (bytes: Buffer) => string]>([
    ['in one', bytes => bytes.toString('base64')],
    ['in several', bytes => `${bytes.toString('base64').replace(/.{40}/g, '$&\n')}\n`],
  ])('reads signatures that are base64 text, %s line', (_, text) => {
    expect(verify(2, text)).toMatchObject({ code: 0, said: expect.stringMatching(/\nGOOD\n$/) as string });
  });

  it.each([1, 0])('says which signatures nobody was named for when CHECKS has %d of 2', named => {
    const { code, said } = verify(named);
    expect([code, said.match(/^left +signatures\/.* CHECKS does not say who made it$/gm)?.length]).toEqual([2, 2 - named]);
    expect(said).toMatch(/GOOD AS FAR AS IT WAS CHECKED\n$/);
  });
});
