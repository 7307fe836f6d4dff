import { DomainError } from '@packs/domain';
import { caseNames, ConformanceCase, hasCases, SKIPPED } from './conformance-cases.fixture';
import { random } from './mutations.fixture';
import { VERIFICATION_REASONS } from './reasons';
import { SignatureFault } from './signature-fault';
import { readSigningCertificate } from './signing-certificate';
import { readTimestamp } from './timestamp-form';
import { parseTrustedRoot } from './trusted-root';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_122);
const ROUNDS = Math.round(400 * Number(process.env['TEST_SCALE'] ?? 1));
const next = random(SEED);
const below = (limit: number): number => Math.floor(next() * limit);

/** Bytes changed, cut out, doubled or put in, up to four times. */
function damaged(bytes: Buffer): Buffer {
  let result = Buffer.from(bytes);
  for (let times = 1 + below(4); times > 0; times--) {
    const [at, length] = [below(result.length), 1 + below(8)];
    const changes = [
      () => Buffer.concat([result.subarray(0, at), Buffer.of(below(256)), result.subarray(at + 1)]),
      () => Buffer.concat([result.subarray(0, at), result.subarray(at + length)]),
      () => Buffer.concat([result.subarray(0, at + length), result.subarray(at)]),
      () => Buffer.concat([result.subarray(0, at), Buffer.from([0x30, 0x84, 0xff, 0xff].slice(0, 1 + below(4))), result.subarray(at)]),
    ];
    result = changes[below(changes.length)]?.() ?? result;
  }
  return result;
}

const one = new ConformanceCase('rekor2-checkpoint-cosigned');
const materialOf = () => JSON.parse(one.bundle.toString()).verificationMaterial;

/** Each parser with an input it takes, and what it may throw. */
const PARSERS: readonly (readonly [string, () => Buffer, (bytes: Buffer) => unknown, (error: unknown) => boolean])[] = [
  ['certificate', () => Buffer.from(materialOf().certificate.rawBytes, 'base64'), readSigningCertificate, isCoded],
  [
    'timestamp',
    () => Buffer.from(materialOf().timestampVerificationData.rfc3161Timestamps[0].signedTimestamp, 'base64'),
    readTimestamp,
    isCoded,
  ],
  ['trusted root', () => one.read('trusted_root.json') ?? Buffer.alloc(0), parseTrustedRoot, error => error instanceof DomainError],
];

function isCoded(error: unknown): boolean {
  return error instanceof SignatureFault && error.code in VERIFICATION_REASONS;
}

(hasCases ? describe : describe.skip)(`damaged input, seed ${SEED}${SKIPPED}`, () => {
  it.each(PARSERS)('of the %s parser ends in a value or a coded reason', (_, input, parse, mayThrow) => {
    const bytes = input();
    expect(parse(bytes)).toBeDefined();
    for (let round = 0; round < ROUNDS; round++) {
      const content = damaged(bytes);
      try {
        parse(content);
      } catch (error) {
        if (!mayThrow(error)) throw new Error(`round ${round}: ${content.toString('base64')}`, { cause: error });
      }
    }
  });

  it.each(caseNames())('of %s as a whole is answered with a coded reason, and never by an accident', name => {
    const damagedCase = new ConformanceCase(name);
    const trust = one.trust();
    for (let round = 0; round < ROUNDS / 10; round++) {
      const { checks } = damagedCase.verify({ content: damaged(damagedCase.bundle), trust });
      expect(checks.map(({ reason }) => reason)).not.toContain('verification-failed');
    }
  });
});
