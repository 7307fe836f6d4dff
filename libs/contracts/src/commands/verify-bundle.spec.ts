import { sha256, type RequiredAttestation, type SigningPolicy } from '@packs/domain';
import { judgedAttestations, MAX_JUDGED_ATTESTATIONS } from './verify-bundle';

const PROVENANCE = 'https://slsa.dev/provenance/v1';
const SBOM = 'https://cyclonedx.org/bom';
const VEX = 'https://openvex.dev/ns';

function requiring(...types: readonly string[]): SigningPolicy {
  const attestations = types.map((predicateType): RequiredAttestation => ({ predicateType }));
  return { name: 'default', version: 1, rule: { keyRef: 'release' }, unsigned: 'reject', require: { attestations } };
}

function documents(predicateType: string, count: number) {
  return Array.from({ length: count }, (_, at) => {
    const digest = sha256(`${predicateType} ${at}`);
    return { digest, size: 1, objectKey: `objects/${at}`, mediaType: 'application/vnd.dsse.envelope.v1+json', predicateType } as const;
  });
}

const digests = (found: readonly { readonly digest: string }[] = []) => found.map(({ digest }) => digest);
const judged = (types: readonly string[], attestations: ReturnType<typeof documents>) =>
  digests(judgedAttestations([requiring(...types)], attestations).attestations);

describe('the attestations that are judged', () => {
  const [sboms, provenance, vex] = [documents(SBOM, 128), documents(PROVENANCE, 1), documents(VEX, 12)];

  it('hold the only one of a type, however many newer ones of another there are', () => {
    const found = judged([SBOM, PROVENANCE], [...sboms, ...provenance]);
    expect(found).toEqual(digests([...sboms.slice(0, MAX_JUDGED_ATTESTATIONS - 1), ...provenance]));
  });

  it('are the newest of each type, in equal parts while each has some, and of the others what is left', () => {
    const found = judged([SBOM, PROVENANCE, VEX], [...sboms, ...vex, ...provenance]);
    expect(found).toEqual(digests([...sboms.slice(0, 19), ...vex, ...provenance]));
    const all = judged([SBOM, VEX], [...sboms, ...documents(VEX, 128)]);
    expect(all).toEqual(digests([...sboms.slice(0, 16), ...documents(VEX, 16)]));
  });

  it('keep the order they came in when there is room for all', () => {
    const mixed = [sboms[0], provenance[0], sboms[1], vex[0]].filter(one => one !== undefined);
    expect(judged([SBOM, PROVENANCE, VEX], mixed)).toEqual(digests(mixed));
  });

  it('are of the types that one of the policies asks for, and none where none does', () => {
    const attestations = [...sboms, ...vex];
    const { attestations: found } = judgedAttestations([requiring(VEX), requiring(PROVENANCE)], attestations);
    expect(digests(found)).toEqual(digests(vex));
    expect(judgedAttestations([requiring()], attestations)).toEqual({});
    expect(judgedAttestations([], attestations)).toEqual({});
  });
});
