import { sign, generateKeyPairSync } from 'node:crypto';
import type { ReplayFinding, ReplayRange, VerdictPlace } from '@packs/contracts';
import { canonicalJson, digestHex, MEDIA_TYPES, verdictHash, type Digest, type SigningPolicy, type Verdict } from '@packs/domain';
import { trustedKeyFromPem } from '@packs/sigstore';
import { aKeylessAuthority, aSigner, type KeylessAuthority } from '@packs/testing';
import { aBundle, aPolicy, MANIFEST } from '../evaluation/verifier.fixture';
import { ArchivedRegistry } from './archived-registry.fixture';

const WHO = { issuer: 'https://authority.test', identity: 'https://ci.test/release' };
const [release, next, stranger] = [aSigner('release'), aSigner('next'), aSigner('stranger')];
const ABOUT = (version: string) => ({ packId: 'acme.hello', version });
const bundleOf = (version: string): Buffer => aBundle(MANIFEST.replace('1.0.0', version));

/** A DSSE envelope over a statement about a bundle, by a key of its own. */
function anAttestation(subject: Digest) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const [type, statement] = ['application/vnd.in-toto+json', 'https://in-toto.io/Statement/v1'];
  const named = { name: 'pack', digest: { sha256: digestHex(subject) } };
  const payload = Buffer.from(
    JSON.stringify({ _type: statement, subject: [named], predicateType: 'https://slsa.dev/provenance/v1', predicate: {} }),
  );
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
  const envelope = {
    payload: payload.toString('base64'),
    payloadType: type,
    signatures: [{ sig: sign(null, signed, privateKey).toString('base64') }],
  };
  const key = trustedKeyFromPem('builder', publicKey.export({ type: 'spki', format: 'pem' }).toString());
  return { key, document: Buffer.from(JSON.stringify(envelope)) };
}

describe('verdicts run again', () => {
  let registry: ArchivedRegistry;
  let stored: Map<string, { verdict: Verdict; hash: Digest }>;
  let authority: KeylessAuthority;
  beforeAll(async () => {
    [registry, authority] = await Promise.all([ArchivedRegistry.open(), aKeylessAuthority()]);
  });
  beforeEach(async () => {
    await registry.database.empty();
    stored = await fill(registry);
  });
  afterAll(() => registry.close());

  /** Every kind of verdict there is, under trust and policies that change in between. */
  async function fill(on: ArchivedRegistry): Promise<Map<string, { verdict: Verdict; hash: Digest }>> {
    const found = new Map<string, { verdict: Verdict; hash: Digest }>();
    const publish = async (
      name: string,
      version: string,
      signatures: readonly Buffer[],
      tenant = 'acme',
      packId: string | null = 'acme.hello',
    ) => {
      const bundle = await on.put(bundleOf(version));
      const question = {
        packId,
        version: null,
        channel: 'edge',
        bundle,
        signatures: await Promise.all(signatures.map(one => on.signature(one))),
      };
      found.set(name, await on.judge(tenant, 'verify-bundle', question, ABOUT(version)));
      return { bundle, signatures: question.signatures };
    };
    const keysOf = (...signers: readonly (typeof release)[]) => signers.map(({ key }) => key);

    await publish('before there was a policy', '0.0.1', [release.bundle(bundleOf('0.0.1'))]);
    await on.trust('acme', { keys: keysOf(release) });
    await on.policy('acme', aPolicy({ unsigned: 'allow' }));
    await publish('unsigned and allowed', '0.1.0', []);
    await on.policy('acme', aPolicy({ version: 2, unsigned: 'pending' }));
    await publish('waits', '1.0.0', [stranger.bundle(bundleOf('1.0.0'))]);
    const first = await publish('completed', '1.0.0', [stranger.bundle(bundleOf('1.0.0')), release.bundle(bundleOf('1.0.0'))]);
    await publish('another pack than was said', '1.0.1', [release.bundle(bundleOf('1.0.1'))], 'acme', 'acme.other');
    await on.policy('acme', aPolicy({ name: 'stable', channel: 'stable', rule: { keyRef: 'next' } }));
    const promotion = { channel: 'stable', packType: 'task', ...first } as const;
    found.set('not promoted', await on.judge('acme', 'reverify-version', promotion, ABOUT('1.0.0')));
    await on.trust('acme', { keys: keysOf(release, next) });
    await on.policy(
      'acme',
      aPolicy({ name: 'stable', version: 2, channel: 'stable', rule: { anyOf: [{ keyRef: 'next' }, { keyRef: 'release' }] } }),
    );
    found.set('promoted', await on.judge('acme', 'reverify-version', promotion, ABOUT('1.0.0')));
    const { key, document } = anAttestation(first.bundle.digest);
    const trustedRoots = [canonicalJson(authority.trustedRoot)];
    await on.trust('acme', { keys: [...keysOf(next), key], trustedRoots });
    await on.policy('acme', aPolicy({ version: 3, rule: { anyOf: [{ keyRef: 'builder' }, { oidcIssuer: WHO }] } }));
    await publish('by a certificate', '2.0.0', [await authority.bundle(bundleOf('2.0.0'), WHO)]);
    await publish('by a key that is gone', '2.0.1', [release.bundle(bundleOf('2.0.1'))]);
    const attestation = { ...(await on.put(document)), mediaType: MEDIA_TYPES.dsseEnvelope };
    const about = {
      channel: 'edge',
      packType: 'task',
      attestation,
      subject: { bundle: first.bundle.digest, manifest: first.bundle.digest },
    } as const;
    found.set('attested', await on.judge('acme', 'verify-attestation', about, ABOUT('1.0.0')));
    await on.trust('globex', { keys: keysOf(stranger) });
    await on.policy('globex', aPolicy({ rule: { keyRef: 'stranger' } }));
    await publish('of another tenant', '1.0.0', [stranger.bundle(bundleOf('1.0.0'))], 'globex');
    await on.trust('acme', { keys: [] });
    return found;
  }

  async function replay(
    range: Partial<ReplayRange> = {},
  ): Promise<{ examined: number; findings: ReplayFinding[]; after: VerdictPlace | null }> {
    const all = { examined: 0, findings: [] as ReplayFinding[], after: range.after ?? null };
    for await (const step of registry.replay.execute({ after: null, ...range }, new AbortController().signal)) {
      all.examined += step.examined;
      all.findings.push(...step.findings);
      all.after = step.after;
    }
    return all;
  }

  const of = (name: string) => {
    const one = stored.get(name);
    if (!one) throw new Error(`no verdict ${name}`);
    return one;
  };

  it('have the hashes they were stored by, whatever became of keys and policies', async () => {
    const outcomes = new Map([...stored].map(([name, { verdict }]) => [name, verdict.outcome]));
    expect(Object.fromEntries(outcomes)).toEqual({
      'before there was a policy': 'rejected',
      'unsigned and allowed': 'accepted',
      waits: 'rejected',
      completed: 'accepted',
      'another pack than was said': 'rejected',
      'not promoted': 'rejected',
      promoted: 'accepted',
      'by a certificate': 'accepted',
      'by a key that is gone': 'rejected',
      attested: 'accepted',
      'of another tenant': 'accepted',
    });
    expect(await replay()).toMatchObject({ examined: stored.size, findings: [] });
    expect(await replay({ tenant: 'globex' })).toMatchObject({ examined: 1, findings: [] });
    expect(await replay({ since: '2999-01-01T00:00:00.000Z' })).toEqual({ examined: 0, findings: [], after: null });
  });

  it('change nothing that is stored', async () => {
    const objects = registry.blobs.objects.size;
    const before = await registry.sql(`select * from content.blobs order by digest`);
    await replay();
    expect(registry.blobs.objects.size).toBe(objects);
    expect(await registry.sql(`select * from content.blobs order by digest`)).toEqual(before);
  });

  it('go on where an earlier run ended, each once', async () => {
    const seen: string[] = [];
    let after: VerdictPlace | null = null;
    for (let run = 0; run < 20; run++) {
      const part: { examined: number; after: VerdictPlace | null } = await replay({ after, limit: 3 });
      if (part.examined === 0) break;
      after = part.after;
      seen.push(`${after?.tenant} ${after?.hash} ${part.examined}`);
    }
    expect(seen.map(one => Number(one.split(' ')[2])).reduce((sum, n) => sum + n, 0)).toBe(stored.size);
    expect(new Set(seen).size).toBe(seen.length);
    expect(await registry.archive.count({}, after)).toBe(0);
  });

  it('end between two verdicts when they are interrupted', async () => {
    const interrupted = new AbortController();
    let examined = 0;
    for await (const step of registry.replay.execute({ after: null }, interrupted.signal)) {
      examined += step.examined;
      interrupted.abort();
    }
    expect(examined).toBeGreaterThan(0);
    expect(examined).toBeLessThan(stored.size);
  });

  it('are named when a signature is damaged, and only those that looked at it', async () => {
    const { verdict } = of('promoted');
    const [, digest] = verdict.evidence;
    const [row] = await registry.sql<{ object_key: string }>(`select object_key from content.blobs where digest = $1`, [digest]);
    registry.blobs.objects.set(row?.object_key ?? '', Buffer.from('{}'));
    const { findings, examined } = await replay();
    expect(examined).toBe(stored.size);
    const harmed = ['completed', 'not promoted', 'promoted'].map(name => of(name).hash);
    expect(findings.map(finding => finding.verdict).toSorted()).toEqual(harmed.toSorted());
    for (const finding of findings) {
      expect(finding).toMatchObject({ ...ABOUT('1.0.0'), tenant: 'acme', outcome: 'skipped', obstacle: 'damaged', isFault: true });
      expect(finding.reason).toContain(digest);
    }
  });

  it('are named with the check that differs when bytes of a bundle changed', async () => {
    const { verdict, hash } = of('by a certificate');
    const [row] = await registry.sql<{ object_key: string; size: string }>(`select object_key, size from content.blobs where digest = $1`, [
      verdict.subject.bundle,
    ]);
    registry.blobs.objects.set(row?.object_key ?? '', Buffer.alloc(Number(row?.size)));
    const { findings } = await replay();
    expect(findings).toMatchObject([
      {
        ...ABOUT('2.0.0'),
        verdict: hash,
        outcome: 'differs',
        found: expect.stringMatching(/^sha256:/) as string,
        difference: { check: 'digest', was: 'digest pass ok', is: 'digest fail ERR_PACK_DIGEST_MISMATCH' },
        isFault: true,
      },
    ]);
    expect(findings[0]?.found).not.toBe(hash);
  });

  it('are named when somebody wrote another verdict under the hash', async () => {
    const { hash } = of('not promoted');
    await registry.sql(`update registry.verdicts set document = jsonb_set(document, '{outcome}', '"accepted"') where hash = $1`, [hash]);
    const { verdict } = of('not promoted');
    expect((await replay()).findings).toMatchObject([
      { ...ABOUT('1.0.0'), verdict: hash, outcome: 'altered', found: verdictHash({ ...verdict, outcome: 'accepted' }), isFault: true },
    ]);
  });

  it('are named when a forged verdict was stored under its own hash', async () => {
    const { verdict, hash } = of('waits');
    const forged: Verdict = { ...verdict, outcome: 'accepted' };
    await registry.sql(`update registry.verdicts set document = $2, hash = $3 where hash = $1`, [
      hash,
      JSON.stringify(forged),
      verdictHash(forged),
    ]);
    expect((await replay()).findings).toMatchObject([
      { verdict: verdictHash(forged), outcome: 'differs', found: hash, difference: { check: 'outcome', was: 'accepted', is: 'rejected' } },
    ]);
  });

  it('are named when the policy that decided was rewritten', async () => {
    const lax: SigningPolicy = aPolicy({ version: 2, unsigned: 'pending', rule: { keyRef: 'stranger' } });
    await registry.sql(`update registry.policies set document = $1 where tenant = 'acme' and name = 'default' and version = 2`, [
      JSON.stringify(lax),
    ]);
    const { findings } = await replay();
    expect(findings.map(({ verdict }) => verdict).toSorted()).toEqual(['waits', 'completed'].map(name => of(name).hash).toSorted());
    expect(findings.every(({ outcome, isFault }) => outcome === 'differs' && isFault)).toBe(true);
  });

  it('are told apart from those that nobody can run again, with the reason', async () => {
    const [old, gone, missing, odd] = ['unsigned and allowed', 'by a key that is gone', 'of another tenant', 'attested'].map(of);
    await registry.sql(`update registry.verdicts set question = null where hash = $1`, [old?.hash]);
    await registry.sql(`update registry.verdicts set question = '{"command": "forget"}' where hash = $1`, [odd?.hash]);
    await registry.sql(`delete from content.blobs where digest = $1`, [gone?.verdict.evidence[0]]);
    await registry.sql(`delete from registry.policies where tenant = 'globex'`);
    const { findings } = await replay();
    const told = new Map(findings.map(({ verdict, outcome, obstacle, isFault }) => [verdict, `${outcome} ${obstacle} ${isFault}`]));
    expect(told).toEqual(
      new Map([
        [old?.hash, 'skipped no-question false'],
        [odd?.hash, 'skipped not-understood true'],
        [gone?.hash, 'skipped not-kept false'],
        [missing?.hash, 'skipped not-kept true'],
      ]),
    );
    expect(findings.find(({ verdict }) => verdict === missing?.hash)?.reason).toBe('policy default@1 is not kept');
  });

  it('keep the trust material of every epoch, and no login may take it away', async () => {
    const epochs = await registry.sql<{ epoch: string; digest: Digest }>(
      `select epoch, digest from registry.trust_epochs where tenant = 'acme' order by epoch`,
    );
    expect(epochs.map(({ epoch }) => Number(epoch))).toEqual([1, 2, 3, 4]);
    for (const { verdict } of stored.values()) {
      if (verdict.trust.epoch === 0 || verdict.subject.bundle === of('of another tenant').verdict.subject.bundle) continue;
      expect(epochs[verdict.trust.epoch - 1]?.digest).toBe(verdict.trust.digest);
    }
    await expect(registry.sql(`delete from content.blobs where digest = $1`, [epochs[0]?.digest])).rejects.toThrow('foreign key');
  });
});
