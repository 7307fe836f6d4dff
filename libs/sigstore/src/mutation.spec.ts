import { sha256, SIGNATURE_SCHEMES } from '@packs/domain';
import { allMutations, random } from './mutations.fixture';
import { SpecSigner } from './signer.fixture';
import { verifyPackSignature, type PackSignature } from './verify-pack-signature';

const ARTIFACT = Buffer.from('the bytes of a pack bundle');

/**
 * What may differ without the signature ceasing to be this key's over these bytes:
 * the absence of a key's name and of the digest, which a bundle may leave out, and DSSE's unauthenticated `keyid` (DSSE v1.0, "Protocol").
 */
const UNAUTHENTICATED: readonly RegExp[] = [
  /^\/verificationMaterial\/publicKey\/hint (removed|emptied)$/,
  /^\/messageSignature\/messageDigest removed$/,
  /^\/messageSignature\/messageDigest emptied$/,
  /^\/(dsseEnvelope\/)?signatures\/0\/keyid /,
  /^\/verificationMaterial\/publicKey emptied$/,
];

describe.each(SIGNATURE_SCHEMES)('a document of scheme %s with one field changed', scheme => {
  const signer = new SpecSigner(scheme);
  const next = random(20_260_117);

  function check(signature: PackSignature) {
    const artifact = async function* (): AsyncIterable<Uint8Array> {
      yield ARTIFACT;
    };
    return verifyPackSignature({ artifact, digest: sha256(ARTIFACT), size: ARTIFACT.length, signature, keys: [signer.key] });
  }

  it.each(['messageBundle', 'dsseBundle', 'envelope'] as const)('is not accepted as %s unless the field proves nothing', async format => {
    const { mediaType, content } = signer[format](ARTIFACT);
    const accepted: string[] = [];
    let refused = 0;
    for (const { at, what, document } of allMutations(JSON.parse(Buffer.from(content).toString()), next)) {
      const result = await check({ mediaType, content: Buffer.from(JSON.stringify(document)) });
      if (!result.valid) refused++;
      else if (!UNAUTHENTICATED.some(field => field.test(`${at} ${what}`))) accepted.push(`${at} ${what}`);
      if (!result.valid) expect(result.reason).toMatch(/^ERR_PACK_SIGNATURE_(INVALID|UNTRUSTED)$/);
    }
    expect(accepted).toEqual([]);
    expect(refused).toBeGreaterThan(100);
  });

  it('is not accepted with any byte of the document changed outside of those fields', async () => {
    const { mediaType, content } = signer.messageBundle(ARTIFACT);
    const original = JSON.stringify(JSON.parse(Buffer.from(content).toString()));
    for (let at = 0; at < content.length; at++) {
      const mutated = Buffer.from(content);
      mutated[at] = (mutated[at] ?? 0) ^ (1 << Math.floor(next() * 8));
      const result = await check({ mediaType, content: mutated });
      if (result.valid) expect(JSON.stringify(JSON.parse(mutated.toString()))).toBe(original);
    }
  });
});
